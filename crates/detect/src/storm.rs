//! Many extensions of one tenant at once: one case, not one for each.
use crate::counters::Counters;
use crate::engine::{Alert, AlertReason};
use crate::incident::{Incident, Severity, Trigger};
use crate::reconfigure::Renaming;
use crate::scope::{Scope, ScopeKind};
use crate::settings::Settings;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tollwatch_cdr::EventTime;
use tollwatch_numbering::Money;

/// The name of the rule in a storm's incident.
pub const STORM_RULE: &str = "storm";
/// A storm has no rule of the configuration.
pub(crate) const NO_RULE: usize = usize::MAX;
/// So many extensions are summed up and named, those that cost most; a storm is as bad as it gets long before.
const MOST_EXTENSIONS: usize = 1000;
/// Who has cost so many times what the extensions of a storm have on average stands apart from it. Where fewer than a
/// tenth are so much worse, each of them does; where more are, their charges double those of the storm, and it alerts.
const APART: i64 = 10;

/// Watches the alerts about single extensions. When so many of them have a critical incident within so long, a
/// storm begins: an incident of the tenant, whose alerts speak for all that belongs to it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Storms {
    /// Extensions with a critical incident of late, and since when.
    critical: VecDeque<(EventTime, Box<str>)>,
    /// Incidents of extensions that go on, as their last alert showed them.
    ongoing: BTreeMap<Box<str>, Seen>,
    current: Option<Storm>,
    /// Storms that are over.
    over: Vec<Storm>,
    /// Incidents in them.
    over_members: usize,
}

/// What an alert showed of an incident.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Seen {
    extension: Box<str>,
    first_call_at: EventTime,
    attempts: u64,
    answered: u64,
    billable_seconds: u64,
    exposure: Money,
    destinations: BTreeMap<u16, u64>,
}

/// A storm that goes on, or was.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Storm {
    incident: Incident,
    /// The incidents in it.
    members: BTreeSet<Box<str>>,
    /// The largest incident of each extension: those of one extension are about the same calls. Empty once it is over.
    parts: BTreeMap<Box<str>, Seen>,
    /// The same extensions, those that cost least first.
    ranks: BTreeSet<(Size, Box<str>)>,
    /// Extensions so much worse than the others that their own alerts go out too.
    apart: BTreeSet<Box<str>>,
}

/// Exposure, attempts, billable seconds: what makes one incident larger than another.
type Size = (Money, u64, u64);

impl Storms {
    /// Takes an alert of a key; hands on what goes out.
    pub(crate) fn take(
        &mut self,
        alert: Alert,
        settings: &Settings,
        counters: &mut Counters,
        alerts: &mut Vec<Alert>,
    ) {
        let incident = &alert.incident;
        if incident.scope.kind != ScopeKind::Extension {
            alerts.push(alert);
            return;
        }
        let (id, at) = (incident.id.clone(), alert.at);
        let seen = Seen::new(incident);
        if alert.reason == AlertReason::Resolved {
            self.ongoing.remove(&id);
        } else {
            self.ongoing.insert(id.clone(), seen.clone());
        }
        let Some(storm) = &mut self.current else {
            self.note_critical(&alert, settings);
            if self.critical.len() < settings.storm_extensions {
                alerts.push(alert);
            } else {
                counters.alerts_folded += 1;
                alerts.push(self.begin(&alert, settings, counters));
            }
            return;
        };
        let room = (settings.limits.incidents as usize).saturating_sub(self.over_members);
        storm.join(id, room, counters);
        counters.extensions_not_named += u64::from(!storm.add(&seen));
        if storm.stands_apart(&seen) {
            alerts.push(alert);
        } else {
            counters.alerts_folded += 1;
        }
        let doubled = storm.incident.exposure_alerted.saturating_add(storm.incident.exposure_alerted);
        if storm.incident.exposure_alerted == Money::ZERO {
            storm.incident.exposure_alerted = storm.incident.exposure;
        } else if storm.incident.exposure >= doubled {
            storm.incident.exposure_alerted = storm.incident.exposure;
            alerts.push(storm.alert(AlertReason::ExposureDoubled, at));
        }
        if self.ongoing.is_empty()
            && let Some(mut storm) = self.current.take()
        {
            storm.incident.resolved_at = Some(at);
            alerts.push(storm.alert(AlertReason::Resolved, at));
            self.critical.clear();
            if self.over.len() < settings.limits.incidents as usize {
                // All its incidents are over, and their last alerts have told all of them.
                (storm.parts, storm.ranks) = (BTreeMap::new(), BTreeSet::new());
                self.over_members += storm.members.len();
                self.over.push(storm);
            } else {
                counters.incidents_not_kept += 1;
            }
        }
    }

