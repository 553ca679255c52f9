//! The tests of the whole: one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]
mod ami;
mod ami_live;
mod attribution;
mod bugs;
mod business_hours;
mod captures;
mod case_of_2015;
mod command_line;
mod engine;
mod flood;
mod formats;
mod harness;
mod invariance;
mod legs;
mod quarantine;
mod reconfigure;
mod scenarios;
mod service;
mod sources;
mod tidy;
