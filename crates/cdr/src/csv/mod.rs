//! Rows of separated values as PBXs write them: bytes in any encoding, quotes doubled inside quoted fields, line
//! feeds inside quotes, rows cut off in the middle.
mod index;
mod row;
mod rows;

pub(crate) use index::Marks;
pub(crate) use row::{Row, Scratch};
pub(crate) use rows::{Fault, RECORD_MAX, Rows};
