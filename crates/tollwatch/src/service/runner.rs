//! The engine's thread: reads, decides, makes durable, lets out.
use super::clock;
use super::conditions::Conditions;
use super::delivery::{Attempt, Deliveries};
use super::intake::Intake;
use super::keeping::{Failure, Keeping};
use super::outbox::Outbox;
use super::people::People;
use super::reading::Sources;
use super::saved::Saved;
use super::signals::{self, Signal};
use super::supervisor::Supervisor;
use crate::config::{Config, ConfigProblem, Overrides};
use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use tollwatch_cdr::EventTime;
use tollwatch_detect::{AboutV1, AlertV1, Counters, Engine};
use tollwatch_http::{
    Access, Build, Command, DeliveryResult, Heartbeat, Limits, Metrics, Published, RuleV1, Server, Tls,
};
use tollwatch_notify::{Notify, Outcome, Site};
use tollwatch_store::Store;

/// Sources are looked at so often when nothing wakes the service.
const POLL: Duration = Duration::from_millis(250);
/// After so many looks at the sources without anything there is nothing more.
const DRY_LOOKS: u32 = 4;
/// Events that may wait for the engine's thread.
const EVENTS: usize = 1024;

/// What happens beside the engine's thread.
#[derive(Debug)]
pub(super) enum Event {
    /// Somebody asks something by the API.
    Command(Box<Command>),
    /// An attempt to deliver is over.
    Delivered(Box<Attempt>),
    /// The system asks something.
    Signal(Signal),
}

/// What the service is started with.
#[derive(Debug)]
pub(crate) struct Startup {
    pub(crate) file: Option<PathBuf>,
    pub(crate) overrides: Overrides,
    /// Read what is there, deliver what is due, and end: for tests and for drills.
    pub(crate) until_dry: bool,
}

/// How the service ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// As it was asked to.
    InGoodOrder,
    /// It could not begin: the configuration.
    Configuration(Vec<ConfigProblem>),
}

/// Runs the service until it is asked to stop.
pub(crate) fn run(startup: Startup, config: Config) -> anyhow::Result<Ended> {
    if config.sources.followed().is_empty() {
        let hint =
            "give [[sources]] with follow = \"/var/log/asterisk/cdr-csv/Master.csv\" or wherever yours are";
        let problem =
            tollwatch_detect::Problem::new("sources".to_owned(), "nothing to follow".to_owned(), hint);
        return Ok(Ended::Configuration(vec![super::commands::placed(&startup, problem)]));
    }
    let supervisor = Supervisor::new();
    Supervisor::still_starting(Duration::from_mins(10));
    let notify = match config.service.notify.build(config.service.folder.as_deref(), &environment) {
        Ok(notify) => notify,
        Err(problems) => {
            let problems = problems.into_iter().map(|problem| super::commands::placed(&startup, problem));
            return Ok(Ended::Configuration(problems.collect()));
        }
    };
    let state = &config.service.state;
    let store = Store::open(state).map_err(|error| {
        // A folder that belongs to somebody else is what a first start meets.
        let is_path = matches!(error, tollwatch_store::StoreError::Path { .. });
        let hint = if is_path { " (`service.state`; it must be this user's own)" } else { "" };
        anyhow::Error::new(error).context(format!("the state in {}{hint}", state.display()))
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let channel = Channel::new(runtime.handle().clone());
    let events = channel.sender.clone();
    let mut runner = Runner::new(startup, config, notify, store, channel, clock::now())?;
    runtime.spawn({
        let _inside = runtime.enter();
        signals::listen(events.clone()).context("cannot listen to signals")?
    });
    let (stop_http, http_stops) = tokio::sync::oneshot::channel::<()>();
    let server = runner.serve(&runtime, events)?;
    let server = server.map(|server| {
        runtime.spawn(server.run(async move {
            let _ = http_stops.await;
        }))
    });
    let ended = runner.go_on(supervisor);
    drop(stop_http);
    if let Some(server) = server {
        let _ = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(5), server).await });
    }
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended.map(|()| Ended::InGoodOrder)
}

