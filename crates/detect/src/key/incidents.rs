//! The incidents of a key: opened, raised, followed, ended.
use super::finding::{Finding, Findings};
use super::{KeyState, LetOut, Now, Output, View};
use crate::engine::{Alert, AlertReason};
use crate::incident::{Incident, Severity};
use crate::rule::{Measure, Rule, Threshold};
use tollwatch_cdr::EventTime;
use tollwatch_numbering::Money;
use tollwatch_stats::CallStat;

impl KeyState {
    /// Opens, raises and follows incidents, and arms the key.
    pub(super) fn conclude(
        &mut self,
        call: &CallStat,
        findings: Findings,
        now: Now,
        view: View<'_>,
        out: &mut Output,
    ) {
        self.conclude_incidents(call, &findings.reached, now, view, out);
        let is_known = |times: &(EventTime, EventTime)| {
            self.armed.iter().any(|armed| armed.0 <= times.0 && armed.1 >= times.1)
        };
        let news: Vec<(EventTime, EventTime)> =
            findings.arm.into_iter().filter(|times| !is_known(times)).collect();
        // A rule that arms never waits for being armed itself, so this comes to an end.
        if !news.is_empty() {
            self.arm(&news, now, view, out);
        }
    }

    fn conclude_incidents(
        &mut self,
        call: &CallStat,
        findings: &[Finding],
        now: Now,
        view: View<'_>,
        out: &mut Output,
    ) {
        if findings.is_empty() {
            // Most calls bring nothing new: their incidents go on, and no more.
            for at in 0..self.incidents.len() {
                let reason = self.follow(at, call, None, None, now, view);
                self.tell(at, reason, now, out);
            }
            return;
        }
        let mut rules: Vec<usize> = findings.iter().map(|finding| finding.rule).collect();
        rules.extend(self.incidents.iter().map(|(_, incident)| incident.rule));
        rules.sort_unstable();
        rules.dedup();
        for rule in rules {
            let of_rule = || findings.iter().filter(|finding| finding.rule == rule);
            let at = self.incidents.iter().position(|(_, incident)| incident.rule == rule);
            // The worst finding speaks; the first threshold in the configuration where several are as bad.
            let worst = of_rule().copied().reduce(|a, b| if b.severity > a.severity { b } else { a });
            let from = of_rule().map(|finding| finding.window_from).min();
            let reason = match (at, worst, from) {
                (Some(at), worst, from) => self.follow(at, call, worst, from, now, view),
                (None, Some(worst), Some(from)) => {
                    self.open_incident(call, worst, from, now, view);
                    Some(AlertReason::Opened)
                }
                _ => None,
            };
            if reason.is_some() {
                let at = self.incidents.iter().position(|(_, incident)| incident.rule == rule);
                self.tell(at.unwrap_or(usize::MAX), reason, now, out);
            }
        }
    }

    /// Lets an alert out about an incident, if there is a reason for one.
    fn tell(&mut self, at: usize, reason: Option<AlertReason>, now: Now, out: &mut Output) {
        if let Some(reason) = reason
            && let Some((_, incident)) = self.incidents.get_mut(at)
        {
            incident.exposure_alerted = incident.exposure;
            let alert = Alert { reason, at: now.known_at, incident: Box::new(incident.clone()) };
            out.alerts.push((now.let_out, alert));
        }
    }

    fn open_incident(&mut self, call: &CallStat, worst: Finding, from: EventTime, now: Now, view: View<'_>) {
        let settings = view.settings;
        let Some(rule) = settings.rules.get(worst.rule) else { return };
        let mut incident = Incident {
            id: Incident::name(view.tenant, &rule.name, &self.scope, now.known_at),
            tenant: view.tenant.into(),
            rule: worst.rule,
            scope: self.scope.clone(),
            severity: worst.severity,
            window_from: from,
            first_call_at: call.first_at,
            opened_at: call.first_at,
            detected_at: now.known_at,
            critical_at: None,
            resolved_at: None,
            detected_on: now.on,
            trigger: worst.trigger,
            attempts: 0,
            answered: 0,
            billable_seconds: 0,
            exposure: Money::ZERO,
            exposure_at_detection: Money::ZERO,
            exposure_at_critical: None,
            exposure_alerted: Money::ZERO,
            destinations: std::collections::BTreeMap::new(),
            call_ids: Vec::new(),
            extensions: std::collections::BTreeSet::new(),
            folded_into: None,
        };
        for call in self.windows.calls() {
            if incident.holds(settings, call) {
                incident.add(call, view.names);
            }
        }
        incident.exposure_at_detection = incident.exposure;
        if worst.severity == Severity::Critical {
            incident.critical_at = Some(now.known_at);
            incident.exposure_at_critical = Some(incident.exposure);
        }
        // No incident is over before the call that opened it has left the windows; what comes later is seen then.
        let check = now.known_at.max(call.first_at).plus_seconds(rule.longest_window());
        self.incidents.push((check.max(now.soon()), incident));
    }

