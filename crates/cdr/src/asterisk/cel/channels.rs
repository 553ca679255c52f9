//! The channels that are open, by unique id and by call; never more than a fixed number of them.
use super::CelRow;
use crate::asterisk::channel;
use crate::{Leg, Outcome, Party};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Channels kept; the oldest goes first. Far more than one PBX has open at once.
const CHANNELS_MAX: usize = 32 * 1024;
/// Channels of one call looked at when somebody is looked for, the newest first.
const CALL_MAX: usize = 4096;
/// Bytes kept of any field. The longest that Asterisk writes into the fields kept are dial strings of 255.
const FIELD_MAX: usize = 256;

type Bytes = Box<[u8]>;

pub(super) fn keep(field: &[u8]) -> Bytes {
    key(field).into()
}
fn key(field: &[u8]) -> &[u8] {
    field.get(..FIELD_MAX).unwrap_or(field)
}

/// Whether `extension` is one of the dialplan's own names, and no number: `s`, `h`, `i`, `s-NOANSWER`.
pub(super) fn is_special(extension: &[u8]) -> bool {
    match extension {
        [] => true,
        [letter, rest @ ..] => letter.is_ascii_alphabetic() && matches!(rest, [] | [b'-', ..]),
    }
}

/// Whether `extension` is a code that the PBX may take itself: `*72010224…`, `#31#`.
fn is_code(extension: &[u8]) -> bool {
    extension.iter().any(|byte| matches!(byte, b'*' | b'#'))
}

/// Whether a channel in `application` places calls.
pub(in crate::asterisk) fn places_calls(application: &[u8]) -> bool {
    How::of(application, b"").is_some()
}

/// Where in the dialplan a channel is: the number it is at and the context that gives it its meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stand {
    pub(super) extension: Bytes,
    pub(super) context: Bytes,
}

impl Stand {
    pub(super) fn new(extension: &[u8], context: &[u8]) -> Self {
        Self { extension: keep(extension), context: keep(context) }
    }
}

/// How a channel places calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum How {
    /// By a dial string.
    String(Bytes),
    /// By an application that names its targets elsewhere, on behalf of an extension or, where that is empty,
    /// of none.
    Within(Bytes),
    /// By whatever stands at the number it was transferred to.
    Transferred,
}

impl How {
    /// None if `application` places no calls.
    pub(super) fn of(application: &[u8], data: &[u8]) -> Option<Self> {
        const WITHIN: [&[u8]; 5] = [b"Queue", b"FollowMe", b"RetryDial", b"Page", b"Originate"];
        if channel::is_dial(application) {
            Some(Self::String(keep(data)))
        } else if WITHIN.iter().any(|name| application.eq_ignore_ascii_case(name)) {
            Some(Self::Within(keep(if channel::is_follow_me(application) {
                channel::followed(data)
            } else {
                b""
            })))
        } else {
            None
        }
    }

    /// How many channels a dial string names.
    pub(super) fn targets(&self) -> usize {
        match self {
            Self::String(data) => channel::dialled_targets(data).count(),
            Self::Within(_) | Self::Transferred => 0,
        }
    }
}

/// A call being placed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Dial {
    /// Grows with each dial.
    pub(super) serial: u64,
    pub(super) how: How,
    pub(super) stand: Stand,
    /// It has its answer, and rings nobody any more. Never of those that go on by themselves (queues).
    pub(super) answered: bool,
    /// Legs it has made.
    pub(super) legs: usize,
    /// Which targets of its dial string have got their legs.
    pub(super) made: Vec<usize>,
}

impl Dial {
    fn answer(&mut self) {
        self.answered |= !matches!(self.how, How::Within(_));
    }

