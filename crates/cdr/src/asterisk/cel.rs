//! Channel event logging: the rows of the channels of a call, turned into what happened to its legs.
//!
//! A row speaks of one channel and never says who dialled it. The tracker remembers which channels are
//! placing calls, by what dial string and for which number, and finds for each new channel the one that
//! dialled it. Rows are in order for each channel; across channels they may be out of order by milliseconds.
mod boot;
mod channels;
mod extra;
mod parent;
#[cfg(test)]
mod tests;

use super::channel;
use crate::{CallEvent, CallEventKind, EventTime, Leg, Party, Place, Record, Sink};
use boot::Boot;
use channels::{Channel, Channels, How, LegState};
use parent::{Match, Parent};
use serde::{Deserialize, Serialize};

pub(super) use channels::places_calls;
pub(super) use extra::{Extra, Transfer};

/// The columns of a row that matter here, without their quotes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CelRow<'a> {
    pub(super) event: &'a [u8],
    pub(super) number: &'a [u8],
    pub(super) extension: &'a [u8],
    pub(super) context: &'a [u8],
    pub(super) channel: &'a [u8],
    pub(super) application: &'a [u8],
    pub(super) data: &'a [u8],
    pub(super) account: &'a [u8],
    pub(super) unique_id: &'a [u8],
    pub(super) linked_id: &'a [u8],
    pub(super) extra: Extra<'a>,
}

impl<'a> CelRow<'a> {
    /// A row whose column `number`, counted from 0, is `column(number)`; `positions` are those of the event, its
    /// time, and then the columns in the order in which they stand here.
    pub(crate) fn new(positions: &[usize; 12], column: impl Fn(usize) -> &'a [u8]) -> Self {
        let [
            event,
            _,
            number,
            extension,
            context,
            channel,
            application,
            data,
            account,
            unique_id,
            linked_id,
            extra,
        ] = positions.map(column);
        Self {
            event,
            number,
            extension,
            context,
            channel,
            application,
            data,
            account,
            unique_id,
            linked_id,
            extra: Extra::Text(extra),
        }
    }
}

/// The id of a channel, and of the call it belongs to.
pub(super) type ChannelOfCall = (Box<[u8]>, Box<[u8]>);

/// Follows the channels of calls that are under way, and tells what happens to their legs.
///
/// | event | becomes |
/// | --- | --- |
/// | `CHAN_START` of a channel that another one dialled | [`CallEventKind::Started`] |
/// | `ANSWER` or the end of a channel that the PBX opened by itself | [`CallEventKind::Started`], for no number |
/// | `ANSWER` of such a channel | [`CallEventKind::Answered`] |
/// | `HANGUP` of it, or `CHAN_END` where hang-ups are not logged | [`CallEventKind::Ended`] |
/// | `APP_START` of an internal leg dialled in the middle of a call | [`CallEventKind::Diverted`], by the party whose number it shows |
/// | `HANGUP` of a channel that dialled a code and placed no call | [`CallEventKind::CodeDialled`] |
/// | `BLINDTRANSFER`, `ATTENDEDTRANSFER` | [`CallEventKind::Diverted`], for each party that was left |
///
/// A channel that came in from outside was started by nobody. Which
/// channel dialled is certain where a dial string names the new channel; where none does (a queue, a phone
/// that redirects the call) it is the newest channel that is placing a call and has no answer yet. Two
/// things are found out late:
/// - A channel moved to another number by the manager interface dials without any row that says so. Where it
///   left no bridge that shows the number, its leg starts when it is answered or over.
/// - The row of a transfer may come milliseconds after the first row of the leg it leads to.
///
/// Where the PBX was killed, no row ends its calls: they end at the first row after its new start.
///
/// Memory is bounded, whatever the rows say: see [`CelTracker::forgotten`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct CelTracker {
    channels: Channels,
    boot: Boot,
}

impl CelTracker {
    /// Channels that were forgotten while in use, since more were open at once than are kept.
    pub(crate) fn forgotten(&self) -> u64 {
        self.channels.forgotten()
    }

    /// Takes in a row. Puts into `sink` the records it yields, all at `place`, or if there are none passes it
    /// over. A row may yield several: a leg that starts late and is answered, a transfer that leaves two
    /// parties, a new start of the PBX that ends every leg there was.
    pub(crate) fn row(&mut self, at: EventTime, row: &CelRow<'_>, place: Place, sink: &mut impl Sink) {
        if !self.take(at, row, place, sink) {
            sink.passed_over(place);
        }
    }