    fn note_critical(&mut self, alert: &Alert, settings: &Settings) {
        let incident = &alert.incident;
        let oldest = alert.at.plus_seconds(-settings.storm_seconds);
        self.critical.retain(|(since, _)| *since >= oldest);
        let extension = &incident.scope.value;
        if let Some(since) = incident.critical_at.filter(|since| *since >= oldest)
            && alert.reason != AlertReason::Resolved
            && !self.critical.iter().any(|(_, known)| known == extension)
        {
            self.critical.push_back((since, extension.clone()));
        }
    }

    /// A storm begins with the alert that makes it one.
    fn begin(&mut self, alert: &Alert, settings: &Settings, counters: &mut Counters) -> Alert {
        let last = &alert.incident;
        let belongs = |extension: &str| self.critical.iter().any(|(_, critical)| &**critical == extension);
        let scope = Scope { kind: ScopeKind::Tenant, value: last.tenant.clone() };
        let incident = Incident {
            id: Incident::name(&last.tenant, STORM_RULE, &scope, alert.at),
            rule: NO_RULE,
            scope,
            severity: Severity::Critical,
            window_from: alert.at.plus_seconds(-settings.storm_seconds),
            detected_at: alert.at,
            critical_at: Some(alert.at),
            resolved_at: None,
            trigger: Trigger { threshold: 0, value: self.critical.len() as i64, edge: last.trigger.edge },
            attempts: 0,
            answered: 0,
            billable_seconds: 0,
            exposure: Money::ZERO,
            destinations: BTreeMap::new(),
            extensions: BTreeSet::new(),
            ..(**last).clone()
        };
        let mut storm = Storm {
            incident,
            members: BTreeSet::new(),
            parts: BTreeMap::new(),
            ranks: BTreeSet::new(),
            apart: BTreeSet::new(),
        };
        let room = (settings.limits.incidents as usize).saturating_sub(self.over_members);
        for (id, seen) in self.ongoing.iter().filter(|(_, seen)| belongs(&seen.extension)) {
            storm.join(id.clone(), room, counters);
            counters.extensions_not_named += u64::from(!storm.add(seen));
        }
        let exposure = storm.incident.exposure;
        storm.incident.exposure_at_detection = exposure;
        storm.incident.exposure_at_critical = Some(exposure);
        storm.incident.exposure_alerted = exposure;
        let alert = storm.alert(AlertReason::Opened, alert.at);
        self.current = Some(storm);
        self.critical.clear();
        alert
    }

    /// Goes on under other rules.
    pub(crate) fn rename(&mut self, to: &Renaming<'_>) {
        self.ongoing.values_mut().for_each(|seen| to.rows.calls_by_row(&mut seen.destinations));
        for storm in self.over.iter_mut().chain(&mut self.current) {
            to.rows.calls_by_row(&mut storm.incident.destinations);
            storm.parts.values_mut().for_each(|seen| to.rows.calls_by_row(&mut seen.destinations));
        }
    }

    /// Marks what is folded into a storm.
    pub(crate) fn mark(&self, incidents: &mut [Incident]) {
        for storm in self.over.iter().chain(&self.current) {
            storm.mark(incidents, |_| {});
        }
    }

    /// The storms that are over, which are not kept any longer.
    pub(crate) fn take_over(&mut self) -> impl Iterator<Item = Incident> {
        std::mem::take(&mut self.over).into_iter().map(|storm| storm.incident)
    }

    /// Marks what is folded, and adds the storms, with what the members of one that goes on have come to since.
    pub(crate) fn fold_into(&self, incidents: &mut Vec<Incident>) {
        let mut folded: Vec<Incident> = Vec::new();
        for storm in &self.over {
            storm.mark(incidents, |_| {});
            folded.push(storm.incident.clone());
        }
        if let Some(storm) = &self.current {
            let mut sum = storm.clone();
            storm.mark(incidents, |incident| {
                sum.add(&Seen::new(incident));
            });
            folded.push(sum.incident);
        }
        incidents.append(&mut folded);
    }
}

