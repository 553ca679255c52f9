//! Calls that wait for another record to say who is charged.
use crate::booking::NewCall;
use crate::incident::DetectedOn;
use crate::key::Step;
use crate::ledger::LegKey;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tollwatch_cdr::EventTime;
use tollwatch_stats::CallStat;

/// A watched call whose diverting extension another record still has to name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// From this event time on it is charged to nobody but its trunk.
    pub until: EventTime,
    pub call: NewCall<'static>,
    /// What happened to it since, in order.
    pub later: Vec<(EventTime, DetectedOn, Step)>,
}

/// The calls that wait, by the number of the record that told of each: no record tells of two.
///
/// Nothing here is limited, since time is: who takes calls out once so many records have been read has no more of
/// them than these records told of, and no more of what happened to them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct WaitingCalls {
    calls: BTreeMap<u64, (LegKey, Waiting)>,
    by_awaited: BTreeSet<(LegKey, u64)>,
    by_leg: BTreeSet<(LegKey, u64)>,
    by_end: BTreeSet<(EventTime, u64)>,
}

impl WaitingCalls {
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Changes what is known of each call.
    pub(crate) fn each_call(&mut self, mut change: impl FnMut(&mut CallStat)) {
        self.calls.values_mut().for_each(|(_, waiting)| change(&mut waiting.call.stat));
    }

    /// A call waits for a record about `awaited`: a channel, or a number that somebody dialled.
    pub(crate) fn put(&mut self, awaited: LegKey, waiting: Waiting) {
        let seq = waiting.call.seq;
        self.by_awaited.insert((awaited, seq));
        self.by_leg.insert((waiting.call.leg, seq));
        self.by_end.insert((waiting.until, seq));
        self.calls.insert(seq, (awaited, waiting));
    }

    /// Something more happened to the call that `leg` made and that began at `started_at`, if it waits.
    pub(crate) fn follow(&mut self, leg: LegKey, started_at: EventTime, what: (EventTime, DetectedOn, Step)) {
        let of_leg = self.by_leg.range((leg, 0)..=(leg, u64::MAX)).map(|(_, seq)| *seq);
        let is_it = |seq: &u64| {
            self.calls.get(seq).is_some_and(|(_, waiting)| waiting.call.stat.first_at == started_at)
        };
        let found = of_leg.into_iter().find(is_it);
        if let Some((_, waiting)) = found.and_then(|seq| self.calls.get_mut(&seq)) {
            waiting.later.push(what);
        }
    }

    /// Takes out the calls that wait for `awaited` and of which `is_known` says that this tells enough, in the order
    /// in which they came.
    pub(crate) fn take_awaiting(
        &mut self,
        awaited: LegKey,
        is_known: impl Fn(&Waiting) -> bool,
    ) -> Vec<Waiting> {
        let range = self.by_awaited.range((awaited, 0)..=(awaited, u64::MAX));
        let seqs: Vec<u64> = range
            .map(|(_, seq)| *seq)
            .filter(|seq| self.calls.get(seq).is_some_and(|(_, waiting)| is_known(waiting)))
            .collect();
        seqs.into_iter().filter_map(|seq| self.remove(seq)).collect()
    }

    /// Takes out the calls that have waited until `clock`, or came before the record `oldest`, in the order in which
    /// they came.
    pub(crate) fn take_due(&mut self, clock: EventTime, oldest: u64) -> Vec<Waiting> {
        let ended = self.by_end.iter().take_while(|(until, _)| *until <= clock).map(|(_, seq)| *seq);
        let seqs: BTreeSet<u64> = ended.chain(self.calls.range(..oldest).map(|(seq, _)| *seq)).collect();
        seqs.into_iter().filter_map(|seq| self.remove(seq)).collect()
    }

