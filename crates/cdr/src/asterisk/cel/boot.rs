//! Knows by the ids of channels when the PBX was started again: whatever was open before is gone, and no row
//! says so.
use serde::{Deserialize, Serialize};

/// Channels are numbered across threads, so that a second's step may be out of order.
const SECONDS_APART: i64 = 2;

/// The newest channel of a run of the PBX.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Boot {
    system: Box<[u8]>,
    second: i64,
    number: u64,
}

impl Boot {
    /// Takes in the id of a new channel: `1772906414.25`, or `name-1772906414.25` where the PBX has a name. It
    /// is the second it was made in and a number that grows from 0 on while the PBX runs. True if a
    /// later second has a number that was had before.
    pub(super) fn is_new(&mut self, unique_id: &[u8]) -> bool {
        let Some(next) = Self::parse(unique_id) else { return false };
        let again = next.system == self.system
            && next.number <= self.number
            && next.second >= self.second.saturating_add(SECONDS_APART)
            && *self != Self::default();
        if again || next.system != self.system || next.number > self.number {
            *self = next;
        }
        again
    }

    fn parse(unique_id: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(unique_id).ok()?;
        let (channel, number) = text.rsplit_once('.')?;
        let (system, second) = channel.rsplit_once('-').unwrap_or(("", channel));
        Some(Self {
            system: super::channels::keep(system.as_bytes()),
            second: second.parse().ok()?,
            number: number.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_of_the_pbx_is_known_by_a_number_had_before() {
        let mut boot = Boot::default();
        let ids = ["100.0", "100.1", "101.3", "100.2", "101.4", "103.5", "102.6", "103.4"];
        assert!(!ids.iter().any(|id| boot.is_new(id.as_bytes())), "one run, out of order here and there");
        assert!(boot.is_new(b"110.0") && !boot.is_new(b"110.1"));
        assert!(boot.is_new(b"120.1"), "the first channel may have gone unseen");
        assert!(!boot.is_new(b"x") && !boot.is_new(b"other-130.0") && !boot.is_new(b"other-130.1"));
        assert!(boot.is_new(b"other-140.0"));
    }
}
