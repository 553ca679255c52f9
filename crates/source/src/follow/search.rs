//! What is found out about each part: where its file is, and what is to become of it.
use super::part::{Part, State};
use super::siblings::{Holds, Sibling, Siblings};
use crate::mark::{Likeness, Mark, PROOF};
use crate::{FileNumber, SourceError};
use std::cmp::Reverse;
use std::ops::Range;

/// What was found out about a part.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) number: FileNumber,
    pub(super) state: State,
    /// How its file begins, if that is open; of one that was cut, how it began when it was seen last.
    pub(super) beginning: Vec<u8>,
    /// The mark of all that was seen of it, used or not.
    pub(super) seen: Mark,
    /// More than a header was used of it, so that it is known wherever it is.
    pub(super) is_proven: bool,
    /// Where its file is, among the siblings.
    pub(super) place: Option<usize>,
    /// How much of it is there.
    pub(super) hold: Hold,
    /// Where a packed copy of it is that is open and has no name any more.
    pub(super) copy: Option<usize>,
    /// Where it can be, by what is older and what is younger.
    pub(super) range: Range<usize>,
    pub(super) fate: Fate,
}

/// What is at the place of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// Its file, and no other part's.
    Own,
    /// The beginning of it: a copy that was made earlier, or another file with the same header.
    Beginning,
    /// A file with the same lines as one that is open and has no name any more: a copy of it, or another with the same
    /// header.
    Alike,
}

/// What is to become of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is open, or over.
    Stays,
    /// It goes on in the file at its place.
    GoesOn,
    /// What was not used of it is nowhere.
    Lost,
    /// Nothing but a header was used of it: where its file is, that is read from its beginning.
    IsUnread,
}

impl Search {
    pub(super) fn new(part: &Part, state: State) -> Self {
        let (number, beginning) = (part.number, part.beginning());
        Self {
            number,
            state,
            beginning,
            seen: part.seen_mark(),
            is_proven: false,
            place: None,
            hold: Hold::Own,
            copy: None,
            range: 0..0,
            fate: Fate::Stays,
        }
    }
}

impl Search {
    /// Not where there is only the beginning of it.
    pub(super) fn certain_place(&self) -> Option<usize> {
        self.place.filter(|_| self.hold != Hold::Beginning)
    }

    /// Nothing tells the file from the one in which a part goes on after a restart: it may be a copy, or the next one
    /// with the same header.
    pub(super) fn is_like_restored(&self, part: &Part, sibling: &Sibling) -> bool {
        let Mark { head, offset, .. } = &part.mark;
        self.fate == Fate::GoesOn
            && self.state != State::Cut
            && !head.is_full()
            && !sibling.is_packed()
            && sibling.is_of_log()
            && sibling.beginning.len() as u64 == *offset
            && head.likeness(&sibling.beginning) == Likeness::Same
    }
}

/// A file that has lines of the used one, which are in no other.
pub(super) fn is_like(mark: &Mark, header: usize, sibling: &Sibling) -> bool {
    match mark.head.likeness(&sibling.beginning) {
        Likeness::Same => mark.head.length() > header,
        Likeness::Shorter(common) => common > header && common == sibling.beginning.len(),
        Likeness::Different(_) => false,
    }
}

/// Which file holds what was used of a part.
pub(super) enum Best {
    None,
    At(usize, Holds),
    /// Several do, with and without more behind it: what was used is no more than a header, and proves nothing.
    Unclear,
}

/// The file that holds what was used of a part, or else the beginning of that: its own before others, one with more
/// before one without, and the oldest of them.
pub(super) fn best(
    part: &Part,
    state: State,
    header: usize,
    siblings: &Siblings,
    taken: &[usize],
) -> Result<Best, SourceError> {
    let (mut best, mut all, mut more) = (None, false, false);
    // A file that was cut was copied before, if at all: the copy is older than what stands in it now.
    let cut = siblings.position(part.mark.identity).filter(|_| state == State::Cut).unwrap_or(usize::MAX);
    for (place, sibling) in siblings.enumerated().filter(|(place, _)| *place < cut && !taken.contains(place))
    {
        let is_own = sibling.identity == part.mark.identity;
        if is_own && !part.mark.over {
            // As long as it cannot be read that the file is another, nothing is known.
            sibling.file()?;
        }
        let has_been =
            sibling.beginning.len() > header && part.has_been(&sibling.beginning, sibling.seen.size);
        let holds = if has_been && sibling.seen.size < part.mark.offset {
            Holds::Less
        } else if !is_like(&part.mark, header, sibling) {
            Holds::Nothing
        } else if is_own && part.mark.over && sibling.is_packed() && part.mark.offset >= PROOF as u64 {
            Holds::All
        } else {
            sibling.holds(&part.mark)?
        };
        (all, more) = (all || holds == Holds::All, more || holds == Holds::More);
        let rank = (holds >= Holds::All, is_own, sibling.is_of_log(), holds, Reverse(place));
        if holds > Holds::Nothing && best.is_none_or(|best| rank > best) {
            best = Some(rank);
        }
    }
    Ok(match best {
        Some(_) if all && more && !part.mark.head.is_full() => Best::Unclear,
        Some((_, _, _, holds, Reverse(place))) => Best::At(place, holds),
        None => Best::None,
    })
}
