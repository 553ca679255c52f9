//! Call detail records and live call events, and the decoders that read them.
//!
//! Nothing in this crate does IO, reads a clock or allocates per record of the usual formats: a caller hands in
//! bytes, the decoder hands out records that borrow from them. What a format looks like is data: a descriptor in
//! `schemas/formats/`, compiled to a plan. PBX spellings (`src`, `billsec`, `lastapp`) stay in descriptors; what
//! comes out speaks the terms of the field.
mod asterisk;
mod call;
mod carries;
mod civil;
mod csv;
mod decoder;
mod describe;
mod descriptor;
mod detect;
mod format;
mod header;
mod json;
mod number;
mod offset;
mod record;
mod time;
mod wire;
mod zone;

pub use carries::Carries;
pub use civil::DateOrder;
pub use decoder::{Counters, Decoder};
pub use describe::{Description, Setting, Text};
pub use descriptor::{DescriptorError, DescriptorFault, RawDescriptor};
pub use detect::{Detection, detect, detect_among};
pub use format::{Format, FormatError};
pub use offset::{OffsetCheck, Untold, UtcOffset};
pub use record::{
    CallEvent, CallEventKind, Cdr, Hint, Identity, Leg, Outcome, Party, Place, Record, RejectReason,
    Rejected, Sink,
};
pub use time::EventTime;
pub use wire::{CallEventTypeV1, CallEventV1, CdrTypeV1, CdrV1, EventKindV1, LegV1, OutcomeV1, TimeV1};
pub use zone::{Zone, ZoneError};
