//! Which file on disk is which, after something has changed.
//!
//! One rule: each file that was used is known by its first lines and by what stands before the place that was reached.
//! Whatever is younger than the youngest of these was not read, and is read from its beginning, oldest first.
//!
//! A file of which no more than a header was used proves nothing, and is as good as unread. How long a header is, those
//! files tell that begin alike and go on differently. What is open is its file, whatever stands in it; that it is
//! still the same content, only lines prove.
use super::Follow;
use super::content::Content;
use super::part::{Part, State};
use super::search::{Best, Fate, Hold, Search, best, is_like};
use super::siblings::{Holds, Sibling, Siblings};
use crate::mark::{Head, Likeness, PROOF};
use crate::{FileNumber, SourceError};
use std::cmp::Reverse;

/// How much of a file is not to be read from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// What is before that place.
    Until(u64),
    /// All that is and will be in it.
    All,
}

/// A file that is read from its beginning.
#[derive(Debug)]
struct Begun {
    place: usize,
    is_log: bool,
    part: Part,
}

impl Follow {
    pub(super) fn reconcile(&mut self) -> Result<(), SourceError> {
        let siblings = Siblings::list(&self.path, self.options.archive.as_deref())?;
        if self.used_until.is_none() {
            self.pass_over_what_was_there(&siblings);
        }
        let mut searches = self.states(&siblings);
        let heads: Vec<&Head> = self.parts.iter().map(|part| &part.mark.head).collect();
        let open: Vec<&[u8]> = searches.iter().map(|search| &*search.beginning).collect();
        let header = siblings.header(&heads, &open);
        self.find(&siblings, header, &mut searches)?;
        Self::bound(&mut searches);
        let mut failed = None;
        for search in &searches {
            failed = failed.or(self.go_on(&siblings, search).err());
        }
        let begun = self.begin_unread(&siblings, header, &mut searches, &mut failed);
        self.drop_lost(&siblings, &searches, &begun);
        self.put_in_order(begun, &searches);
        self.forget();
        failed.map_or(Ok(()), Err)
    }

    /// When a log is followed for the first time, what was rotated away before is as good as read.
    fn pass_over_what_was_there(&mut self, siblings: &Siblings) {
        self.used_until = Some(siblings.rotated().map(|it| it.seen.modified).max().unwrap_or(i64::MIN));
        let mut with_content = siblings.rotated().filter(|sibling| !sibling.beginning.is_empty());
        if let Some(sibling) = with_content.next()
            && let Ok(mark) = sibling.over()
        {
            self.parts.push(Part::restored(FileNumber::take(&mut self.next), &sibling.path, &mark));
        }
    }

    /// Looks at all parts. What was cut lets go of its file, which is another from then on.
    fn states(&mut self, siblings: &Siblings) -> Vec<Search> {
        let mut searches = Vec::new();
        for mut part in std::mem::take(&mut self.parts) {
            let state = part.check().unwrap_or_else(|_| {
                part.content = Content::Sought;
                State::Closed
            });
            let mut nameless = None;
            if state == State::Cut {
                self.counters.truncations += 1;
                let content = std::mem::replace(&mut part.content, Content::Sought);
                if let (Content::Plain(file), None) = (content, siblings.position(part.mark.identity)) {
                    // What was written since then to a file that has no name any more can be read only here.
                    nameless = Part::begin(FileNumber::take(&mut self.next), &self.path, file, 0).ok();
                }
            }
            searches.push(Search::new(&part, state));
            self.parts.push(part);
            searches.extend(nameless.as_ref().map(|part| Search::new(part, State::Same)));
            self.parts.extend(nameless);
        }
        searches
    }

