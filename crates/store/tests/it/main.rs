//! The store on disks that crash, fail, fill up and rot.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]
mod crashes;
mod damage;
mod directory;
mod disk;
mod faults;
mod full;
mod history;
mod model;
mod outbox;
