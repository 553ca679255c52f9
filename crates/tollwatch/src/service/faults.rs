//! The service on a disk that fails, fills up or is cut off: what people are told in the end is what they would have been told
//! without.
#[expect(dead_code, reason = "the store's own tests need more of it")]
#[path = "../../../store/tests/it/disk.rs"]
pub(super) mod disk;
mod full;
mod house;
mod once;
mod torn;