/// How what happens beside the engine's thread comes to it.
pub(super) struct Channel {
    runtime: tokio::runtime::Handle,
    pub(super) sender: SyncSender<Event>,
    events: Receiver<Event>,
}

impl Channel {
    pub(super) fn new(runtime: tokio::runtime::Handle) -> Self {
        let (sender, events) = sync_channel(EVENTS);
        Self { runtime, sender, events }
    }
}

/// What comes after a turn of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The next one, after so long or when something happens.
    Wait(Duration),
    /// The end, in good order.
    End,
}

/// Everything that must agree.
pub(super) struct Runner {
    pub(super) startup: Startup,
    pub(super) config: Config,
    pub(super) engine: Engine,
    pub(super) sources: Sources,
    pub(super) keeping: Keeping,
    pub(super) deliveries: Deliveries,
    pub(super) people: People,
    pub(super) conditions: Conditions,
    events: Receiver<Event>,
    pub(super) metrics: Metrics,
    pub(super) published: Published,
    /// As the API shows them.
    pub(super) rules: Arc<[RuleV1]>,
    heartbeat: Arc<Heartbeat>,
    pub(super) counters_before: Counters,
    pub(super) looked_at: Option<DateTime<Utc>>,
    /// It was asked to stop, and takes no longer than until then.
    stopping: Option<DateTime<Utc>>,
}

impl Runner {
    /// Goes on from what the store has.
    pub(super) fn new(
        startup: Startup,
        mut config: Config,
        notify: Notify,
        mut store: Store,
        channel: Channel,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        let state = config.service.state.clone();
        let Saved { engine: parts, people, conditions, mut sources, outbox, firing, unreadable } =
            Saved::load(&mut store).with_context(|| format!("the state in {}", state.display()))?;
        if let Some(what) = unreadable.first() {
            anyhow::bail!(
                "the state in {} holds {what}, which this version cannot read; install the version that wrote it, or \
                 move the folder away to begin anew",
                state.display()
            );
        }
        let own = std::mem::take(&mut config.tenants);
        let mut engine = Config::engine(config.settings.clone(), own.clone());
        config.tenants = own;
        let restoring = clock::now();
        if parts.is_empty() {
            engine.keep_changes();
        } else {
            engine = engine
                .resume(parts.iter().map(|(key, value)| (&**key, &**value)))
                .with_context(|| format!("the state in {}", state.display()))?;
        }
        drop(parts);
        let outbox = Outbox::new(&notify.notifiers, notify.router, &outbox, firing, now);
        let intakes = config
            .sources
            .followed()
            .iter()
            .map(|followed| {
                let tenant = engine.tenant(&followed.source.tenant);
                Intake::new(followed.clone(), tenant, sources.remove(&followed.name), now)
            })
            .collect();
        let build = Build { version: env!("CARGO_PKG_VERSION"), revision: "unknown", rustc: "unknown" };
        let limit = config.service.http.as_ref().map_or(0, |http| http.metrics_tenant_label_limit);
        let metrics = Metrics::new(&build, limit)?;
        metrics.reloaded(Some(now.timestamp_micros() as f64 / 1e6));
        metrics.restored(clock::now().signed_duration_since(restoring).to_std().unwrap_or_default());
        let counters_before = engine.counters();
        let mut runner = Self {
            startup,
            engine,
            sources: Sources::new(intakes, sources.into_keys().collect()),
            keeping: Keeping::new(store, now),
            deliveries: Deliveries::new(outbox, notify.notifiers, channel.runtime, channel.sender),
            people,
            conditions,
            events: channel.events,
            metrics,
            published: Published::default(),
            rules: super::view::rules(&config.raw),
            heartbeat: Arc::new(Heartbeat::default()),
            counters_before,
            looked_at: None,
            stopping: None,
            config,
        };
        runner.declare_metrics();
        Ok(runner)
    }

