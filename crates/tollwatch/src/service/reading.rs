//! From the sources to the engine: pieces of each, in the order in which their records came to be known.
use super::intake::{Intake, Kept};
use super::runner::{Event, Runner};
use crate::config::Followed;
use crate::language::Language;
use crate::scan::Quarantine;
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tollwatch_cdr::{EventTime, Record};
use tollwatch_detect::TenantId;
use tollwatch_source::Watch;

/// Time passes without records up to so long before the clock on the wall: what was known before has been read by then.
const HINDSIGHT: i64 = 30;
/// The quarantine is put aside when it is so large; the one before goes.
const QUARANTINE_BYTES: u64 = 256 * 1024 * 1024;

/// What is read, and how far.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) intakes: Vec<Intake>,
    /// Those that are followed no more, and whose positions the store is to let go.
    pub(super) gone: Vec<String>,
    /// None while it cannot be opened.
    pub(super) quarantine: Option<Quarantine>,
    /// What was last said of why rejected records are not kept.
    quarantine_error: Option<String>,
    /// Something was read that is not durable yet.
    pub(super) has_taken: bool,
    /// How often in a row nothing was found to be read.
    pub(super) dry_looks: u32,
    watch: Watch,
    waker: Waker,
}

/// Wakes the engine's thread.
#[derive(Clone, Debug)]
pub(super) struct Waker(SyncSender<Event>);

impl Waker {
    pub(super) fn new(sender: SyncSender<Event>) -> Self {
        Self(sender)
    }

    /// If no event can wait any more, it is awake.
    pub(super) fn wake(&self) {
        let _ = self.0.try_send(Event::Changed);
    }
}

impl Sources {
    pub(super) fn new(intakes: Vec<Intake>, gone: Vec<String>, waker: Waker) -> Self {
        let wake = waker.clone();
        Self {
            intakes,
            gone,
            quarantine: None,
            quarantine_error: None,
            has_taken: false,
            dry_looks: 0,
            watch: Watch::new(move || wake.wake()),
            waker,
        }
    }

    /// Writes what was rejected, and opens the quarantine where it is not, or has grown large. It is evidence for later: a
    /// disk that does not take it stops nothing, and is tried again at the next look.
    pub(super) fn tend_quarantine(&mut self, state: &Path, language: Language) {
        let kept = match &mut self.quarantine {
            Some(quarantine) => match quarantine.finish() {
                Ok(()) if quarantine.bytes() <= QUARANTINE_BYTES => Ok(()),
                Ok(()) => open_quarantine(state, language).map(|opened| *quarantine = opened),
                Err(error) => Err(error.into()),
            },
            None => open_quarantine(state, language).map(|opened| self.quarantine = Some(opened)),
        };
        let error = kept.err().map(|error| format!("{error:#}"));
        if let Some(error) = error.as_ref().filter(|_| error != self.quarantine_error) {
            tracing::error!(
                error,
                "records that cannot be read are counted, but not kept in quarantine.jsonl"
            );
        }
        self.quarantine_error = error;
    }

    /// Nothing is read for a while: how long the sources are quiet meanwhile says nothing of them.
    pub(super) fn pause(&mut self) {
        for intake in &mut self.intakes {
            intake.pulse.pause();
        }
    }

    /// A source of the configuration, which goes on where `kept` was, or begins.
    pub(super) fn intake(
        waker: &Waker,
        followed: &Followed,
        tenant: TenantId,
        kept: Option<Kept>,
        now: DateTime<Utc>,
    ) -> Intake {
        let waker = waker.clone();
        Intake::new(followed.clone(), tenant, kept, now, move || waker.wake())
    }

    pub(super) fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Asks the system to say when something changes. Where it does not, one looks more often.
    pub(super) fn watch(&mut self, now: DateTime<Utc>) {
        for intake in &mut self.intakes {
            // A directory that is made anew is another one.
            if intake.error.is_some() {
                intake.beat.lost();
            }
            if !intake.beat.wants_watch(now) {
                continue;
            }
            let Some((directory, prefix)) = intake.reader.watched() else {
                intake.beat.watched(true);
                continue;
            };
            let watched = self.watch.add(&directory, prefix, &intake.beat.bell);
            let is_news = intake.beat.watched(watched.is_ok());
            if let (Err(error), true) = (watched, is_news) {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(source = intake.name(), error, "changes are not heard of");
            }
        }
    }

    /// Those are followed no more.
    pub(super) fn let_go(&mut self, intakes: &[Intake]) {
        for intake in intakes {
            self.unwatch(intake);
        }
        self.gone.extend(intakes.iter().map(|intake| intake.name().to_owned()));
    }

    /// It is read in another way from now on.
    pub(super) fn unwatch(&mut self, intake: &Intake) {
        self.watch.remove(&intake.beat.bell);
    }

