//! What a running tollwatch tells and lets itself be told over HTTP: the API, `/metrics`, health.
//!
//! Nothing here decides anything or holds state. What is read comes from a [`View`] that the engine's thread publishes; what
//! must be decided or made durable goes to that thread as a [`Command`] and comes back as its reply.
//!
//! **Invariant:** a request never waits for the engine's state, only for a reply, and for that no longer than
//! [`Limits::reply`].
mod access;
mod client;
mod clock;
mod command;
mod config;
mod extract;
mod fault;
mod heartbeat;
mod metrics;
mod openapi;
mod page;
mod routes;
mod serve;
mod tls;
mod view;
mod wire;

pub use access::Access;
pub use client::{Asked, Client};
pub use command::{Command, Refusal, Reply};
pub use config::{HttpConfig, HttpError, RawHttp, RawTls};
pub use fault::{FaultV1, FieldFaultV1};
pub use heartbeat::Heartbeat;
pub use metrics::{
    Build, Checkpoint, DeliveryResult, Metrics, MetricsError, RecordResult, SourceMetrics, Suppression,
};
pub use openapi::document as openapi;
pub use routes::{Limits, Service, router};
pub use serve::Server;
pub use tls::Tls;
pub use view::{IncidentEntry, MOST_CALLS, Published, View};
pub use wire::{
    CallV1, CheckV1, ConditionStatusV1, DecisionV1, DeliveriesV1, DeliveryFilter, DeliveryState, DeliveryV1,
    DestinationOfNumberV1, DrillIncidentV1, DrillNotifierV1, DrillRequestV1, DrillState, DrillV1,
    ExtensionV1, IncidentDetailV1, IncidentState, IncidentStatusV1, MuteRequestV1, MuteV1, NotifierV1,
    NumberV1, ReadinessV1, ReloadedV1, RetriedV1, RetryDeliveriesV1, RuleV1, SourceState, SourceV1, WindowV1,
};
