//! Which file on disk is which, after something has changed.
//!
//! One rule: each file that was used is found by what was used of it; whatever is younger than the youngest of these
//! was not read, and is read from its beginning, oldest first.
use super::Follow;
use super::part::{Part, State};
use super::siblings::{Content, Sibling, Siblings};
use crate::mark::Mark;
use crate::{FileNumber, SourceError};
use std::ops::Range;

/// A part whose file is to be found.
struct Search {
    index: usize,
    mark: Mark,
    state: State,
    /// Behind the mark there is more.
    more: bool,
}

impl Follow {
    pub(super) fn reconcile(&mut self) -> Result<(), SourceError> {
        let siblings = Siblings::list(&self.path, self.options.archive.as_deref())?;
        if self.parts.is_empty() {
            self.begin_after_what_was_there(&siblings);
        }
        let mut places = vec![None; self.parts.len()];
        let mut searches = self.searches(&siblings, &mut places)?;
        let failed = |source| SourceError::Open { path: self.path.clone(), source };
        // Who has more of a file fits fewer.
        searches.sort_by_key(|search| std::cmp::Reverse(search.mark.offset));
        for search in &mut searches {
            if places.get(search.index) == Some(&None) {
                let range = between(search.index, &places);
                let found =
                    siblings.find(&search.mark, search.state == State::Cut, false, range).map_err(failed)?;
                put(&mut places, search, found);
            }
        }
        // What was open and is in doubt is where its file is now, or where that was copied to before it was cut.
        for search in searches.iter_mut().filter(|search| matches!(search.state, State::Doubtful(_))) {
            let place = places.get(search.index).copied().flatten();
            let Some((place, sibling)) = place.and_then(|place| Some((place, siblings.get(place)?))) else {
                continue;
            };
            let Some(part) = self.parts.get(search.index) else { continue };
            let mark = Mark { identity: sibling.identity, ..part.mark };
            let range = between(search.index, &places).start..place + 1;
            let found = siblings.find(&mark, false, true, range).map_err(failed)?;
            put(&mut places, search, found);
        }
        for search in &searches {
            let place = places.get(search.index).copied().flatten();
            self.go_on(&siblings, search, place)?;
        }
        self.begin_unread(&siblings, &places, &searches)?;
        self.drop_lost(&searches, &places);
        // The one that has the name comes last.
        let log = self.log;
        self.parts.sort_by_key(|part| !part.mark.over && Some(part.mark.identity) == log);
        self.forget();
        Ok(())
    }

    /// When a log is followed for the first time, what was rotated away before is as good as read.
    fn begin_after_what_was_there(&mut self, siblings: &Siblings) {
        let Some(sibling) = siblings.newest_generation() else { return };
        self.used_until = sibling.seen.modified;
        if let Ok(mark) = sibling.over() {
            self.parts.push(Part::restored(FileNumber::take(&mut self.next), &sibling.path, mark));
        }
    }

    /// Gives the places of files that are open, and what else is to be found.
    fn searches(
        &mut self,
        siblings: &Siblings,
        places: &mut [Option<usize>],
    ) -> Result<Vec<Search>, SourceError> {
        let mut searches = Vec::new();
        for (index, (part, place)) in self.parts.iter_mut().zip(places).enumerate() {
            let named = siblings.position(part.mark.identity);
            let state = part.check()?;
            let mark = match (state, named) {
                (State::Cut, _) => {
                    part.content = Content::Sought;
                    self.counters.truncations += 1;
                    Some(part.mark)
                }
                (State::Doubtful(_), Some(_)) => Some(part.mark),
                (State::Same, Some(_)) => None,
                // Its name is gone, and maybe its content lies elsewhere, compressed.
                (State::Same | State::Doubtful(_), None) => part.end(),
                (State::Closed, _) => part.is_sought().then_some(part.mark),
            };
            *place = named.filter(|_| !part.is_sought());
            searches.extend(mark.map(|mark| Search { index, mark, state, more: false }));
        }
        Ok(searches)
    }

