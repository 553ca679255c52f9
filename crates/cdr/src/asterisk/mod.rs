//! Asterisk: what it writes and how it names things.
pub(crate) mod channel;
