//! Asterisk: how it names things, and what its channel events mean.
pub(crate) mod ami;
mod cel;
pub(crate) mod cel_csv;
pub(crate) mod channel;

pub(crate) use ami::Ami;
pub(crate) use cel::CelTracker;
