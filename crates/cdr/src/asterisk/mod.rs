//! Asterisk: how it names things, and what its channel events mean.
mod cel;
pub(crate) mod cel_csv;
pub(crate) mod channel;

pub(crate) use cel::CelTracker;
