//! The durable state of the service: engine state, source positions and the outbox, in one file that
//! changes from one whole state to the next.
//!
//! [`Store::open`] locks a directory and verifies its file, [`Store::load`] hands out what was kept, and
//! [`Store::commit`] writes [`Changes`]: all of them or none. When a commit has returned, a power cut cannot
//! take it back. What the bytes mean is the caller's affair.
//!
//! ```
//! use tollwatch_store::{Alert, Changes, Delivery, DeliveryKey, Store};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let mut store = Store::open(directory.path())?;
//! let mut changes = Changes::default();
//! changes.parts.insert(b"extension 204".to_vec(), Some(b"its windows".to_vec()));
//! changes.positions.insert("pbx-1".to_owned(), Some(b"byte 5120 of Master.csv".to_vec()));
//! changes.alerts.push(Alert { sequence: 1, raised: 1_790_000_000, body: b"{}".to_vec() });
//! let delivery = DeliveryKey { alert: 1, notifier: "duty".to_owned() };
//! changes.deliveries.insert(delivery, Some(Delivery::Pending(Vec::new())));
//! store.commit(&changes)?;
//!
//! let state = store.load(|key, value| println!("{} bytes under {key:?}", value.len()))?;
//! assert_eq!(state.outbox.deliveries.len(), 1);
//! # Ok(()) }
//! ```
mod changes;
mod damage;
mod directory;
mod error;
mod header;
mod outbox;
mod store;
mod table;

pub use changes::{Alert, Changes, Delivery, DeliveryKey, Forget, Outbox, State};
pub use damage::Damage;
pub use error::StoreError;
/// What a store is kept on. The service keeps it on a file; the tests on a disk that fails, tears and forgets.
pub use redb::StorageBackend;
pub use store::Store;
