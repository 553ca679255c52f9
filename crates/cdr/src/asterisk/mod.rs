//! Asterisk: what it writes and how it names things.
mod call;
pub(crate) mod cdr_csv;
pub(crate) mod cdr_custom;
pub(crate) mod channel;

pub(crate) use call::Reader;