impl Seen {
    fn new(incident: &Incident) -> Self {
        Self {
            extension: incident.scope.value.clone(),
            first_call_at: incident.first_call_at,
            attempts: incident.attempts,
            answered: incident.answered,
            billable_seconds: incident.billable_seconds,
            exposure: incident.exposure,
            destinations: incident.destinations.clone(),
        }
    }
    fn size(&self) -> Size {
        (self.exposure, self.attempts, self.billable_seconds)
    }
}

impl Storm {
    fn alert(&self, reason: AlertReason, at: EventTime) -> Alert {
        Alert { reason, at, incident: Box::new(self.incident.clone()) }
    }

    /// An incident belongs to it from now on, if there is `room` for so many.
    fn join(&mut self, id: Box<str>, room: usize, counters: &mut Counters) {
        if self.members.contains(&id) {
            return;
        }
        if self.members.len() < room {
            self.members.insert(id);
        } else {
            counters.incidents_not_folded += 1;
        }
    }

    /// Visits its incidents; those of extensions that do not stand apart are marked.
    fn mark(&self, incidents: &mut [Incident], mut visit: impl FnMut(&Incident)) {
        for incident in incidents.iter_mut().filter(|incident| self.members.contains(&incident.id)) {
            visit(incident);
            if !self.apart.contains(&incident.scope.value) {
                incident.folded_into = Some(self.incident.id.clone());
            }
        }
    }

    /// Whether an extension is so much worse than the others that its alerts go out too. Once it is, it stays so.
    fn stands_apart(&mut self, seen: &Seen) -> bool {
        let total = i128::from(self.incident.exposure.micros());
        let is_worse =
            i128::from(seen.exposure.micros()) * self.parts.len() as i128 >= i128::from(APART) * total;
        let has_place = self.apart.len() < MOST_EXTENSIONS && self.parts.contains_key(&seen.extension);
        if is_worse && has_place && seen.exposure > Money::ZERO {
            self.apart.insert(seen.extension.clone());
        }
        self.apart.contains(&seen.extension)
    }

    /// Takes in what is known of an incident, if it says more of its extension than was known before. Whether there is
    /// a place for each extension.
    fn add(&mut self, seen: &Seen) -> bool {
        let mut has_place = true;
        if let Some(known) = self.parts.get(&seen.extension) {
            if known.size() >= seen.size() {
                return true;
            }
            self.leave_out(&seen.extension);
        } else if self.parts.len() >= MOST_EXTENSIONS {
            has_place = false;
            let Some(least) = self.ranks.first().filter(|least| least.0 < seen.size()) else { return false };
            let extension = least.1.clone();
            self.leave_out(&extension);
        }
        let sum = &mut self.incident;
        sum.attempts = sum.attempts.saturating_add(seen.attempts);
        sum.answered = sum.answered.saturating_add(seen.answered);
        sum.billable_seconds = sum.billable_seconds.saturating_add(seen.billable_seconds);
        sum.exposure = sum.exposure.saturating_add(seen.exposure);
        sum.first_call_at = sum.first_call_at.min(seen.first_call_at);
        for (destination, calls) in &seen.destinations {
            let sum = sum.destinations.entry(*destination).or_default();
            *sum = sum.saturating_add(*calls);
        }
        sum.extensions.insert(seen.extension.clone());
        self.ranks.insert((seen.size(), seen.extension.clone()));
        self.parts.insert(seen.extension.clone(), seen.clone());
        has_place
    }

