//! Which channel dialled a new one.
use super::channels::{Channel, Channels, Dial, How, Stand};
use crate::asterisk::channel;
use crate::{Leg, Party};

/// How well a dial agrees with the channel it may have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Match {
    /// It names another.
    No,
    /// It names none: a queue, a group of lines, a number known only from a transfer.
    Possible,
    /// It names the channel's peer.
    Named,
}

/// The channel that dialled, and by what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parent<'a> {
    pub(super) serial: u64,
    pub(super) channel: &'a Channel,
    /// None where the PBX does not log applications.
    pub(super) dial: Option<&'a Dial>,
    pub(super) fits: Match,
}

impl<'a> Parent<'a> {
    /// Where it stood when it dialled.
    pub(super) fn stand(&self) -> &'a Stand {
        self.dial.map_or(&self.channel.stand, |dial| &dial.stand)
    }
    /// Its dial has its answer and rings nobody any more, so it dials something that no row has told yet. An
    /// internal leg it may still have made: for a party that transfers by a feature code.
    pub(super) fn is_late(&self, target: &Leg<'_>) -> bool {
        self.dial.is_some_and(|dial| dial.answered) && target.party != Party::Internal
    }
}

/// Finds who in the call `linked_id` dialled the channel `name`: a dial that names it, else one that may have
/// made it; a dial without an answer before all with one. Of several, the oldest that has not made all its
/// legs (members of a group that are all outside are dialled at once, over one trunk), else the newest.
pub(super) fn of<'a>(channels: &'a Channels, linked_id: &[u8], name: &[u8]) -> Option<Parent<'a>> {
    let target = channel::leg(name);
    let candidate = |(serial, other): (u64, &'a Channel)| {
        if channel::leg(&other.name).id == target.id {
            return None;
        }
        let (fits, dial, order) = match &other.dial {
            Some(dial) => {
                let fits = fit(&dial.how, name, &target);
                let order = dial.serial as i64;
                let owes_legs = fits == Match::Named && dial.legs < dial.how.targets();
                (fits, Some(dial), if owes_legs { (true, order.saturating_neg()) } else { (false, order) })
            }
            None if other.is_leg() => return None,
            None => (Match::Possible, None, (false, serial as i64)),
        };
        let state = dial.map(|dial| !dial.answered);
        Some(((state, fits, order), Parent { serial, channel: other, dial, fits }))
    };
    channels.of_call(linked_id).filter_map(candidate).max_by_key(|(rank, _)| *rank).map(|(_, parent)| parent)
}

fn fit(how: &How, name: &[u8], target: &Leg<'_>) -> Match {
    let How::String(data) = how else { return Match::Possible };
    let mut found = Match::No;
    for dialled in channel::dialled_targets(data) {
        let fits = match target.party {
            Party::Peer(peer) if dialled.is_to(peer) => Match::Named,
            // `DAHDI/g1/0355550100` makes `DAHDI/i1/0355550100-1`, and chan_sip may name a channel after a
            // domain. PJSIP always names it after the endpoint that was dialled.
            Party::Peer(_) if technology(dialled.text) == technology(name) => {
                if technology(name) == b"PJSIP" { Match::No } else { Match::Possible }
            }
            Party::Internal if channel::is_internal_of(target.id, dialled.text) => Match::Named,
            _ => Match::No,
        };
        found = found.max(fits);
    }
    found
}

fn technology(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == b'/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dial_string_names_the_channels_of_its_targets() {
        let fit_of = |data: &str, name: &str| {
            let name = name.as_bytes();
            fit(&How::String(data.as_bytes().into()), name, &channel::leg(name))
        };
        let cases = [
            ("PJSIP/102,5,tT", "PJSIP/102-00000001", Match::Named),
            ("PJSIP/0355550100@trunk,12", "PJSIP/trunk-00000001", Match::Named),
            ("PJSIP/101&PJSIP/102", "PJSIP/102-00000001", Match::Named),
            ("PJSIP/102", "PJSIP/trunk-00000001", Match::No),
            ("PJSIP/102", "SIP/trunk-00000001", Match::No),
            ("DAHDI/g1/0355550100", "DAHDI/i1/0355550100-1", Match::Possible),
            ("SIP/0355550100@192.0.2.1", "SIP/carrier.example-00000001", Match::Possible),
            ("Local/101@inside&Local/102@inside/n,5", "Local/102@inside-0000001b;1", Match::Named),
            ("Local/10@inside", "Local/101@inside-0000001b;1", Match::No),
            ("PJSIP/102", "Local/101@inside-0000001b;1", Match::No),
        ];
        for (data, name, expected) in cases {
            assert_eq!(fit_of(data, name), expected, "{data} {name}");
        }
        let queue = How::of(b"Queue", b"support,t").unwrap();
        assert_eq!(fit(&queue, b"PJSIP/1-1", &channel::leg(b"PJSIP/1-1")), Match::Possible);
    }
}
