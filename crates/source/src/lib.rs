//! Where records come from: files, plain or compressed, standard input, and the manager interface of a PBX.
//!
//! [`Input`] opens a source and unpacks it; [`Blocks`] cuts it into the large blocks the decoders of
//! `tollwatch-cdr` want, and keeps the record that a block's end cuts through. Nothing here knows what
//! a record is: the decoder says how many bytes it has used.
//!
//! ```no_run
//! # fn decode(_: &[u8], _: bool) -> usize { 0 }
//! # fn main() -> Result<(), tollwatch_source::SourceError> {
//! let mut blocks = tollwatch_source::Blocks::new(tollwatch_source::Input::open("Master.csv.gz")?);
//! while let Some(block) = blocks.fill()? {
//!     let used = decode(block.bytes, block.last);
//!     blocks.consume(used);
//! }
//! # Ok(()) }
//! ```
mod ami;
mod blocks;
mod chunk;
mod error;
mod follow;
mod input;
mod mark;

pub use ami::{Ami, AmiFault, AmiLogin, AmiOptions, AmiSecret};
pub use blocks::{Block, Blocks};
pub use chunk::{Chunk, Counters, FileNumber};
pub use error::SourceError;
pub use follow::{Follow, FollowOptions, Position};
pub use input::{Compression, Input};
pub use mark::{Fingerprint, Identity, Mark};
