//! `tollwatch run` as a process: followed files, alerts by HTTP, kills.
mod inputs;
mod killed;
mod promises;
mod receiver;
mod running;

pub(crate) use receiver::Receiver;
pub(crate) use running::Running;