    /// The target that the new leg `leg` is for: the first that has none yet, since they are dialled in
    /// their order.
    pub(super) fn target(&self, leg: &Leg<'_>) -> Option<(usize, channel::Dialled<'_>)> {
        let (How::String(data), Party::Peer(peer)) = (&self.how, leg.party) else { return None };
        let mut targets = channel::dialled_targets(data).enumerate();
        targets.find(|(index, dialled)| dialled.is_to(peer) && !self.made.contains(index))
    }
}

/// What was told of a channel as the leg of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum LegState {
    /// Nobody dialled it.
    None,
    /// Somebody dialled it, for a number not known yet.
    Late,
    /// It was started.
    Started {
        /// Serial of the channel that dialled it.
        parent: u64,
    },
    /// It was answered.
    Answered,
}

impl LegState {
    /// How the leg ended, if it was told of, by its Q.850 cause.
    pub(super) fn outcome(self, cause: Option<i64>) -> Option<Outcome> {
        match (self, cause) {
            (Self::None | Self::Late, _) => None,
            (Self::Answered, _) => Some(Outcome::Answered),
            (_, Some(17)) => Some(Outcome::Busy),
            // Normal clearing, no user responding, no answer, subscriber absent, rejected, redirected, taken
            // by another, unspecified; and 0 and 127, which Asterisk has where nobody said anything.
            (_, None | Some(0 | 16 | 18..=21 | 23 | 26 | 31 | 127)) => Some(Outcome::NoAnswer),
            (_, Some(_)) => Some(Outcome::Failed),
        }
    }
}

/// An open channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Channel {
    unique_id: Bytes,
    pub(super) linked_id: Bytes,
    /// Its name when it started, which is what call records have, whatever it is renamed to.
    pub(super) name: Bytes,
    /// The last number it was at, and that number's context.
    pub(super) stand: Stand,
    pub(super) dial: Option<Dial>,
    pub(super) leg: LegState,
    /// What was told of it as a leg that the PBX opened by itself, for a call file or the manager interface.
    pub(super) opened: LegState,
    /// The last code it was at, and that code's context.
    code: Option<Stand>,
    /// It has placed a call.
    has_placed: bool,
}

impl Channel {
    pub(super) fn new(row: &CelRow<'_>) -> Self {
        let stand = Stand::new(row.extension, row.context);
        Self {
            unique_id: keep(row.unique_id),
            linked_id: keep(row.linked_id),
            name: keep(row.channel),
            code: is_code(&stand.extension).then(|| stand.clone()),
            has_placed: false,
            stand,
            dial: None,
            leg: LegState::None,
            opened: LegState::None,
        }
    }
    pub(super) fn is_leg(&self) -> bool {
        self.leg != LegState::None
    }

    /// The code that it dialled and the PBX took itself: what has placed a call, or was called, has dialled none.
    pub(super) fn code(&self) -> Option<&Stand> {
        let is_nobodys_leg =
            !self.is_leg() && self.opened == LegState::None && !channel::is_local(&self.name);
        self.code.as_ref().filter(|_| is_nobodys_leg && !self.has_placed)
    }
}

/// The open channels, each with a serial number that says how new it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub(super) struct Channels {
    by_serial: BTreeMap<u64, Channel>,
    by_unique_id: BTreeMap<Bytes, u64>,
    by_call: BTreeMap<Bytes, BTreeSet<u64>>,
    last_serial: u64,
    forgotten: u64,
}

