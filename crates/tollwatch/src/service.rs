//! `tollwatch run`: the same engine, day and night.
//!
//! One thread has everything that must agree: the engine, the positions of the sources, the outbox, what people said of
//! incidents. It reads, decides, makes what follows durable in one commit, and only then lets alerts out. Everything else
//! runs beside it and talks to it by [`Event`]s: the tasks that deliver, the API, the watch over files, signals.
//!
//! **Invariant:** an alert is in the store, in the same commit as the position behind the record that caused it, before
//! anybody is told of it. So a process that is killed loses none, and what it sends again has the same id.
mod blindness;
mod cases;
mod checkpoint;
mod clock;
mod commands;
mod conditions;
mod delivery;
mod grouping;
mod intake;
mod looking;
mod mutes;
mod outbox;
mod pulse;
mod reader;
mod reading;
mod runner;
mod saved;
mod signals;
mod supervisor;
mod view;

pub(crate) use runner::{Ended, Startup, run};