    fn remove(&mut self, seq: u64) -> Option<Waiting> {
        let (awaited, waiting) = self.calls.remove(&seq)?;
        self.by_awaited.remove(&(awaited, seq));
        self.by_leg.remove(&(waiting.call.leg, seq));
        self.by_end.remove(&(waiting.until, seq));
        Some(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::borrow::Cow;
    use tollwatch_numbering::Money;
    use tollwatch_stats::{CallId, Traits};

    fn call(seq: u64, leg: u8, started_at: i64) -> NewCall<'static> {
        let at = EventTime::from_seconds(started_at);
        let stat = CallStat {
            first_at: at,
            last_at: at,
            ended_at: at,
            call: u64::from(leg) + 1,
            call_id: CallId::default(),
            number: 0,
            extension: 0,
            destination: 0,
            country: 0,
            traits: Traits::ANY,
            attempts: 1,
            answered: 0,
            failed: 1,
            billable_seconds: 0,
            cost: Money::ZERO,
        };
        let empty = Cow::default;
        NewCall {
            leg: key(leg),
            trunk: empty(),
            account: empty(),
            source_address: empty(),
            seq,
            known_at: at,
            stat,
        }
    }

    fn key(name: u8) -> LegKey {
        LegKey::new(0, &[name])
    }

    fn answered(seq: u64) -> (EventTime, DetectedOn, Step) {
        let at = EventTime::from_seconds(seq as i64);
        (at, DetectedOn::InProgress, Step::Answered { started_at: at, call: seq })
    }

    /// Number and what happened since, of calls that were taken out.
    fn told(taken: &[Waiting]) -> Vec<(u64, usize)> {
        taken.iter().map(|waiting| (waiting.call.seq, waiting.later.len())).collect()
    }

    proptest! {
        #[test]
        fn calls_are_found_and_taken_out_as_by_looking_at_all_of_them(
            steps in proptest::collection::vec((0u8..5, 0u8..4, 0u8..4, 0i64..4, 0i64..40), 1..200),
        ) {
            let mut waiting = WaitingCalls::default();
            let mut all: Vec<(u8, Waiting)> = Vec::new();
            for (seq, (what, awaited, leg, started_at, until)) in (1..).zip(steps) {
                let end = EventTime::from_seconds(until);
                match what {
                    0 | 1 => {
                        let new = Waiting { until: end, call: call(seq, leg, started_at), later: Vec::new() };
                        all.push((awaited, new.clone()));
                        waiting.put(key(awaited), new);
                    }
                    2 => {
                        let at = EventTime::from_seconds(started_at);
                        let is_it = |call: &NewCall<'_>| call.leg == key(leg) && call.stat.first_at == at;
                        if let Some((_, found)) = all.iter_mut().find(|(_, waiting)| is_it(&waiting.call)) {
                            found.later.push(answered(seq));
                        }
                        waiting.follow(key(leg), at, answered(seq));
                    }
                    3 => {
                        let is_known = |waiting: &Waiting| waiting.call.stat.first_at.seconds() <= started_at;
                        let expected: Vec<Waiting> =
                            all.extract_if(.., |(a, w)| *a == awaited && is_known(w)).map(|(_, w)| w).collect();
                        prop_assert_eq!(told(&waiting.take_awaiting(key(awaited), is_known)), told(&expected));
                    }
                    _ => {
                        let oldest = seq.saturating_sub(20);
                        let is_due = |w: &Waiting| w.until.seconds() <= until / 2 || w.call.seq < oldest;
                        let expected: Vec<Waiting> =
                            all.extract_if(.., |(_, w)| is_due(w)).map(|(_, w)| w).collect();
                        let clock = EventTime::from_seconds(until / 2);
                        prop_assert_eq!(told(&waiting.take_due(clock, oldest)), told(&expected));
                    }
                }
                prop_assert_eq!(waiting.is_empty(), all.is_empty());
            }
            let rest: Vec<Waiting> = all.into_iter().map(|(_, waiting)| waiting).collect();
            prop_assert_eq!(told(&waiting.take_due(EventTime::MAX, 0)), told(&rest));
            prop_assert!(waiting.by_awaited.is_empty() && waiting.by_leg.is_empty() && waiting.by_end.is_empty());
        }
    }
}
