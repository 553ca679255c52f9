//! From the sources to the engine: pieces of each, in the order in which their records came to be known.
use super::intake::Intake;
use super::runner::Runner;
use crate::language::Language;
use crate::scan::Quarantine;
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use tollwatch_cdr::{EventTime, Record};
use tollwatch_detect::TenantId;

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
}

impl Sources {
    pub(super) fn new(intakes: Vec<Intake>, gone: Vec<String>) -> Self {
        Self { intakes, gone, quarantine: None, quarantine_error: None, has_taken: false, dry_looks: 0 }
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
}

impl Runner {
    /// Reads a piece of each source whose records have all had their turn, and gives records to the engine in the order
    /// in which they came to be known. Whether there was anything.
    pub(super) fn read(&mut self, now: DateTime<Utc>) -> bool {
        let mut progress = false;
        let wall = now.into();
        let Sources { intakes, quarantine, .. } = &mut self.sources;
        for intake in intakes.iter_mut().filter(|intake| intake.next >= intake.queue.len()) {
            intake.queue.clear();
            intake.next = 0;
            let offset = offset(intake, now);
            progress |= intake.read(now, wall, offset, quarantine.as_mut());
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
