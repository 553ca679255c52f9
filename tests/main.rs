//! The tests of the whole: one binary.
mod case_of_2015;
mod captures;
mod command_line;
mod harness;
mod invariance;
mod scenarios;
mod tidy;