    /// How long there is nothing to do here if nothing is heard.
    pub(super) fn rest(&self, now: DateTime<Utc>) -> Duration {
        let rest = |intake: &Intake| intake.beat.rest(now, intake.reader.is_settling());
        self.intakes.iter().map(rest).min().unwrap_or(Duration::MAX)
    }

    /// All that was read is durable.
    pub(super) fn durable(&mut self) {
        self.has_taken = false;
        for intake in &mut self.intakes {
            if intake.reader.waits_for_durability() {
                intake.beat.bell.ring();
            }
            intake.reader.durable();
        }
    }

    /// Some source gives nothing more before what it gave is durable.
    pub(super) fn wait_for_durability(&self) -> bool {
        self.intakes.iter().any(|intake| intake.reader.waits_for_durability())
    }

    /// There is something that cannot be read yet.
    pub(super) fn are_waiting(&self) -> bool {
        self.intakes.iter().any(|intake| intake.reader.is_settling() || intake.reader.is_open_stream())
    }
}

impl Runner {
    /// Reads a piece of each source whose records have all had their turn, and gives records to the engine in the order
    /// in which they came to be known. Whether there was anything.
    pub(super) fn read(&mut self, now: DateTime<Utc>) -> bool {
        let mut progress = false;
        let wall = now.into();
        self.sources.watch(now);
        self.sources.watch.come();
        let always = self.startup.until_dry;
        let Sources { intakes, quarantine, .. } = &mut self.sources;
        for intake in intakes.iter_mut().filter(|intake| intake.next >= intake.queue.len()) {
            intake.queue.clear();
            intake.next = 0;
            if intake.is_due(now, always) {
                let offset = offset(intake, now);
                let found = intake.read(now, wall, offset, quarantine.as_mut());
                intake.beat.found(found);
                progress |= found;
            }
        }
        progress |= self.take_turns(true);
        self.sources.has_taken |= progress;
        progress
    }

    /// Gives records to the engine. With `refill`, stops where a source has more to come that may be earlier.
    pub(super) fn take_turns(&mut self, refill: bool) -> bool {
        let mut progress = false;
        let Self { sources: Sources { intakes, .. }, engine, .. } = self;
        loop {
            let waits = |intake: &Intake| intake.next >= intake.queue.len();
            if refill && intakes.iter().any(|intake| waits(intake) && !intake.is_dry) {
                return progress;
            }
            let turns = || {
                intakes.iter().enumerate().filter_map(|(index, intake)| {
                    let record = intake.queue.get(intake.next)?;
                    Some(crate::scan::turn_of(&record, index))
                })
            };
            let Some(first) = turns().min() else { return progress };
            let limit = turns().filter(|turn| turn.3 != first.3).min();
            let Some(intake) = intakes.get_mut(first.3) else { return progress };
            while let Some(record) = intake.queue.get(intake.next) {
                if limit.is_some_and(|limit| crate::scan::turn_of(&record, first.3) > limit) {
                    break;
                }
                let named = match record {
                    Record::Cdr(cdr) => cdr.tenant,
                    Record::CallEvent(event) => event.tenant,
                };
                let own = intake.tenant;
                let tenant = if named.is_empty() { own } else { engine.named_tenant(named).unwrap_or(own) };
                let observed = engine.observe(tenant, intake.followed.source.system, &record);
                intake.became.count(observed);
                intake.next += 1;
                progress = true;
            }
        }
    }

    /// While its PBX is quiet, a tenant's open calls go on and its incidents come to an end.
    pub(super) fn let_time_pass(&mut self, now: DateTime<Utc>) {
        let at = EventTime::from_micros(now.timestamp_micros()).plus_seconds(-HINDSIGHT);
        let mut tenants: Vec<(TenantId, bool)> = Vec::new();
        for intake in &self.sources.intakes {
            let may_pass = intake.live && intake.is_dry && intake.error.is_none();
            match tenants.iter_mut().find(|(tenant, _)| *tenant == intake.tenant) {
                Some((_, all)) => *all &= may_pass,
                None => tenants.push((intake.tenant, may_pass)),
            }
        }
        for (tenant, _) in tenants.into_iter().filter(|(_, may_pass)| *may_pass) {
            self.engine.advance(tenant, at);
        }
    }
}

/// Offset of a source's site from UTC, in seconds.
pub(super) fn offset(intake: &Intake, now: DateTime<Utc>) -> i64 {
    intake.zone().offset_at(EventTime::from_micros(now.timestamp_micros()))
}

/// The file of records that cannot be read. One that has grown large is put aside, and takes the place of the last such.
fn open_quarantine(state: &Path, language: Language) -> anyhow::Result<Quarantine> {
    let path = state.join("quarantine.jsonl");
    if path.metadata().is_ok_and(|file| file.len() > QUARANTINE_BYTES) {
        std::fs::rename(&path, state.join("quarantine.1.jsonl"))?;
    }
    // Rejected records hold numbers: they are for the operator only.
    let file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    let file = file.with_context(|| format!("cannot keep rejected records in {}", path.display()))?;
    Ok(Quarantine::new(&path, file, language))
}
