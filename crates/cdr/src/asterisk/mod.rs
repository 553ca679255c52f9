//! Asterisk: what it writes and how it names things.
mod call;
pub(crate) mod cdr_csv;
pub(crate) mod cdr_custom;
mod cel;
pub(crate) mod cel_csv;
pub(crate) mod channel;

pub(crate) use call::Reader;
pub(crate) use cel::CelTracker;