    /// An incident goes on: it may have grown worse.
    fn follow(
        &mut self,
        at: usize,
        call: &CallStat,
        worst: Option<Finding>,
        from: Option<EventTime>,
        now: Now,
        view: View<'_>,
    ) -> Option<AlertReason> {
        let settings = view.settings;
        let (_, incident) = self.incidents.get_mut(at)?;
        let rule = settings.rules.get(incident.rule)?;
        if !call.traits.has(rule.traits) {
            return None;
        }
        if let Some(from) = from.filter(|from| *from < incident.window_from) {
            let known = std::mem::replace(&mut incident.window_from, from);
            for older in self.windows.starting_in(from, known) {
                if incident.holds(settings, older) {
                    incident.add(older, view.names);
                }
            }
        }
        if worst.is_some_and(|worst| worst.severity > incident.severity) {
            incident.severity = Severity::Critical;
            incident.critical_at = Some(now.known_at);
            incident.exposure_at_critical = Some(incident.exposure);
            return Some(AlertReason::Escalated);
        }
        if incident.exposure_alerted == Money::ZERO {
            // It opened on the start of a call that had cost nothing yet: double of what it costs first.
            incident.exposure_alerted = incident.exposure;
            return None;
        }
        let doubled = incident.exposure_alerted.saturating_add(incident.exposure_alerted);
        (incident.exposure >= doubled).then_some(AlertReason::ExposureDoubled)
    }

    /// Ends the incidents whose value has been under half the threshold for a window length.
    pub(super) fn check_resolved(&mut self, due: EventTime, view: View<'_>, out: &mut Output) {
        let Some(at) = self.incidents.iter().position(|(check, _)| *check == due) else { return };
        let Some((_, incident)) = self.incidents.get(at) else { return };
        let Some(rule) = view.settings.rules.get(incident.rule) else { return };
        let over = rule
            .thresholds
            .iter()
            .map(|threshold| self.low_since(rule, threshold, due, view).plus_seconds(threshold.seconds))
            .max()
            .unwrap_or(due);
        if over > due {
            if let Some((check, _)) = self.incidents.get_mut(at) {
                *check = over;
            }
            return;
        }
        let (_, mut incident) = self.incidents.remove(at);
        incident.resolved_at = Some(due);
        out.alerts.push((
            LetOut::Clock(due),
            Alert { reason: AlertReason::Resolved, at: due, incident: Box::new(incident.clone()) },
        ));
        out.resolved.push(incident);
    }

    /// Since when the value is under half the threshold, if nothing more happens; the beginning of all time if it never
    /// was more in the calls that the rule remembers. While a call that counts goes on it is not low `now`.
    fn low_since(&self, rule: &Rule, threshold: &Threshold, now: EventTime, view: View<'_>) -> EventTime {
        let counts = |(started_at, call): &(EventTime, u64)| {
            self.windows.find(*started_at, *call).is_some_and(|call| call.traits.has(rule.traits))
        };
        if self.open.iter().any(counts) {
            return now;
        }
        let matching = self.windows.calls().iter().rev().filter(|call| call.traits.has(rule.traits));
        if matches!(rule.measure, Measure::ConcurrentCalls | Measure::LongestCall) {
            // What has no window is low once the last call is over.
            return matching.map(|call| call.ended_at).max().unwrap_or(EventTime::MIN);
        }
        // Rules with longer windows have the key remember more.
        let oldest = now.plus_seconds(-rule.longest_window() - view.settings.lateness_seconds);
        let half = threshold.lowest_alert().saturating_add(1) / 2;
        let mut value = 0_i64;
        for call in matching.take_while(|call| call.last_at > oldest) {
            value = value.saturating_add(match rule.measure {
                Measure::Attempts => i64::from(call.attempts),
                Measure::Answered => i64::from(call.answered),
                Measure::Failed => i64::from(call.failed),
                Measure::BillableTime => i64::from(call.billable_seconds),
                Measure::Exposure => call.cost.micros(),
                // What differs between calls, and ratios, are low once the last call has left the window.
                _ => half,
            });
            if value >= half {
                return call.last_at.plus_seconds(threshold.seconds);
            }
        }
        EventTime::MIN
    }
}
