//! How many different numbers a key called in one range.
use crate::{Traits, Windows};
use tollwatch_cdr::EventTime;

/// More edges or calls than this are not looked through; a key that has them is alarmed for their number.
const MOST_STEPS: usize = 2048;

impl Windows {
    /// The most different numbers of one destination in any window of `seconds` that holds the call started
    /// at `started_at`, counted up to `enough`, with the right edge of that window. Calls folded into panes
    /// are not seen.
    pub fn most_distinct_numbers(
        &self,
        traits: Traits,
        destination: u16,
        started_at: EventTime,
        seconds: i64,
        enough: usize,
    ) -> (u64, EventTime) {
        let from = started_at.plus_seconds(-seconds);
        let until = started_at.plus_seconds(seconds);
        let begin = self.calls().partition_point(|call| call.first_at <= from);
        let near: Vec<(EventTime, u64)> = self
            .calls()
            .range(begin..)
            .take_while(|call| call.first_at < until)
            .filter(|call| !call.is_pane() && call.destination == destination && call.traits.has(traits))
            .map(|call| (call.first_at, call.number))
            .take(MOST_STEPS)
            .collect();
        let mut best = (0, started_at);
        let mut tail = 0;
        let mut inside: Vec<(u64, u32)> = Vec::new();
        for (index, &(edge, number)) in near.iter().enumerate() {
            count(&mut inside, number, true);
            while let Some(&(at, old)) = near.get(tail).filter(|(at, _)| *at <= edge.plus_seconds(-seconds)) {
                let _ = at;
                count(&mut inside, old, false);
                tail += 1;
            }
            let last_of_edge = near.get(index + 1).is_none_or(|(next, _)| *next != edge);
            if edge >= started_at && last_of_edge && inside.len() as u64 > best.0 {
                best = (inside.len() as u64, edge);
                if inside.len() >= enough {
                    break;
                }
            }
        }
        best
    }
}

/// Adds or takes away one call to `number` in a sorted list of numbers with their calls.
fn count(inside: &mut Vec<(u64, u32)>, number: u64, add: bool) {
    match (inside.binary_search_by_key(&number, |(n, _)| *n), add) {
        (Ok(at), true) => {
            if let Some((_, calls)) = inside.get_mut(at) {
                *calls = calls.saturating_add(1);
            }
        }
        (Err(at), true) => inside.insert(at, (number, 1)),
        (Ok(at), false) => {
            let gone = inside.get_mut(at).is_some_and(|(_, calls)| {
                *calls = calls.saturating_sub(1);
                *calls == 0
            });
            if gone {
                inside.remove(at);
            }
        }
        (Err(_), false) => {}
    }
}