    /// The same, for what is told by several rows at one place: whether this one yields a record.
    pub(super) fn take(
        &mut self,
        at: EventTime,
        row: &CelRow<'_>,
        place: Place,
        sink: &mut impl Sink,
    ) -> bool {
        let mut out = Out { at, call_id: row.linked_id, account: row.account, place, sink, yielded: false };
        match row.event {
            b"CHAN_START" => self.channel_started(row, &mut out),
            b"LINKEDID_END" => self.channels.end_call(row.linked_id),
            _ => {
                if let Some(serial) = self.channels.find(row.unique_id) {
                    self.channels.follow(serial, row.linked_id);
                    self.channels.stand(serial, row.extension, row.context);
                    self.channel_changed(serial, row, &mut out);
                }
                if matches!(row.event, b"BLINDTRANSFER" | b"ATTENDEDTRANSFER") {
                    self.transferred(row, &mut out);
                }
            }
        }
        out.yielded
    }

    /// Whether this channel is open.
    pub(super) fn knows(&self, unique_id: &[u8]) -> bool {
        self.channels.find(unique_id).is_some()
    }

    /// The open channels and the calls they belong to, the oldest first.
    pub(super) fn open(&self) -> Vec<ChannelOfCall> {
        self.channels.ids().map(|(unique_id, linked_id)| (unique_id.into(), linked_id.into())).collect()
    }

    fn channel_started(&mut self, row: &CelRow<'_>, out: &mut Out<'_, impl Sink>) {
        if self.boot.is_new(row.unique_id) {
            for gone in self.channels.clear() {
                if let Some(outcome) = gone.leg.outcome(None).or_else(|| gone.opened.outcome(None)) {
                    let target = channel::leg(&gone.name);
                    out.event_of(&gone.linked_id, target, CallEventKind::Ended { outcome });
                }
            }
        }
        let mut channel = Channel::new(row);
        let target = channel::leg(&channel.name);
        // The second half of an internal leg dials on for the first; it is no leg of its own.
        let dialled = row.unique_id != row.linked_id && !row.channel.ends_with(b";2");
        let found = parent::of(&self.channels, row.linked_id, &channel.name).filter(|_| dialled);
        match found {
            Some(found) if !found.is_late(&target) => {
                out.started(target, &found, None);
                let parent = found.serial;
                let serial = self.channels.start(channel);
                self.channels.leg_started(serial, parent);
            }
            found => {
                channel.leg = if found.is_some() { LegState::Late } else { LegState::None };
                self.channels.start(channel);
            }
        }
    }

    fn channel_changed(&mut self, serial: u64, row: &CelRow<'_>, out: &mut Out<'_, impl Sink>) {
        match row.event {
            b"APP_START" => {
                if let Some(how) = How::of(row.application, row.data) {
                    self.channels.dial(serial, how);
                    self.consulted(row, out);
                }
            }
            b"APP_END" => {
                if How::of(row.application, b"").is_some() {
                    self.channels.dial_over(serial);
                }
            }
            b"HANGUP" | b"CHAN_END" => self.ended(serial, row, out),
            _ => {
                // Sites choose which applications have rows of their own; all rows name the one they are from.
                if let Some(how @ How::Within(_)) = How::of(row.application, row.data) {
                    self.channels.dial_within(serial, how);
                }
                match row.event {
                    b"ANSWER" => self.answered(serial, row, out),
                    b"BRIDGE_EXIT" => self.channels.moved(serial),
                    _ => {}
                }
            }
        }
    }

    fn answered(&mut self, serial: u64, row: &CelRow<'_>, out: &mut Out<'_, impl Sink>) {
        self.start_late(serial, row, out);
        self.start_opened(serial, row, out);
        if let Some(Channel { opened: LegState::Started { .. }, name, .. }) = self.channels.get(serial) {
            out.event(channel::leg(name), CallEventKind::Answered);
            self.channels.set_opened(serial, LegState::Answered);
        }
        self.channels.dial_answered(serial);
        let Some(Channel { leg: LegState::Started { parent }, name, .. }) = self.channels.get(serial) else {
            return;
        };
        out.event(channel::leg(name), CallEventKind::Answered);
        let parent = *parent;
        self.channels.set_leg(serial, LegState::Answered);
        self.channels.dial_answered(parent);
    }

    /// A party of a call under way has had another number dialled by a feature code, over an internal leg. The
    /// second half of that leg shows the number of whoever pressed the code.
    fn consulted(&self, row: &CelRow<'_>, out: &mut Out<'_, impl Sink>) {
        let Some(id) = row.channel.strip_suffix(b";2").filter(|id| channel::is_local(id)) else { return };
        let mut channels = self.channels.of_call(row.linked_id).map(|(_, channel)| channel);
        let Some(LegState::Started { parent }) =
            channels.find(|channel| channel.name.strip_suffix(b";1") == Some(id)).map(|channel| channel.leg)
        else {
            return;
        };
        // A phone that redirects a call does so before there is an answer.
        let under_way = self
            .channels
            .get(parent)
            .and_then(|parent| parent.dial.as_ref())
            .is_some_and(|dial| dial.answered && matches!(dial.how, How::String(_)));
        let by = row.number;
        let is_party = |channel: &Channel| channel::leg(&channel.name).party == Party::Peer(by);
        if under_way && self.channels.of_call(row.linked_id).any(|(_, channel)| is_party(channel)) {
            out.event(channel::leg(row.channel), CallEventKind::Diverted { by });
        }
    }

