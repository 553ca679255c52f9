//! When an event happened. The interface says so only with `timestampevents = yes`; else it is the time of receipt,
//! read on the clock of the PBX.
use super::packet::{Packet, RECEIVED};
use crate::asterisk::cel_csv::{digits, micros};
use crate::call::CLOCK_SET_SINCE;
use crate::csv::Fault;
use crate::{EventTime, RejectReason};
use serde::{Deserialize, Serialize};

/// An id has whole seconds, and an event takes a moment to come: clocks that are no further apart than this are taken
/// to agree.
const AGREE_MICROS: i64 = 5_000_000;

/// The time of a stream.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Clock {
    /// When the packet at hand was received, by the clock of whoever received it.
    received: Option<i64>,
    /// What the PBX's clock is ahead of that.
    ahead: i64,
    /// Time of the last event.
    last: Option<EventTime>,
}

/// A time, and whether nothing but an earlier event tells it.
pub(super) type Told = (EventTime, bool);

impl Clock {
    /// Takes in the time of receipt in front of a packet.
    pub(super) fn hear(&mut self, packet: Packet<'_>) -> Result<(), Fault> {
        if let Some(text) = packet.received() {
            let at = seconds(text).ok_or(Fault { field: Some((1, RECEIVED)), reason: RejectReason::Time })?;
            self.received = Some(at.micros());
        }
        Ok(())
    }

    /// When the event in `packet` happened. `created` is the second in which its channel was, if it tells of a new
    /// one. `written` is a time the event itself has; it is asked for where nothing else is.
    pub(super) fn at(
        &mut self,
        packet: Packet<'_>,
        created: Option<i64>,
        written: impl FnOnce() -> Option<EventTime>,
    ) -> Result<Told, Fault> {
        let created = created.filter(|&second| second >= CLOCK_SET_SINCE).map(EventTime::from_seconds);
        let stamp = match packet.find("Timestamp") {
            Some((line, text)) => Some(
                seconds(text)
                    .ok_or(Fault { field: Some((line, "Timestamp")), reason: RejectReason::Time })?,
            ),
            None => None,
        };
        if let (Some(stamp), Some(received)) =
            (stamp.filter(|at| at.seconds() >= CLOCK_SET_SINCE), self.received)
        {
            let apart = stamp.micros().saturating_sub(received);
            self.ahead = if apart.abs() < AGREE_MICROS { 0 } else { apart };
        }
        let set = |at: &EventTime| at.seconds() >= CLOCK_SET_SINCE;
        let told = stamp
            .filter(set)
            .or_else(|| self.receipt(created))
            .or_else(|| written().filter(set))
            .or_else(|| Some(created?.max(self.last.unwrap_or(EventTime::MIN))));
        let (at, guessed) = match (told, self.last) {
            (Some(at), _) => (at, false),
            (None, Some(last)) => (last, true),
            (None, None) => return Err(RejectReason::ClockNotSet.into()),
        };
        self.last = Some(at);
        Ok((at, guessed))
    }

    /// The time of receipt on the PBX's clock, as far as a channel's creation tells the two apart.
    fn receipt(&mut self, created: Option<EventTime>) -> Option<EventTime> {
        let received = self.received?;
        if let Some(created) = created {
            let apart = created.micros().saturating_sub(received.saturating_add(self.ahead));
            if !(-AGREE_MICROS..=0).contains(&apart) {
                let ahead = created.micros().saturating_sub(received);
                self.ahead = if ahead.abs() < AGREE_MICROS { ahead.max(0) } else { ahead };
            }
        }
        Some(EventTime::from_micros(received.saturating_add(self.ahead)))
            .filter(|at| at.seconds() >= CLOCK_SET_SINCE)
    }
}

/// Seconds since 1970 with a fraction.
fn seconds(text: &[u8]) -> Option<EventTime> {
    let dot = memchr::memchr(b'.', text);
    let whole = digits(text.get(..dot.unwrap_or(text.len()))?)?;
    let fraction = match dot {
        Some(dot) => micros(text.get(dot + 1..)?)?,
        None => 0,
    };
    Some(EventTime::from_micros(whole * 1_000_000 + fraction))
}

#[cfg(test)]
mod tests {
    use super::super::packet::LineEnd;
    use super::*;

    fn at(clock: &mut Clock, lines: &str, created: Option<i64>) -> Option<(f64, bool)> {
        let packet = Packet::new(lines.as_bytes(), LineEnd::LineFeed);
        clock.hear(packet).ok()?;
        let (at, guessed) = clock.at(packet, created, || None).ok()?;
        Some((at.micros() as f64 / 1e6, guessed))
    }

    #[test]
    fn a_time_stamp_counts_before_the_time_of_receipt() {
        let mut clock = Clock::default();
        let lines = "Received: 1800000000.5\nEvent: Hangup\nTimestamp: 1772906414.25";
        assert_eq!(at(&mut clock, lines, None), Some((1_772_906_414.25, false)));
        let lines = "Received: 1800000010.5\nEvent: Hangup";
        assert_eq!(at(&mut clock, lines, None), Some((1_772_906_424.25, false)), "so far are they apart");
        let lines = "Received: 1800000000\nEvent: Hangup\nTimestamp: 1800000000";
        assert_eq!(at(&mut clock, lines, None), Some((1_800_000_000.0, false)));
        assert_eq!(at(&mut clock, "Event: Hangup\nTimestamp: 12", None), Some((1_800_000_000.0, false)));
        assert_eq!(at(&mut clock, "Event: Hangup\nTimestamp: x", None), None);
        assert_eq!(at(&mut clock, "Received: x\nEvent: Hangup", None), None);
    }

    #[test]
    fn a_time_of_receipt_is_read_on_the_clock_of_the_pbx() {
        let mut clock = Clock::default();
        let mut receive = |second: f64, created| {
            at(&mut clock, &format!("Received: {second:.1}\nEvent: E"), created).map(|(at, _)| at)
        };
        assert_eq!(receive(1_800_000_000.5, Some(1_800_000_000)), Some(1_800_000_000.5), "they agree");
        assert_eq!(receive(1_800_000_002.5, Some(1_800_000_000)), Some(1_800_000_002.5), "it came late");
        assert_eq!(receive(1_800_000_003.5, Some(1_800_000_005)), Some(1_800_000_005.0), "the PBX is ahead");
        assert_eq!(receive(1_800_000_004.5, None), Some(1_800_000_006.0));
        assert_eq!(receive(1_800_000_010.0, Some(1_700_000_000)), Some(1_700_000_000.0), "it was put back");
        assert_eq!(receive(1_800_000_011.0, None), Some(1_700_000_001.0));
    }

    #[test]
    fn without_any_time_the_newest_channel_tells_it() {
        let mut clock = Clock::default();
        assert_eq!(at(&mut clock, "Event: Hangup", None), None);
        assert_eq!(at(&mut clock, "Event: Newchannel", Some(5)), None, "1970 is no time");
        assert_eq!(at(&mut clock, "Event: N", Some(1_772_906_414)), Some((1_772_906_414.0, false)));
        assert_eq!(at(&mut clock, "Event: Hangup", None), Some((1_772_906_414.0, true)));
        assert_eq!(at(&mut clock, "Event: N", Some(1_772_906_400)), Some((1_772_906_414.0, false)));
    }
}