    /// Finds the files of all parts of which more than a header was used, and of those that are open.
    fn find(&self, siblings: &Siblings, header: usize, searches: &mut [Search]) -> Result<(), SourceError> {
        let mut taken = Vec::new();
        for (part, search) in self.parts.iter().zip(searches.iter_mut()) {
            search.is_proven = part.mark.head.length() > header;
            if !part.is_sought() {
                search.place = siblings.position(part.mark.identity);
                taken.extend(search.place);
            }
        }
        // Who has more of a file fits fewer.
        let mut order: Vec<(&Part, &mut Search)> = self.parts.iter().zip(searches.iter_mut()).collect();
        order.sort_by_key(|(part, search)| (!search.is_proven, Reverse(part.mark.offset)));
        for (part, search) in &mut order {
            if !part.is_sought() && search.place.is_some() {
                continue;
            }
            let mut found = None;
            if search.is_proven {
                match best(part, search.state, header, siblings, &taken)? {
                    Best::Unclear => search.is_proven = false,
                    Best::None => {}
                    Best::At(place, holds) => found = Some((place, holds)),
                }
            }
            search.place = found.map(|(place, _)| place);
            let is_open = !part.is_sought();
            search.hold = match found {
                Some((_, Holds::Less)) => Hold::Beginning,
                Some(_) if is_open => Hold::Alike,
                _ => Hold::Own,
            };
            taken.extend(search.place.filter(|_| !is_open));
            search.fate = match found {
                _ if is_open => Fate::Stays,
                Some((_, Holds::More)) => Fate::GoesOn,
                Some((place, Holds::All)) if !part.mark.over || is_log(siblings, place) => Fate::GoesOn,
                _ if part.mark.over => Fate::Stays,
                _ if search.is_proven => Fate::Lost,
                _ => Fate::IsUnread,
            };
        }
        // Of two files with the same lines, of which the own one has no more of them, the other is no copy.
        for (part, search) in &mut order {
            let own = search.place.and_then(|place| siblings.get(place));
            let own = own.filter(|own| own.identity == part.mark.identity);
            let size = match (own, search.state) {
                (Some(own), _) => own.seen.size,
                (None, State::Doubtful(seen)) => seen.size,
                (None, _) => part.seen.size,
            };
            let head = &part.mark.head;
            let is_own = own.is_some() || !part.is_sought();
            if !search.is_proven || part.mark.over || head.is_full() || !is_own || size > part.mark.offset {
                continue;
            }
            let goes_on = |it: &Sibling| {
                head.likeness(&it.beginning) == Likeness::Same && it.beginning.len() as u64 > part.mark.offset
            };
            let mut free =
                siblings.enumerated().filter(|(place, it)| it.is_of_log() && !taken.contains(place));
            if free.any(|(_, it)| goes_on(it)) {
                search.is_proven = false;
                search.place = search.place.filter(|_| own.is_some());
            }
        }
        Ok(())
    }

    /// Of the parts of which nothing but a header was used: where their files can be.
    fn bound(searches: &mut [Search]) {
        for index in 0..searches.len() {
            let (older, younger) = searches.split_at(index + 1);
            let after = older.iter().filter_map(Search::certain_place).max();
            let before = younger.iter().filter_map(Search::certain_place).min();
            let range = after.map_or(0, |place| place + 1)..before.unwrap_or(usize::MAX);
            if let Some(search) = searches.get_mut(index) {
                search.range = range;
            }
        }
    }

