//! `tollwatch run` as a process: followed files, alerts by HTTP, kills.
mod full_disk;
mod killed;
mod memory;
mod promises;
mod receiver;
mod running;
mod system_calls;

pub(crate) use receiver::Receiver;
pub(crate) use running::Running;
