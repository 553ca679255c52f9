//! How many different numbers, countries, ranges or extensions the calls of one window have.
use crate::{CallStat, Search, Windows};
use std::ops::ControlFlow;
use tollwatch_cdr::EventTime;

impl Windows {
    /// Shows `visit` every window that holds `call` and has at least `search.least` different values of an attribute
    /// among its calls: how many, and the window's right edge, oldest first. A call without a value is not counted.
    ///
    /// `value` names the attribute: [`CallStat::called_number`], [`CallStat::range`], [`CallStat::placed_by`], or a
    /// country by a function of the caller. `among` says which calls are comparable with the one at hand: all of
    /// them, or those to the same destination, country or range.
    ///
    /// Costs n log n steps for the n calls, 8,192 at most, that can share a window with `call`. Calls further from
    /// it, and calls of a hot key that were folded into panes, are not seen.
    pub fn visit_distinct<V: Ord>(
        &self,
        call: &CallStat,
        search: Search,
        among: impl Fn(&CallStat) -> bool,
        value: impl Fn(&CallStat) -> Option<V>,
        visit: &mut impl FnMut(u64, EventTime),
    ) {
        let comparable = || self.near(call.first_at, search).filter(|other| !other.is_pane() && among(other));
        // No window has more than all of them together.
        if distinct_upto(comparable().filter_map(&value), search.least) < search.least {
            return;
        }
        let near: Vec<(EventTime, Option<V>)> =
            comparable().map(|other| (other.first_at, value(other))).collect();
        let mut inside = Inside::new(near.iter().filter_map(|(_, value)| value.as_ref()));
        let mut left = near.iter().peekable();
        for (index, (edge, value)) in near.iter().enumerate() {
            inside.enter(value.as_ref());
            while let Some((_, old)) = left.next_if(|(at, _)| *at <= edge.plus_seconds(-search.seconds)) {
                inside.leave(old.as_ref());
            }
            // Calls that start together are one edge, and it is the last of them that has them all.
            let is_edge = near.get(index + 1).is_none_or(|(next, _)| next != edge);
            if *edge >= call.first_at && is_edge && inside.distinct >= search.least {
                visit(inside.distinct, *edge);
            }
        }
    }

    /// The same with the calls to the range that `call` went to; nothing if nobody could read its number. Costs a step
    /// for each call, 8,192 at most, that can share a window with it.
    pub fn visit_calls_in_range(
        &self,
        call: &CallStat,
        search: Search,
        visit: &mut impl FnMut(u64, EventTime),
    ) {
        let Some(range) = call.range() else { return };
        let inside = || self.near(call.first_at, search).filter(|other| other.range() == Some(range));
        let mut left = inside().peekable();
        let mut calls = 0;
        let mut edges = inside().peekable();
        while let Some(edge) = edges.next() {
            calls += 1;
            let begin = edge.first_at.plus_seconds(-search.seconds);
            while left.next_if(|old| old.first_at <= begin).is_some() {
                calls -= 1;
            }
            let is_edge = edges.peek().is_none_or(|next| next.first_at != edge.first_at);
            if edge.first_at >= call.first_at && is_edge && calls >= search.least {
                visit(calls, edge.first_at);
            }
        }
    }

    /// The same with the different numbers of the range that `call` went to; nothing if nobody could read its number.
    /// Cost and bounds as [`Windows::visit_distinct`].
    pub fn visit_neighbours(&self, call: &CallStat, search: Search, visit: &mut impl FnMut(u64, EventTime)) {
        let Some(range) = call.range() else { return };
        let same_range = |other: &CallStat| other.range() == Some(range);
        self.visit_distinct(call, search, same_range, CallStat::called_number, visit);
    }
}

/// So many values are looked for one by one.
const FEW: usize = 32;

/// How many different values there are, counted up to `enough`. Small numbers are all that is asked for, so a list
/// will do.
fn distinct_upto<V: PartialEq>(mut values: impl Iterator<Item = V>, enough: u64) -> u64 {
    if enough > FEW as u64 {
        return enough;
    }
    let mut seen = [const { None }; FEW];
    let mut count = 0;
    let all = values.try_for_each(|value| {
        let known = seen.get(..count).unwrap_or_default();
        if !known.iter().any(|known| known.as_ref() == Some(&value)) {
            if let Some(place) = seen.get_mut(count) {
                *place = Some(value);
            }
            count += 1;
        }
        if (count as u64) < enough { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    if all.is_break() { enough } else { count as u64 }
}

/// The different values of a window's calls, with the number of calls that have each.
struct Inside<'a, V> {
    /// Every value that can come, in order.
    calls: Vec<(&'a V, u32)>,
    /// How many of them have a call.
    distinct: u64,
}

impl<'a, V: Ord> Inside<'a, V> {
    fn new(values: impl Iterator<Item = &'a V>) -> Self {
        let mut calls: Vec<(&V, u32)> = values.map(|value| (value, 0)).collect();
        calls.sort_unstable();
        calls.dedup();
        Self { calls, distinct: 0 }
    }
    fn calls_of(&mut self, value: Option<&V>) -> Option<&mut u32> {
        let at = self.calls.binary_search_by_key(&value?, |(known, _)| known).ok()?;
        self.calls.get_mut(at).map(|(_, calls)| calls)
    }
    fn enter(&mut self, value: Option<&V>) {
        if let Some(calls) = self.calls_of(value) {
            *calls += 1;
            self.distinct += u64::from(*calls == 1);
        }
    }
    fn leave(&mut self, value: Option<&V>) {
        if let Some(calls) = self.calls_of(value) {
            *calls -= 1;
            self.distinct -= u64::from(*calls == 0);
        }
    }
}