    /// Goes on with a part in the file that was found for it.
    fn go_on(&mut self, siblings: &Siblings, search: &Search) -> Result<(), SourceError> {
        let Some(part) = self.parts.iter_mut().find(|part| part.number == search.number) else {
            return Ok(());
        };
        if let State::Doubtful(seen) = search.state {
            part.saw(seen);
        }
        let Some(sibling) = search.place.and_then(|place| siblings.get(place)) else { return Ok(()) };
        match search.fate {
            Fate::GoesOn => part.go_on(sibling),
            // Compressed or copied since.
            Fate::Stays if part.mark.over && search.hold == Hold::Own => {
                part.mark.identity = sibling.identity;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Begins what is younger than all that was used, and what lies where a file can be of which nothing but a header
    /// was.
    fn begin_unread(
        &mut self,
        siblings: &Siblings,
        header: usize,
        searches: &mut [Search],
        failed: &mut Option<SourceError>,
    ) -> Vec<Begun> {
        let proven = searches.iter().filter(|search| search.is_proven);
        let anchor = proven.filter_map(Search::certain_place).max();
        let mut begun = Vec::new();
        for (place, sibling) in siblings.enumerated().filter(|(_, sibling)| sibling.is_of_log()) {
            // It may be the file of such a part, or what stands in a file now that was cut.
            let may_be = |(part, search): (&Part, &Search)| {
                let is_cut = search.state == State::Cut && part.mark.identity == sibling.identity;
                let is_unread = search.fate == Fate::IsUnread && search.range.contains(&place);
                is_cut || is_unread && sibling.seen.modified >= part.mark.modified
            };
            let is_unread = anchor
                .map_or(Some(sibling.seen.modified) > self.used_until, |anchor| place > anchor)
                || self.parts.iter().zip(searches.iter()).any(may_be);
            let mut at = searches.iter().filter(|search| search.place == Some(place)).peekable();
            let is_there = at.peek().is_some();
            let is_alike = |(part, search): (&Part, &Search)| search.is_like_restored(part, sibling);
            let known = if is_there && at.all(|search| search.hold != Hold::Own)
                || !is_there && self.parts.iter().zip(searches.iter()).any(is_alike)
            {
                Known::all_of(sibling)
            } else if is_there || !sibling.is_log && !is_unread {
                continue;
            } else if sibling.is_log {
                Known::Until(0)
            } else {
                self.known_of(place, sibling, header, searches)
            };
            let Known::Until(known) = known else { continue };
            let begin = |file| Part::begin(FileNumber::take(&mut self.next), &sibling.path, file, known);
            match sibling.file().and_then(begin) {
                Ok(part) => {
                    self.counters.rotations += u64::from(std::mem::replace(&mut self.began, true));
                    begun.push(Begun { place, is_log: sibling.is_log, part });
                }
                Err(error) if sibling.is_log => *failed = failed.take().or(Some(error)),
                Err(_) => self.counters.vanished += 1,
            }
        }
        let is_removed = |part: &Part| {
            let is_open = !part.is_sought() && !part.mark.over;
            is_open && siblings.position(part.mark.identity).is_none()
        };
        let log = begun.iter().any(|begun| begun.is_log);
        self.counters.reopened += u64::from(log && self.parts.last().is_some_and(is_removed));
        begun
    }

    /// What of a file is known to have been read, or to be read from another one that is open.
    fn known_of(&mut self, place: usize, sibling: &Sibling, header: usize, searches: &mut [Search]) -> Known {
        let length = sibling.beginning.len();
        let is_more = length > header;
        let is_of_another =
            self.parts.iter().zip(searches.iter()).any(|(part, search)| {
                search.fate == Fate::IsUnread && part.mark.identity == sibling.identity
            });
        let mut known = 0;
        for (part, search) in self.parts.iter_mut().zip(searches) {
            let offset = part.mark.offset;
            if part.mark.over && sibling.identity == part.mark.identity {
                let is_whole = sibling.is_packed() || sibling.seen.size == offset;
                let is_all = if offset < PROOF as u64 { length as u64 == offset } else { is_whole };
                if is_all && part.mark.head.likeness(&sibling.beginning) == Likeness::Same {
                    // It may grow still, or be another with the same header.
                    part.is_replaced = !sibling.is_packed();
                    return Known::all_of(sibling);
                }
            }
            // A copy of the log is older than the log.
            let is_older = search.place.is_some_and(|own| place < own);
            let has_been = || is_more && part.has_been(&sibling.beginning, sibling.seen.size);
            let is_copy = || has_been() || is_like(&part.mark, header, sibling) && !is_of_another;
            if search.is_proven && is_older && is_copy() {
                return Known::All;
            }
            let is_open = !part.is_sought() && !search.beginning.is_empty();
            if is_open && is_more && search.beginning.starts_with(&sibling.beginning) {
                match search.place {
                    None if sibling.is_packed() => {
                        search.copy = Some(place);
                        return Known::All;
                    }
                    // A copy, or the next file, which grows.
                    None => known = sibling.seen.size.min(part.seen.size),
                    Some(_) if is_older => return Known::All,
                    Some(_) => {}
                }
            }
        }
        Known::Until(known)
    }

    /// Lets go of what is nowhere any more.
    fn drop_lost(&mut self, siblings: &Siblings, searches: &[Search], begun: &[Begun]) {
        let (is_away, counters) = (self.log.is_none(), &mut self.counters);
        let mut goes = |(part, search): (&Part, &Search)| {
            let is_cut = search.state == State::Cut;
            // A file that was cut may have been copied before: then the copy has all that was seen.
            let is_copy = |begun: &Begun| {
                let copy = siblings.get(begun.place).filter(|_| !begun.is_log);
                copy.and_then(|copy| copy.holds(&search.seen).ok()) >= Some(Holds::All)
            };
            let may_be = |begun: &Begun| search.range.contains(&begun.place) && (!is_cut || is_copy(begun));
            if part.is_replaced {
                return true;
            }
            if search.fate == Fate::GoesOn && is_cut {
                let copy = search.place.and_then(|place| siblings.get(place));
                let holds = copy.and_then(|copy| copy.holds(&search.seen).ok());
                counters.cut_unread += u64::from(holds < Some(Holds::All));
            }
            let is_lost = match search.fate {
                Fate::Stays | Fate::GoesOn => return false,
                // What it was may come back with the log.
                _ if is_away && !is_cut => return false,
                Fate::Lost => true,
                Fate::IsUnread => !begun.iter().any(may_be),
            };
            counters.cut_unread += u64::from(is_lost && is_cut);
            counters.vanished += u64::from(is_lost && !is_cut);
            if is_lost {
                counters.lost_bytes_suspected += part.lag();
            }
            true
        };
        let gone: Vec<bool> = self.parts.iter().zip(searches).map(&mut goes).collect();
        let mut gone = gone.into_iter();
        self.parts.retain(|_| !gone.next().unwrap_or_default());
    }

    /// Puts the parts that were begun, or go on elsewhere, between the others, by age.
    fn put_in_order(&mut self, mut begun: Vec<Begun>, searches: &[Search]) {
        let search = |part: &Part| searches.iter().find(|search| search.number == part.number);
        for part in std::mem::take(&mut self.parts) {
            let elsewhere = search(&part).filter(|search| search.fate == Fate::GoesOn);
            match elsewhere.and_then(|search| search.place) {
                Some(place) => begun.push(Begun { place, is_log: false, part }),
                None => self.parts.push(part),
            }
        }
        begun.sort_by_key(|begun| begun.place);
        let place_of = |part: &Part| search(part).and_then(|search| search.place.or(search.copy));
        let mut places: Vec<Option<usize>> = self.parts.iter().map(place_of).collect();
        for Begun { place, part, .. } in begun {
            let is_younger = |other: &Option<usize>| other.is_some_and(|other| other > place);
            let at = places.iter().position(is_younger).unwrap_or(places.len());
            self.parts.insert(at, part);
            places.insert(at, Some(place));
        }
    }
}

impl Known {
    /// A packed file does not grow.
    fn all_of(sibling: &Sibling) -> Self {
        if sibling.is_packed() { Self::All } else { Self::Until(sibling.seen.size) }
    }
}

fn is_log(siblings: &Siblings, place: usize) -> bool {
    siblings.get(place).is_some_and(|sibling| sibling.is_log)
}
