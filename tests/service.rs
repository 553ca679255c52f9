//! `tollwatch run` as a process: followed files, alerts by HTTP, kills, and the programs of others that it works with.
mod alertmanager;
mod alerts;
mod api;
mod attack;
mod daemon;
mod drill;
mod full_disk;
mod killed;
mod memory;
mod prometheus;
mod promises;
mod receiver;
mod running;
mod system_calls;
mod web;

pub(crate) use receiver::Receiver;
pub(crate) use running::Running;