impl Channels {
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }
    pub(super) fn find(&self, unique_id: &[u8]) -> Option<u64> {
        self.by_unique_id.get(key(unique_id)).copied()
    }
    pub(super) fn get(&self, serial: u64) -> Option<&Channel> {
        self.by_serial.get(&serial)
    }
    /// The unique ids of all channels and the ids of their calls, the oldest first.
    pub(super) fn ids(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.by_serial.values().map(|channel| (&*channel.unique_id, &*channel.linked_id))
    }
    /// The channels of a call, the newest first.
    pub(super) fn of_call(&self, linked_id: &[u8]) -> impl Iterator<Item = (u64, &Channel)> {
        let serials = self.by_call.get(key(linked_id)).into_iter().flatten().rev().take(CALL_MAX);
        serials.filter_map(|serial| Some((*serial, self.by_serial.get(serial)?)))
    }

    /// Takes in a new channel; forgets the oldest if there are too many.
    pub(super) fn start(&mut self, channel: Channel) -> u64 {
        if let Some(old) = self.find(&channel.unique_id) {
            self.remove(old);
        }
        let serial = self.next_serial();
        self.insert(serial, channel);
        while self.by_serial.len() > CHANNELS_MAX {
            let Some((&oldest, _)) = self.by_serial.first_key_value() else { break };
            self.remove(oldest);
            self.forgotten += 1;
        }
        serial
    }

    fn next_serial(&mut self) -> u64 {
        self.last_serial += 1;
        self.last_serial
    }

    fn insert(&mut self, serial: u64, channel: Channel) {
        self.by_unique_id.insert(channel.unique_id.clone(), serial);
        self.by_call.entry(channel.linked_id.clone()).or_default().insert(serial);
        self.by_serial.insert(serial, channel);
    }

    pub(super) fn remove(&mut self, serial: u64) -> Option<Channel> {
        let channel = self.by_serial.remove(&serial)?;
        self.by_unique_id.remove(&channel.unique_id);
        self.leave_call(serial, &channel.linked_id);
        Some(channel)
    }

    /// Removes all channels and returns them, the oldest first.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = Channel> + use<> {
        self.by_unique_id.clear();
        self.by_call.clear();
        std::mem::take(&mut self.by_serial).into_values()
    }

    fn leave_call(&mut self, serial: u64, linked_id: &[u8]) {
        if let Some(serials) = self.by_call.get_mut(linked_id) {
            serials.remove(&serial);
            if serials.is_empty() {
                self.by_call.remove(linked_id);
            }
        }
    }

    /// A channel belongs to the call `linked_id` now: calls that were joined have one id.
    pub(super) fn follow(&mut self, serial: u64, linked_id: &[u8]) {
        let linked_id = key(linked_id);
        let Some(channel) = self.by_serial.get_mut(&serial) else { return };
        if &*channel.linked_id == linked_id {
            return;
        }
        let left = std::mem::replace(&mut channel.linked_id, linked_id.into());
        self.leave_call(serial, &left);
        self.by_call.entry(linked_id.into()).or_default().insert(serial);
    }

    /// Nothing more is dialled in this call. Its channels stay until they end: they may have joined another
    /// call, of which no row has told yet.
    pub(super) fn end_call(&mut self, linked_id: &[u8]) {
        self.by_call.remove(key(linked_id));
    }

    /// A channel is at this place in the dialplan now, if that is a number.
    pub(super) fn stand(&mut self, serial: u64, extension: &[u8], context: &[u8]) {
        let Some(channel) = self.by_serial.get_mut(&serial) else { return };
        let (extension, context) = (key(extension), key(context));
        let same = *channel.stand.extension == *extension && *channel.stand.context == *context;
        if !same && !is_special(extension) {
            channel.stand = Stand::new(extension, context);
            if is_code(extension) {
                channel.code = Some(channel.stand.clone());
            }
        }
    }

    /// A channel begins to place a call, from where it stands.
    pub(super) fn dial(&mut self, serial: u64, how: How) {
        let order = self.next_serial();
        if let Some(channel) = self.by_serial.get_mut(&serial) {
            let stand = channel.stand.clone();
            channel.has_placed = true;
            channel.dial =
                Some(Dial { serial: order, how, stand, answered: false, legs: 0, made: Vec::new() });
        }
    }

    /// A channel is in an application that dials by itself.
    pub(super) fn dial_within(&mut self, serial: u64, how: How) {
        let known = self.by_serial.get(&serial).and_then(|channel| channel.dial.as_ref());
        if !known.is_some_and(|dial| matches!(dial.how, How::Within(_))) {
            self.dial(serial, how);
        }
    }

    /// A channel has left what it was connected to. If it stands at another number than the one it was
    /// connected by, it was moved there (by the manager interface) and dials on from it.
    pub(super) fn moved(&mut self, serial: u64) {
        let Some(channel) = self.by_serial.get(&serial) else { return };
        let moved = channel.dial.as_ref().is_some_and(|dial| {
            dial.answered && dial.stand != channel.stand && matches!(dial.how, How::String(_))
        });
        if moved {
            let stand = channel.stand.clone();
            self.dial_transferred(serial, stand);
        }
    }

    /// A channel was sent to `stand` and will place a call from there, unless it has begun to already.
    pub(super) fn dial_transferred(&mut self, serial: u64, stand: Stand) {
        let order = self.next_serial();
        let Some(channel) = self.by_serial.get_mut(&serial) else { return };
        let begun = channel.dial.as_ref().is_some_and(|dial| !dial.answered && dial.stand == stand);
        if !begun {
            channel.stand = stand.clone();
            channel.has_placed = true;
            channel.dial = Some(Dial {
                serial: order,
                how: How::Transferred,
                stand,
                answered: false,
                legs: 0,
                made: Vec::new(),
            });
        }
    }

    pub(super) fn dial_over(&mut self, serial: u64) {
        if let Some(channel) = self.by_serial.get_mut(&serial) {
            channel.dial = None;
        }
    }

    /// The channel `parent` has dialled the channel `serial`.
    pub(super) fn leg_started(&mut self, serial: u64, parent: u64) {
        let name = self.by_serial.get(&serial).map(|channel| channel.name.clone()).unwrap_or_default();
        if let Some(channel) = self.by_serial.get_mut(&parent) {
            channel.has_placed = true;
            if let Some(dial) = &mut channel.dial {
                dial.legs += 1;
                let target = dial.target(&channel::leg(&name)).map(|(index, _)| index);
                dial.made.extend(target);
            }
        }
        self.set_leg(serial, LegState::Started { parent });
    }

    /// What a channel dials has its answer.
    pub(super) fn dial_answered(&mut self, serial: u64) {
        if let Some(dial) = self.by_serial.get_mut(&serial).and_then(|channel| channel.dial.as_mut()) {
            dial.answer();
        }
    }

    pub(super) fn set_opened(&mut self, serial: u64, opened: LegState) {
        if let Some(channel) = self.by_serial.get_mut(&serial) {
            channel.opened = opened;
        }
    }

    pub(super) fn set_leg(&mut self, serial: u64, leg: LegState) {
        if let Some(channel) = self.by_serial.get_mut(&serial) {
            channel.leg = leg;
        }
    }
}

/// What a snapshot holds of [`Channels`]; the indexes follow from it.
#[derive(Serialize, Deserialize)]
struct Saved {
    channels: Vec<(u64, bool, Channel)>,
    last_serial: u64,
    forgotten: u64,
}

impl From<Channels> for Saved {
    fn from(channels: Channels) -> Self {
        let Channels { by_serial, by_call, last_serial, forgotten, .. } = channels;
        let in_call = |serial: u64, channel: &Channel| {
            by_call.get(&channel.linked_id).is_some_and(|serials| serials.contains(&serial))
        };
        let channels = by_serial
            .into_iter()
            .map(|(serial, channel)| (serial, in_call(serial, &channel), channel))
            .collect();
        Self { channels, last_serial, forgotten }
    }
}

impl From<Saved> for Channels {
    fn from(saved: Saved) -> Self {
        let Saved { channels, last_serial, forgotten } = saved;
        let mut all = Self { last_serial, forgotten, ..Self::default() };
        for (serial, in_call, channel) in channels {
            let linked_id = channel.linked_id.clone();
            all.insert(serial, channel);
            if !in_call {
                all.leave_call(serial, &linked_id);
            }
        }
        all
    }
}
