//! What goes into a store, and what comes out.
use std::collections::BTreeMap;

/// One step of the state. Whatever is put twice is the same as put once, so a commit that failed is simply
/// committed again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Parts of the engine's state by key; `None` removes one.
    pub parts: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// How far each source was read; `None` removes one.
    pub positions: BTreeMap<String, Option<Vec<u8>>>,
    /// What is said once of the whole state, as the fingerprint of its rules; `None` removes one.
    pub meta: BTreeMap<String, Option<Vec<u8>>>,
    /// Alerts that enter the outbox.
    pub alerts: Vec<Alert>,
    /// Deliveries that begin, go on or die; `None` says that one is done (or given up).
    pub deliveries: BTreeMap<DeliveryKey, Option<Delivery>>,
    /// Which delivered alerts may go now.
    pub forget: Option<Forget>,
}

impl Changes {
    /// Whether a commit would write nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An alert in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its place in the order of all alerts, given by the caller.
    pub sequence: u64,
    /// When it was raised, in Unix seconds. Only [`Forget`] looks at it.
    pub raised: i64,
    /// What it says.
    pub body: Vec<u8>,
}

/// One alert on its way to one notifier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryKey {
    /// The sequence of the alert, which is in the store or in the same [`Changes`].
    pub alert: u64,
    /// The notifier's name.
    pub notifier: String,
}

/// How a delivery stands that is not done. What is in it (attempts, next time) is the caller's affair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It will be tried (again).
    Pending(Vec<u8>),
    /// It was given up, and waits for a person.
    Dead(Vec<u8>),
}

/// Lets alerts go that have no delivery left, in the order of their sequence, up to the first that neither
/// reason fits. An alert with a pending or dead delivery stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forget {
    /// Those raised before this Unix second.
    pub raised_before: i64,
    /// And as many as the outbox holds beyond this number.
    pub keep: u64,
}

/// What a store holds, without the parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// How far each source was read.
    pub positions: BTreeMap<String, Vec<u8>>,
    /// What is said once of the whole state.
    pub meta: BTreeMap<String, Vec<u8>>,
    /// The alerts.
    pub outbox: Outbox,
}

/// The alerts that are kept, and what is still to be delivered of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbox {
    /// By sequence.
    pub alerts: BTreeMap<u64, Alert>,
    /// Each belongs to one of the alerts.
    pub deliveries: BTreeMap<DeliveryKey, Delivery>,
}

impl Outbox {
    /// The deliveries that were given up.
    pub fn dead(&self) -> impl Iterator<Item = &DeliveryKey> {
        self.deliveries
            .iter()
            .filter(|(_, delivery)| matches!(delivery, Delivery::Dead(_)))
            .map(|(key, _)| key)
    }
}
