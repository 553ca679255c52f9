//! The list of all channels that whoever connects asks for: what began and what ended while nobody listened.
use super::applications::Applications;
use super::packet::Packet;
use super::{STATE_UP, known, needed};
use crate::asterisk::CelTracker;
use crate::asterisk::cel::{CelRow, Extra, places_calls};
use crate::call::{CLOCK_SET_SINCE, creation_epoch};
use crate::csv::Fault;
use crate::{EventTime, Place, Sink};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Channels of a list that are looked at. As many as the tracker keeps.
const CHANNELS_MAX: usize = 32 * 1024;
/// Bytes kept of any field, as the tracker does.
const FIELD_MAX: usize = 256;

type Bytes = Box<[u8]>;

/// A channel of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    number: Bytes,
    extension: Bytes,
    context: Bytes,
    channel: Bytes,
    application: Bytes,
    data: Bytes,
    account: Bytes,
    unique_id: Bytes,
    linked_id: Bytes,
    is_up: bool,
}

/// A list that is being received.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Listing {
    channels: Vec<Listed>,
    /// Those that were more than are looked at.
    further: usize,
}

impl Listing {
    pub(super) fn add(&mut self, packet: Packet<'_>) -> Result<(), Fault> {
        let keep = |value: &[u8]| -> Bytes { value.get(..FIELD_MAX).unwrap_or(value).into() };
        let listed = Listed {
            number: keep(known(packet.value("CallerIDNum"))),
            extension: keep(packet.value("Exten")),
            context: keep(packet.value("Context")),
            channel: keep(needed(packet, "Channel")?),
            application: keep(packet.value("Application")),
            data: keep(packet.value("ApplicationData")),
            account: keep(packet.value("AccountCode")),
            unique_id: keep(needed(packet, "Uniqueid")?),
            linked_id: keep(needed(packet, "Linkedid")?),
            is_up: packet.value("ChannelState") == STATE_UP,
        };
        if self.channels.len() < CHANNELS_MAX {
            self.channels.push(listed);
        } else {
            self.further += 1;
        }
        Ok(())
    }

    /// Tells the tracker of the channels that began and ended unheard. Whether that yielded anything.
    ///
    /// A call that was answered meanwhile counts as answered when it began: it may be charged for some seconds of
    /// ringing until its call record comes, and never for too little. One that ended counts until now, and only if the
    /// list is whole: `told` is the number of channels that it should have.
    pub(super) fn catch_up(
        mut self,
        told: Option<usize>,
        now: EventTime,
        tracker: &mut CelTracker,
        applications: &mut Applications,
        place: Place,
        sink: &mut impl Sink,
    ) -> bool {
        let mut yielded = false;
        let listed: BTreeSet<&[u8]> = self.channels.iter().map(|listed| &*listed.unique_id).collect();
        let is_whole = self.further == 0 && told.is_none_or(|told| told == self.channels.len());
        for (unique_id, linked_id) in tracker.open() {
            if is_whole && !listed.contains(&*unique_id) {
                let row = CelRow {
                    event: b"HANGUP",
                    unique_id: &unique_id,
                    linked_id: &linked_id,
                    extra: Extra::Cause(None),
                    ..CelRow::default()
                };
                yielded |= tracker.take(now, &row, place, sink);
                applications.forget(&unique_id);
            }
        }
        // Who dials stands before who is dialled.
        self.channels.sort_by_cached_key(|listed| order(&listed.unique_id));
        let heard: Vec<bool> = self.channels.iter().map(|listed| tracker.knows(&listed.unique_id)).collect();
        for (listed, heard) in self.channels.iter().zip(&heard) {
            if !heard {
                let row = CelRow { event: b"CHAN_START", application: b"", data: b"", ..listed.row() };
                yielded |= tracker.take(listed.since(now), &row, place, sink);
            }
            // It may have begun to dial unheard.
            let before = applications.of(&listed.unique_id);
            let is_new = (&before.name, &before.data) != (&listed.application, &listed.data);
            if is_new && places_calls(&listed.application) {
                let row = CelRow { event: b"APP_START", ..listed.row() };
                applications.step(&row);
                let at = if *heard { now } else { listed.since(now) };
                yielded |= tracker.take(at, &row, place, sink);
            }
        }
        // A channel that dials may be up before whom it dials answers.
        let is_answered = |listed: &Listed| {
            listed.is_up && (listed.unique_id != listed.linked_id || *listed.application == *b"AppDial2")
        };
        for (listed, heard) in self.channels.iter().zip(heard).filter(|(listed, _)| is_answered(listed)) {
            let at = if heard { now } else { listed.since(now) };
            let row = CelRow { event: b"ANSWER", ..listed.row() };
            yielded |= tracker.take(at, &row, place, sink);
        }
        yielded
    }
}

/// The second a channel was created in, and its number.
fn order(unique_id: &[u8]) -> (i64, u64) {
    let number = unique_id.rsplit(|&byte| byte == b'.').next();
    let number = number.and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
    (creation_epoch(unique_id).unwrap_or_default(), number.unwrap_or_default())
}

impl Listed {
    /// When it began, no later than `now`.
    fn since(&self, now: EventTime) -> EventTime {
        let created = creation_epoch(&self.unique_id).filter(|&second| second >= CLOCK_SET_SINCE);
        created.map_or(now, |second| EventTime::from_seconds(second).min(now))
    }

    fn row(&self) -> CelRow<'_> {
        CelRow {
            event: b"",
            number: &self.number,
            extension: &self.extension,
            context: &self.context,
            channel: &self.channel,
            application: &self.application,
            data: &self.data,
            account: &self.account,
            unique_id: &self.unique_id,
            linked_id: &self.linked_id,
            extra: Extra::Text(b""),
        }
    }
}
