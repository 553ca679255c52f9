//! The totals of the running windows.
use super::specs::{Length, WindowSpecs};
use crate::{CallStat, Totals};
use serde::{Deserialize, Serialize};

/// The totals of the windows that hold anything, by their index: most windows of a key hold nothing most of the time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RunningTotals(Vec<(u32, Totals)>);

impl RunningTotals {
    pub(super) fn of(&self, index: usize) -> Totals {
        self.find(index).ok().and_then(|at| self.0.get(at)).map(|(_, totals)| *totals).unwrap_or_default()
    }

    fn find(&self, index: usize) -> Result<usize, usize> {
        self.0.binary_search_by_key(&(index as u32), |(index, _)| *index)
    }

    pub(super) fn touch(&self) -> u64 {
        self.0.iter().step_by(2).fold(0, |sum, (_, totals)| sum.wrapping_add(totals.attempts))
    }

    /// Counts a call into one window.
    pub(super) fn add(&mut self, index: usize, call: &CallStat) {
        let at = self.find(index).unwrap_or_else(|at| {
            self.0.insert(at, (index as u32, Totals::default()));
            at
        });
        if let Some((_, totals)) = self.0.get_mut(at) {
            totals.add(call);
        }
    }

    /// Counts a call into all windows that want its traits, and shows each with its totals.
    pub(super) fn add_to_all(
        &mut self,
        specs: &WindowSpecs,
        call: &CallStat,
        mut show: impl FnMut(usize, &Totals),
    ) {
        let mut at = 0;
        for (index, _) in specs.iter().filter(|(_, spec)| call.traits.has(spec.traits)) {
            while self.0.get(at).is_some_and(|(other, _)| (*other as usize) < index) {
                at += 1;
            }
            if self.0.get(at).is_none_or(|(other, _)| *other as usize != index) {
                self.0.insert(at, (index as u32, Totals::default()));
            }
            if let Some((_, totals)) = self.0.get_mut(at) {
                totals.add(call);
                show(index, totals);
            }
        }
    }

    /// Takes a call out of one window.
    pub(super) fn subtract(&mut self, index: usize, call: &CallStat) {
        if let Ok(at) = self.find(index)
            && let Some((_, totals)) = self.0.get_mut(at)
        {
            totals.subtract(call);
        }
    }

    /// Takes a call out of the windows of a length.
    pub(super) fn subtract_all(&mut self, length: &Length, call: &CallStat) {
        for (index, _) in length.specs.iter().filter(|(_, traits)| call.traits.has(*traits)) {
            self.subtract(*index, call);
        }
    }

    /// Forgets the windows that hold nothing any more.
    pub(super) fn drop_empty(&mut self) {
        self.0.retain(|(_, totals)| *totals != Totals::default());
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