    fn ended(&mut self, serial: u64, row: &CelRow<'_>, out: &mut Out<'_, impl Sink>) {
        self.start_late(serial, row, out);
        self.start_opened(serial, row, out);
        let Some(channel) = self.channels.remove(serial) else { return };
        if let Some(code) = channel.code() {
            let kind = CallEventKind::CodeDialled {
                dialled: &code.extension,
                from_outside: channel::from_outside(&code.context),
                account: out.account,
                source_address: b"",
            };
            out.event(channel::leg(&channel.name), kind);
        }
        let cause = row.extra.hangup_cause();
        if let Some(outcome) = channel.leg.outcome(cause).or_else(|| channel.opened.outcome(cause)) {
            out.event(channel::leg(&channel.name), CallEventKind::Ended { outcome });
        }
    }

    /// Starts a leg whose number was not known before: by now the leg's own row has it.
    fn start_late(&mut self, serial: u64, row: &CelRow<'_>, out: &mut Out<'_, impl Sink>) {
        let Some(Channel { leg: LegState::Late, name, .. }) = self.channels.get(serial) else { return };
        let Some(found) = parent::of(&self.channels, row.linked_id, name) else { return };
        out.started(channel::leg(name), &found, Some(row.extension));
        let parent = found.serial;
        self.channels.leg_started(serial, parent);
    }

    /// Starts a leg that the PBX opened by itself. The number it is for stands in no row, so that a call over a
    /// trunk is one to a number that nobody can read.
    fn start_opened(&mut self, serial: u64, row: &CelRow<'_>, out: &mut Out<'_, impl Sink>) {
        let Some(Channel { leg: LegState::None, opened: LegState::None, name, .. }) =
            self.channels.get(serial)
        else {
            return;
        };
        let target = channel::leg(name);
        if !row.application.eq_ignore_ascii_case(b"AppDial2") || target.party == Party::Internal {
            return;
        }
        let kind = CallEventKind::Started {
            origin: Leg { id: b"", party: Party::None },
            dialled: b"",
            sent: b"",
            rang: b"",
            from_outside: channel::from_outside(row.context),
            account: out.account,
            source_address: b"",
        };
        out.event(target, kind);
        self.channels.set_opened(serial, LegState::Started { parent: serial });
    }

    fn transferred(&mut self, row: &CelRow<'_>, out: &mut Out<'_, impl Sink>) {
        let Some(transfer) = row.extra.transfer() else { return };
        if let Some((unique_id, stand)) = transfer.onward() {
            // What the party that was sent on dials next, it may dial without a row of its own.
            if let Some(serial) = self.channels.find(unique_id) {
                self.channels.dial_transferred(serial, stand);
            }
        }
        if let Party::Peer(by) = channel::leg(row.channel).party {
            for party in transfer.parties() {
                out.event(channel::leg(party), CallEventKind::Diverted { by });
            }
        }
    }
}

/// Where the events of one row go.
struct Out<'a, S> {
    at: EventTime,
    call_id: &'a [u8],
    account: &'a [u8],
    place: Place,
    sink: &'a mut S,
    yielded: bool,
}

impl<S: Sink> Out<'_, S> {
    fn event(&mut self, target: Leg<'_>, kind: CallEventKind<'_>) {
        self.event_of(self.call_id, target, kind);
    }

    fn event_of(&mut self, call_id: &[u8], target: Leg<'_>, kind: CallEventKind<'_>) {
        let event = CallEvent { at: self.at, target, call_id, tenant: b"", kind };
        self.sink.record(self.place, &Record::CallEvent(event));
        self.yielded = true;
    }

    /// `known` is what the leg's own row says was dialled.
    fn started(&mut self, target: Leg<'_>, parent: &Parent<'_>, known: Option<&[u8]>) {
        let (data, behalf) = match parent.dial.map(|dial| &dial.how) {
            Some(How::String(data)) => (&data[..], &b""[..]),
            Some(How::Within(behalf)) => (&b""[..], &behalf[..]),
            _ => (&b""[..], &b""[..]),
        };
        let stand = parent.stand();
        let number = known.filter(|number| !channels::is_special(number));
        let sent = if parent.fits == Match::No || known.is_some() {
            b""
        } else {
            let own = parent.dial.and_then(|dial| dial.target(&target));
            own.map_or_else(|| channel::sent(data, target), |(_, dialled)| dialled.number)
        };
        let rang = match target.party {
            Party::Internal if behalf.is_empty() => channel::rang(data, target),
            Party::Internal => behalf,
            _ => b"",
        };
        let kind = CallEventKind::Started {
            origin: channel::leg(&parent.channel.name),
            dialled: number.unwrap_or(&stand.extension),
            sent,
            rang,
            from_outside: channel::from_outside(&stand.context),
            account: self.account,
            source_address: b"",
        };
        self.event(target, kind);
    }
}
