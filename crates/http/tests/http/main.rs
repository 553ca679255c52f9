//! The service as a client sees it: one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]
mod access;
mod client;
mod commands;
mod connections;
mod fuzz;
mod harness;
mod health;
mod incidents;
mod metrics;
mod openapi;
mod pages;
mod tls;
