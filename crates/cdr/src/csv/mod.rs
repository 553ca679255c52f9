//! Rows of comma-separated text as PBXs write it: bytes in any encoding, quotes doubled inside quoted fields,
//! line feeds inside quotes, rows cut off in the middle.
mod index;
mod row;
mod rows;

pub(crate) use row::{Row, Scratch};
pub(crate) use rows::{Fault, RECORD_MAX, Rows};