    /// Binds the address of the API, where there is one.
    fn serve(
        &mut self,
        runtime: &tokio::runtime::Runtime,
        sender: SyncSender<Event>,
    ) -> anyhow::Result<Option<Server>> {
        let Some(http) = self.config.service.http.clone() else { return Ok(None) };
        let folder = self.config.service.folder.as_deref();
        let access = Access::load(&http, folder, environment)?;
        let tls = Tls::load(&http, folder)?.map(Arc::new);
        let service = tollwatch_http::Service::new(
            self.published.clone(),
            Arc::clone(&self.heartbeat),
            self.metrics.registry(),
            access,
            Limits::default(),
            move |command| sender.try_send(Event::Command(Box::new(command))).is_ok(),
        );
        let server = runtime.block_on(Server::bind(http.listen, tls, Arc::new(service)))?;
        let address = server.address()?;
        tracing::info!(%address, "listening");
        Ok(Some(server))
    }

    /// The loop.
    fn go_on(&mut self, mut supervisor: Supervisor) -> anyhow::Result<()> {
        self.look(clock::now());
        Supervisor::ready(&self.status());
        tracing::info!(
            sources = self.sources.intakes.len(),
            notifiers = self.deliveries.notifiers.len(),
            "ready"
        );
        loop {
            let now = clock::now();
            self.heartbeat.tick();
            supervisor.alive(now, || "running".to_owned());
            let wait = match self.turn(now)? {
                Then::Wait(wait) => wait,
                Then::End => {
                    Supervisor::stopping();
                    return self.end(now);
                }
            };
            if !self.hear(wait, clock::now) {
                return self.end(now);
            }
        }
    }