    /// Takes an extension out of the sum and the list.
    fn leave_out(&mut self, extension: &str) {
        let Some(known) = self.parts.remove(extension) else { return };
        self.ranks.remove(&(known.size(), known.extension.clone()));
        let sum = &mut self.incident;
        sum.attempts = sum.attempts.saturating_sub(known.attempts);
        sum.answered = sum.answered.saturating_sub(known.answered);
        sum.billable_seconds = sum.billable_seconds.saturating_sub(known.billable_seconds);
        sum.exposure = sum.exposure.saturating_sub(known.exposure);
        for (destination, calls) in &known.destinations {
            let sum = sum.destinations.entry(*destination).or_default();
            *sum = sum.saturating_sub(*calls);
        }
        sum.destinations.retain(|_, calls| *calls > 0);
        sum.extensions.remove(extension);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::DetectedOn;
    use proptest::prelude::*;

    fn storm() -> Storm {
        let at = EventTime::from_seconds(0);
        let incident = Incident {
            id: "inc-0".into(),
            tenant: "default".into(),
            rule: NO_RULE,
            scope: Scope { kind: ScopeKind::Tenant, value: "default".into() },
            severity: Severity::Critical,
            window_from: at,
            first_call_at: at,
            opened_at: at,
            detected_at: at,
            critical_at: None,
            resolved_at: None,
            detected_on: DetectedOn::Cdr,
            trigger: Trigger { threshold: 0, value: 0, edge: at },
            attempts: 0,
            answered: 0,
            billable_seconds: 0,
            exposure: Money::ZERO,
            exposure_at_detection: Money::ZERO,
            exposure_at_critical: None,
            exposure_alerted: Money::ZERO,
            destinations: BTreeMap::new(),
            call_ids: Vec::new(),
            extensions: BTreeSet::new(),
            folded_into: None,
        };
        Storm {
            incident,
            members: BTreeSet::new(),
            parts: BTreeMap::new(),
            ranks: BTreeSet::new(),
            apart: BTreeSet::new(),
        }
    }

    fn seen(extension: u32, yen: i64) -> Seen {
        Seen {
            extension: extension.to_string().into(),
            first_call_at: EventTime::from_seconds(0),
            attempts: 1,
            answered: 1,
            billable_seconds: 60,
            exposure: Money::from_units(yen),
            destinations: BTreeMap::from([((extension % 3) as u16, 1)]),
        }
    }

    #[test]
    fn who_costs_most_is_named_however_late_it_comes() {
        let mut storm = storm();
        for extension in 0..MOST_EXTENSIONS as u32 {
            assert!(storm.add(&seen(extension, 100)));
            assert!(!storm.stands_apart(&seen(extension, 100)), "all are alike");
        }
        assert!(!storm.add(&seen(5000, 100)), "no more than the others, and too late");
        assert!(!storm.incident.extensions.contains("5000"));
        assert!(!storm.add(&seen(9105, 900)), "it takes the place of another");
        assert!(storm.incident.extensions.contains("9105"));
        assert!(!storm.stands_apart(&seen(9105, 900)));
        assert!(storm.add(&seen(9105, 1100)));
        assert!(storm.stands_apart(&seen(9105, 1100)));
        assert!(storm.stands_apart(&seen(9105, 50)), "it stays so, in its other incidents too");
        assert_eq!(storm.incident.exposure, Money::from_units(999 * 100 + 1100));
    }

    #[test]
    fn where_a_tenth_is_much_worse_nobody_stands_apart_and_the_sum_has_doubled() {
        let mut storm = storm();
        for extension in 0..100 {
            storm.add(&seen(extension, 100));
        }
        let before = storm.incident.exposure;
        let apart = (0..12).filter(|extension| {
            storm.add(&seen(1000 + extension, 2000)) && storm.stands_apart(&seen(1000 + extension, 2000))
        });
        assert!(apart.count() < 12);
        assert!(storm.incident.exposure >= before.saturating_add(before));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_sum_is_that_of_the_extensions_named_and_these_are_the_largest(
            alerts in proptest::collection::vec((0u32..1500, 1i64..1000), 1..4000),
        ) {
            let mut storm = storm();
            for (extension, yen) in &alerts {
                storm.add(&seen(*extension, *yen));
            }
            let incident = &storm.incident;
            let sum = storm.parts.values().fold(Money::ZERO, |sum, part| sum.saturating_add(part.exposure));
            prop_assert_eq!(incident.exposure, sum);
            prop_assert_eq!(incident.attempts, storm.parts.len() as u64);
            prop_assert_eq!(incident.destinations.values().sum::<u64>(), storm.parts.len() as u64);
            prop_assert!(incident.extensions.iter().eq(storm.parts.keys()));
            prop_assert_eq!(storm.ranks.len(), storm.parts.len());
            // By the largest alert of each extension, the thousand largest.
            let mut largest: BTreeMap<u32, i64> = BTreeMap::new();
            for (extension, yen) in alerts {
                let known = largest.entry(extension).or_default();
                *known = yen.max(*known);
            }
            let mut expected: Vec<i64> = largest.into_values().collect();
            expected.sort_unstable_by(|a, b| b.cmp(a));
            expected.truncate(MOST_EXTENSIONS);
            let mut named: Vec<i64> = storm.parts.values().map(|part| part.exposure.micros() / 1_000_000).collect();
            named.sort_unstable_by(|a, b| b.cmp(a));
            prop_assert_eq!(named, expected);
        }
    }
}
