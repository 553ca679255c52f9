//! Call detail records and live call events, and the decoders that read them.
//!
//! Nothing in this crate does IO, reads a clock or allocates per record: a caller hands in bytes, the
//! decoder hands out records that borrow from them. PBX spellings (`src`, `billsec`, `lastapp`) stay
//! inside the decoders; what comes out speaks the terms of the field.
mod asterisk;
mod csv;
mod decoder;
mod describe;
mod detect;
mod format;
mod offset;
mod record;
mod time;
mod zone;

pub use decoder::{Counters, Decoder};
pub use describe::{Description, Setting, Text};
pub use detect::{Detection, detect};
pub use format::{Format, FormatError};
pub use offset::{OffsetCheck, Untold, UtcOffset};
pub use record::{
    CallEvent, CallEventKind, Cdr, Leg, Outcome, Party, Place, Record, RejectReason, Rejected, Sink,
};
pub use time::EventTime;
pub use zone::{Zone, ZoneError};
