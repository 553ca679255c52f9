//! Asterisk: what it writes and how it names things.
mod call;
pub(crate) mod cdr_csv;
pub(crate) mod cdr_custom;
#[cfg_attr(not(test), expect(dead_code, reason = "the decoder takes it in next"))]
pub(crate) mod cel;
pub(crate) mod channel;

pub(crate) use call::Reader;