    /// Goes on with a part in the file that was found for it.
    fn go_on(
        &mut self,
        siblings: &Siblings,
        search: &Search,
        place: Option<usize>,
    ) -> Result<(), SourceError> {
        let Some(part) = self.parts.get_mut(search.index) else { return Ok(()) };
        let is_open = !part.is_sought();
        let sibling = place.and_then(|place| siblings.get(place));
        let same = sibling.is_some_and(|sibling| sibling.identity == part.mark.identity);
        // Without another place, what is left in it can be read as long as it is open.
        if is_open && (same || sibling.is_none()) {
            if let State::Doubtful(seen) = search.state {
                part.saw(seen);
            }
            return Ok(());
        }
        let Some(sibling) = sibling else { return Ok(()) };
        if search.state == State::Cut && same {
            self.counters.lost_bytes_suspected += part.lag();
        }
        self.counters.truncations += u64::from(is_open && siblings.position(part.mark.identity).is_some());
        let grows = search.more || sibling.is_log;
        let open = |source| SourceError::Open { path: sibling.path.clone(), source };
        part.found(sibling, grows).map_err(open)
    }

    /// Begins what is younger than all that was used.
    fn begin_unread(
        &mut self,
        siblings: &Siblings,
        places: &[Option<usize>],
        searches: &[Search],
    ) -> Result<(), SourceError> {
        let anchor = places.iter().flatten().max();
        let placed: Vec<&Sibling> =
            places.iter().flatten().filter_map(|&place| siblings.get(place)).collect();
        let mut generation = None;
        for (place, sibling) in siblings.enumerated() {
            let younger = anchor.map_or(sibling.seen.modified > self.used_until, |&anchor| place > anchor);
            let known =
                |it: &&Sibling| it.identity == sibling.identity || it.generation == sibling.generation;
            if sibling.is_log {
                if !placed.iter().any(|it| it.identity == sibling.identity) {
                    let last = places.len().checked_sub(1).and_then(|last| self.parts.get(last));
                    let removed = places.last() == Some(&None) && last.is_some_and(|part| !part.is_sought());
                    self.counters.reopened += u64::from(removed);
                    self.begin(sibling)?;
                }
            } else if sibling.generation.is_some()
                && sibling.generation != generation
                && younger
                && !placed.iter().any(known)
                && !self.is_copy(sibling, searches)
            {
                generation.clone_from(&sibling.generation);
                self.counters.vanished += u64::from(self.begin(sibling).is_err());
            }
        }
        Ok(())
    }

    /// Copied from a file that was cut after we had read more than the copy holds.
    fn is_copy(&self, sibling: &Sibling, searches: &[Search]) -> bool {
        let cut = searches.iter().filter(|search| search.state == State::Cut);
        let mut cut = cut.filter_map(|search| self.parts.get(search.index)).filter(|part| part.is_sought());
        cut.any(|part| sibling.end().is_ok_and(|(length, end)| part.has_been(length, &end)))
    }

    fn begin(&mut self, sibling: &Sibling) -> Result<(), SourceError> {
        let path = &sibling.path;
        let file = sibling.open().map_err(|source| SourceError::Open { path: path.clone(), source })?;
        let part = Part::begin(FileNumber::take(&mut self.next), path, file)?;
        self.counters.rotations += u64::from(std::mem::replace(&mut self.began, true));
        self.parts.push(part);
        Ok(())
    }

    /// Lets go of what is nowhere any more.
    fn drop_lost(&mut self, searches: &[Search], places: &[Option<usize>]) {
        let mut lost = Vec::new();
        for search in searches.iter().filter(|search| places.get(search.index) == Some(&None)) {
            let Some(part) = self.parts.get(search.index) else { continue };
            if part.mark.over || !part.is_sought() {
                continue;
            }
            // While the log is away, the rest may be.
            if search.state == State::Cut || self.log.is_some() {
                self.counters.vanished += u64::from(search.state != State::Cut && part.mark.offset > 0);
                self.counters.lost_bytes_suspected += part.lag();
                lost.push(part.number);
            }
        }
        self.parts.retain(|part| !lost.contains(&part.number));
    }
}

/// Where a part can be: after the older ones and before the younger ones.
fn between(index: usize, places: &[Option<usize>]) -> Range<usize> {
    let before = places.iter().take(index).rev().flatten().next();
    let after = places.iter().skip(index + 1).flatten().next();
    before.map_or(0, |place| place + 1)..after.map_or(usize::MAX, |&place| place)
}

fn put(places: &mut [Option<usize>], search: &mut Search, found: Option<(usize, bool)>) {
    let (Some(place), Some((index, more))) = (places.get_mut(search.index), found) else { return };
    (*place, search.more) = (Some(index), more);
}