    /// Handles what happens beside, if something does within that time. Whether anything can happen yet.
    pub(super) fn hear(&mut self, wait: Duration, clock: impl Fn() -> DateTime<Utc>) -> bool {
        match self.events.recv_timeout(wait) {
            Ok(event) => {
                self.handle(event, clock());
                // Those that wait too, but not for ever: sources want to be read.
                for _ in 0..EVENTS {
                    let Ok(event) = self.events.try_recv() else { break };
                    self.handle(event, clock());
                }
                true
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }

    /// Reads a piece, decides, makes durable what is due, and lets out what is.
    pub(super) fn turn(&mut self, now: DateTime<Utc>) -> Result<Then, Failure> {
        let held_back = self.is_held_back();
        if held_back {
            self.sources.pause();
        }
        let is_dry = self.stopping.is_some() || held_back || !self.read(now);
        self.raise(now);
        if is_dry && !held_back && self.stopping.is_none() {
            self.let_time_pass(now);
        }
        self.look_if_due(now);
        // A store that fails is told by the condition, and tried again.
        if self.is_checkpoint_due(now)
            && let Err(fault @ Failure::Ours(_)) = self.checkpoint(now)
        {
            return Err(fault);
        }
        if let Some(fault) = self.keeping.fault() {
            return Err(fault);
        }
        self.deliver(now);
        self.sources.dry_looks = if is_dry && !held_back { self.sources.dry_looks + 1 } else { 0 };
        let is_done = self.sources.dry_looks >= DRY_LOOKS && self.deliveries.are_done(now);
        if (self.stopping.is_some() || self.startup.until_dry) && is_done
            || self.stopping.is_some_and(|until| now >= until)
        {
            return Ok(Then::End);
        }
        Ok(Then::Wait(if is_dry { self.wait(now) } else { Duration::ZERO }))
    }

    pub(super) fn end(&mut self, now: DateTime<Utc>) -> anyhow::Result<()> {
        self.checkpoint(now).context("the last checkpoint")?;
        tracing::info!("stopped");
        Ok(())
    }

    fn handle(&mut self, event: Event, now: DateTime<Utc>) {
        match event {
            Event::Command(command) => self.obey(*command, now),
            Event::Delivered(attempt) => self.delivered(&attempt, now),
            Event::Signal(Signal::Stop) => {
                let drain = TimeDelta::from_std(self.config.service.drain).unwrap_or(TimeDelta::zero());
                self.stopping.get_or_insert(now + drain);
            }
            Event::Signal(Signal::Reload) => {
                Supervisor::reloading();
                let _ = self.reload(now);
                Supervisor::ready(&self.status());
            }
        }
    }

    /// Takes the engine's alerts over.
    pub(super) fn raise(&mut self, now: DateTime<Utc>) {
        self.engine.flush();
        for alert in self.engine.take_alerts() {
            let settings = self.engine.settings_of(&alert.incident.tenant);
            let late = now.timestamp_micros().saturating_sub(alert.at.micros());
            let told = AlertV1::of_calls(&alert, settings);
            let latency = Duration::from_micros(u64::try_from(late).unwrap_or_default());
            self.metrics.alert(super::view::rule_of(&told), told.severity, &told.tenant, latency);
            self.tell(told, now);
            self.follow_calls(&alert.incident);
        }
    }

    pub(super) fn tell_all(&mut self, alerts: impl IntoIterator<Item = AlertV1>, now: DateTime<Utc>) {
        for alert in alerts {
            self.tell(alert, now);
        }
    }

    /// Takes an alert into the outbox, unless somebody has said that its incident is over.
    pub(super) fn tell(&mut self, alert: AlertV1, now: DateTime<Utc>) {
        let heard = self.people.hear(alert, now);
        if !heard.is_empty() {
            let mutes = self.people.mutes.for_routing();
            for (alert, audience) in heard {
                self.deliveries.outbox.add(alert, audience, now, &mutes);
            }
        }
    }

    /// Begins what is due.
    fn deliver(&mut self, now: DateTime<Utc>) {
        let Self { engine, people, conditions, deliveries, .. } = self;
        let site = |alert: &AlertV1| site(engine, &alert.tenant, now);
        deliveries.begin(now, site);
        // Who ends sends what is due; what fires is sent again by the next that starts.
        if self.stopping.is_none() {
            let is_open = |alert: &AlertV1| match &alert.about {
                AboutV1::Calls(incident) => people.cases.is_open(&incident.incident_id),
                AboutV1::Service(condition) => conditions.is_open(condition),
            };
            deliveries.begin_again(now, is_open, site);
        }
    }

    fn delivered(&mut self, attempt: &Attempt, now: DateTime<Utc>) {
        let result = match &attempt.outcome {
            Outcome::Delivered => DeliveryResult::Success,
            Outcome::Refused { .. } | Outcome::Gone { .. } => DeliveryResult::ClientError,
            Outcome::Retry { .. } => DeliveryResult::ServerError,
        };
        self.metrics.delivery(&attempt.notifier, result, attempt.took);
        let settled = self.deliveries.over(attempt, now);
        self.drilled(attempt, settled.as_ref(), now);
    }

    fn wait(&self, now: DateTime<Utc>) -> Duration {
        let due = self.deliveries.outbox.next_due();
        due.map_or(POLL, |due| due.signed_duration_since(now).to_std().unwrap_or_default().min(POLL))
    }

    fn status(&self) -> String {
        format!("{} sources, {} notifiers", self.sources.intakes.len(), self.deliveries.notifiers.len())
    }
}

pub(super) fn environment(name: &str) -> Option<String> {
    crate::language::environment(name)
}

/// The clock and the calendar of a tenant.
fn site(engine: &Engine, tenant: &str, now: DateTime<Utc>) -> Site {
    let calendar = engine.settings_of(tenant).calendar();
    let at = EventTime::from_micros(now.timestamp_micros());
    Site { zone: calendar.zone(), next_opening: calendar.next_opening(at) }
}
