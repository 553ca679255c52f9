//! What the API asks of the engine's thread.
use crate::fault::Fault;
use crate::wire::{
    DeliveriesV1, DeliveryFilter, DrillRequestV1, DrillV1, ExtensionV1, IncidentStatusV1, MuteRequestV1,
    MuteV1, NumberV1, ReloadedV1, RetriedV1, RetryDeliveriesV1,
};
use std::fmt;
use std::time::Duration;
use tokio::sync::oneshot;
use tollwatch_detect::Problem;

/// One thing that only the engine's thread can do or know. What changes something is answered when it is durable.
pub enum Command {
    /// Somebody looks after an incident.
    Acknowledge {
        /// Its id.
        incident: String,
        /// Who.
        by: String,
        /// What they say.
        note: Option<String>,
        /// The incident as it stands then.
        reply: Reply<IncidentStatusV1>,
    },
    /// An incident is over, by a person's word.
    Resolve {
        /// Its id.
        incident: String,
        /// Who.
        by: String,
        /// What they say.
        note: Option<String>,
        /// The incident as it stands then.
        reply: Reply<IncidentStatusV1>,
    },
    /// Alerts of some kind are to be kept back for a while. Whether `until` lies ahead is the engine's to say.
    Mute {
        /// Which, until when, why, by whom.
        request: MuteRequestV1,
        /// The mute as it was made.
        reply: Reply<MuteV1>,
    },
    /// A mute ends at once.
    Unmute {
        /// Its id.
        mute: String,
        /// It has ended.
        reply: Reply<()>,
    },
    /// Read the configuration again: all of it is taken, or nothing.
    Reload {
        /// What changed.
        reply: Reply<ReloadedV1>,
    },
    /// How an extension stands against its rules now.
    Extension {
        /// Customer or site.
        tenant: String,
        /// Its name.
        extension: String,
        /// Its windows.
        reply: Reply<ExtensionV1>,
    },
    /// How a number is read, where it goes and what it costs.
    Number {
        /// Customer or site; the site's own without.
        tenant: Option<String>,
        /// As it is dialled.
        dialled: String,
        /// What is known.
        reply: Reply<NumberV1>,
    },
    /// Send again what a notifier could not deliver.
    RetryDead {
        /// Its name.
        notifier: String,
        /// One alert; all of them without.
        alert_id: Option<String>,
        /// How many were put back into its queue.
        reply: Reply<RetriedV1>,
    },
    /// Alerts that were not delivered yet.
    Deliveries {
        /// Which.
        filter: DeliveryFilter,
        /// Those that there are.
        reply: Reply<DeliveriesV1>,
    },
    /// Send again at once what has failed, whoever was to deliver it.
    RetryDeliveries {
        /// Which.
        request: RetryDeliveriesV1,
        /// How many are due now.
        reply: Reply<RetriedV1>,
    },
    /// Let a made-up attack run through to the notifiers. One that still goes on ends.
    BeginDrill {
        /// Under whose rules, and for how long.
        request: DrillRequestV1,
        /// The drill as it begins.
        reply: Reply<DrillV1>,
    },
    /// How far the last drill has come.
    Drill {
        /// Its id.
        drill: String,
        /// The drill as it stands.
        reply: Reply<DrillV1>,
    },
}

impl Command {
    /// What is asked, for logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Acknowledge { .. } => "acknowledge",
            Self::Resolve { .. } => "resolve",
            Self::Mute { .. } => "mute",
            Self::Unmute { .. } => "unmute",
            Self::Reload { .. } => "reload",
            Self::Extension { .. } => "extension",
            Self::Number { .. } => "number",
            Self::RetryDead { .. } => "retry_dead",
            Self::Deliveries { .. } => "deliveries",
            Self::RetryDeliveries { .. } => "retry_deliveries",
            Self::BeginDrill { .. } => "begin_drill",
            Self::Drill { .. } => "drill",
        }
    }
}

/// The name only: dialled numbers and what people write must not get into a log by accident.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Command").field(&self.name()).finish()
    }
}

/// Where the answer to a command goes. Dropping it unanswered says that the engine is stopping.
#[derive(Debug)]
pub struct Reply<T>(oneshot::Sender<Result<T, Refusal>>);

impl<T> Reply<T> {
    /// Answers. A client that has gone away meanwhile is no fault.
    pub fn send(self, answer: Result<T, Refusal>) {
        let _ = self.0.send(answer);
    }

    /// Whether anybody still waits; what only looks something up need not be done otherwise.
    pub fn is_awaited(&self) -> bool {
        !self.0.is_closed()
    }
}

/// Why the engine's thread did not do it. In every case nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such thing; says what.
    NotFound(String),
    /// It is in another state, such as resolved already; says which.
    Conflict(String),
    /// Values that cannot be used: of the request, or of the configuration that was to be loaded.
    Unusable(Vec<Problem>),
    /// It could not be made durable; says why.
    NotDurable(String),
}

type Submit = dyn Fn(Command) -> bool + Send + Sync;

/// The way to the engine's thread.
pub(crate) struct Commands {
    submit: Box<Submit>,
    wait: Duration,
}

impl fmt::Debug for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commands").field("wait", &self.wait).finish_non_exhaustive()
    }
}

impl Commands {
    pub(crate) fn new(submit: Box<Submit>, wait: Duration) -> Self {
        Self { submit, wait }
    }

    /// Sends a command and waits for its answer.
    pub(crate) async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Fault> {
        let (sender, receiver) = oneshot::channel();
        if !(self.submit)(command(Reply(sender))) {
            return Err(Fault::later("too many commands wait for the engine", "try again", 1));
        }
        match tokio::time::timeout(self.wait, receiver).await {
            Ok(Ok(answer)) => Ok(answer?),
            Ok(Err(_)) => Err(Fault::later("the service is stopping", "try again when it is up", 10)),
            Err(_) => Err(Fault::later(
                "the engine did not answer in time",
                "it may still do what was asked: look before trying again",
                5,
            )),
        }
    }
}
