//! The manager interface (AMI): events of channels while calls are under way, turned into the rows that
//! [`CelTracker`] follows, and the call records it sends.
//!
//! A channel tells of itself twice where the PBX sends CEL over the interface as well. Then the channel events count:
//! they come first, and show each dial string.
mod applications;
mod clock;
mod listing;
mod packet;
mod packets;
#[cfg(test)]
mod tests;

use super::CelTracker;
use super::cel::{CelRow, Extra, Transfer};
use super::cel_csv;
use crate::call::{Reader, creation_epoch};
use crate::csv::{Fault, Scratch};
use crate::descriptor::{ABSENT, Plan};
use crate::{EventTime, Place, RejectReason, Sink};
use applications::{Applications, Step};
use clock::Clock;
use listing::Listing;
use packet::Packet;
use packets::Packets;
use serde::{Deserialize, Serialize};

/// Of a channel that is up; the others are of one that is not yet.
const STATE_UP: &[u8] = b"6";

/// Reads one stream of the manager interface.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ami {
    packets: Packets,
    clock: Clock,
    applications: Applications,
    listing: Listing,
    /// Channels have told of themselves, so that CEL has nothing to add.
    has_channel_events: bool,
}

impl Ami {
    /// Decodes the whole packets at the start of `block` and returns the bytes they take.
    pub(crate) fn decode<S: Sink>(
        &mut self,
        plan: &'static Plan,
        reader: &mut Reader,
        tracker: &mut CelTracker,
        (block, end_of_input): (&[u8], bool),
        sink: &mut S,
    ) -> usize {
        // Taken out so that events can change the rest meanwhile.
        let mut packets = std::mem::take(&mut self.packets);
        let taken = packets.scan(block, end_of_input, sink, |packet, place, sink| {
            let mut event = Event { ami: self, packet, reader, tracker, place, sink, yielded: false };
            event.read(plan)?;
            if !event.yielded {
                sink.passed_over(place);
            }
            Ok(())
        });
        self.packets = packets;
        taken
    }

    /// Goes on where an earlier file of the same stream ended.
    pub(crate) fn take_over(&mut self, earlier: &mut Self) {
        let packets = std::mem::take(&mut self.packets);
        *self = Self { packets, ..std::mem::take(earlier) };
    }
}

/// An event being read.
struct Event<'e, S> {
    ami: &'e mut Ami,
    packet: Packet<'e>,
    reader: &'e mut Reader,
    tracker: &'e mut CelTracker,
    place: Place,
    sink: &'e mut S,
    yielded: bool,
}

impl<S: Sink> Event<'_, S> {
    fn read(&mut self, plan: &'static Plan) -> Result<(), Fault> {
        self.ami.clock.hear(self.packet)?;
        match self.packet.head() {
            Some((key, name)) if key.eq_ignore_ascii_case(b"Event") => self.event(name, plan),
            // What the interface answers to whoever asks it for something.
            Some((key, _)) if key.eq_ignore_ascii_case(b"Response") => Ok(()),
            // A time of receipt alone.
            None if self.packet.received().is_some() => Ok(()),
            _ => Err(RejectReason::Shape.into()),
        }
    }

    fn event(&mut self, name: &[u8], plan: &'static Plan) -> Result<(), Fault> {
        match name {
            b"Newchannel" | b"Newexten" | b"Newstate" | b"BridgeEnter" | b"BridgeLeave" | b"Hangup" => {
                self.ami.has_channel_events = true;
                self.channel(name)
            }
            b"BlindTransfer" => self.blind_transfer(),
            b"AttendedTransfer" => self.attended_transfer(),
            b"CoreShowChannel" => {
                self.ami.listing.add(self.packet)?;
                Ok(())
            }
            b"CoreShowChannelsComplete" => self.listed(),
            b"CEL" if !self.ami.has_channel_events => self.cel(),
            b"Cdr" => self.cdr(plan),
            _ => Ok(()),
        }
    }

    fn channel(&mut self, name: &[u8]) -> Result<(), Fault> {
        let packet = self.packet;
        let mut row = CelRow {
            event: b"",
            number: known(packet.value("CallerIDNum")),
            extension: packet.value("Exten"),
            context: packet.value("Context"),
            channel: needed(packet, "Channel")?,
            application: b"",
            data: b"",
            account: packet.value("AccountCode"),
            unique_id: needed(packet, "Uniqueid")?,
            linked_id: needed(packet, "Linkedid")?,
            extra: Extra::Text(b""),
        };
        let created = if name == b"Newchannel" { creation_epoch(row.unique_id) } else { None };
        let at = self.at(created)?;
        match name {
            b"Newchannel" => {
                // It may have been listed already.
                if !self.tracker.knows(row.unique_id) {
                    row.event = b"CHAN_START";
                    self.take(at, &row);
                }
                return Ok(());
            }
            b"Newexten" => {
                self.execute(at, row);
                return Ok(());
            }
            b"Newstate" if packet.value("ChannelState") != STATE_UP => return Ok(()),
            b"Newstate" => row.event = b"ANSWER",
            b"BridgeLeave" => row.event = b"BRIDGE_EXIT",
            b"Hangup" => {
                row.event = b"HANGUP";
                let cause = std::str::from_utf8(packet.value("Cause")).ok();
                row.extra = Extra::Cause(cause.and_then(|cause| cause.parse().ok()));
            }
            _ => {}
        }
        let application = self.ami.applications.of(row.unique_id);
        (row.application, row.data) = (&application.name, &application.data);
        self.yielded |= self.tracker.take(at, &row, self.place, self.sink);
        if name == b"Hangup" {
            self.ami.applications.forget(packet.value("Uniqueid"));
        }
        Ok(())
    }

    /// A channel is at another place of the dialplan, or in another application.
    fn execute(&mut self, at: EventTime, row: CelRow<'_>) {
        let (application, data) = (self.packet.value("Application"), self.packet.value("AppData"));
        let mut row = CelRow { application, data, ..row };
        match self.ami.applications.step(&row) {
            Step::Moved => row.event = b"",
            Step::Begun(None) => row.event = b"APP_START",
            Step::Begun(Some(before)) => {
                let end = CelRow {
                    event: b"APP_END",
                    extension: &before.extension,
                    context: &before.context,
                    application: &before.name,
                    data: &before.data,
                    ..row
                };
                self.take(at, &end);
                row.event = b"APP_START";
            }
        }
        self.take(at, &row);
    }

    fn blind_transfer(&mut self) -> Result<(), Fault> {
        if self.packet.value("Result") != b"Success" {
            return Ok(());
        }
        let transfer = Transfer {
            extension: self.text("Extension"),
            context: self.text("Context"),
            transferee: self.text("TransfereeChannel"),
            transferee_unique_id: self.text("TransfereeUniqueid"),
            target: None,
        };
        self.transfer(b"BLINDTRANSFER", "Transferer", &transfer)
    }

    fn attended_transfer(&mut self) -> Result<(), Fault> {
        if self.packet.value("Result") != b"Success" {
            return Ok(());
        }
        let transfer = Transfer {
            transferee: self.text("TransfereeChannel"),
            transferee_unique_id: self.text("TransfereeUniqueid"),
            target: self.text("TransferTargetChannel"),
            ..Transfer::default()
        };
        self.transfer(b"ATTENDEDTRANSFER", "OrigTransferer", &transfer)
    }

    /// `of` stands in front of the keys of the channel that transfers.
    fn transfer(&mut self, event: &[u8], of: &str, transfer: &Transfer) -> Result<(), Fault> {
        let value = |key: &str| self.packet.value(&format!("{of}{key}"));
        let (unique_id, linked_id) = (value("Uniqueid"), value("Linkedid"));
        let row = CelRow {
            event,
            number: known(value("CallerIDNum")),
            extension: value("Exten"),
            context: value("Context"),
            channel: value("Channel"),
            application: b"",
            data: b"",
            account: value("AccountCode"),
            unique_id,
            linked_id: if linked_id.is_empty() { unique_id } else { linked_id },
            extra: Extra::Transfer(transfer),
        };
        let at = self.at(None)?;
        self.take(at, &row);
        Ok(())
    }

    /// All channels there are have been listed: those that are new began while nobody listened, and those that are
    /// missing ended.
    fn listed(&mut self) -> Result<(), Fault> {
        let at = self.at(None)?;
        let listing = std::mem::take(&mut self.ami.listing);
        let told =
            std::str::from_utf8(self.packet.value("ListItems")).ok().and_then(|told| told.parse().ok());
        let Self { ami, tracker, place, sink, .. } = self;
        self.yielded |= listing.catch_up(told, at, tracker, &mut ami.applications, *place, *sink);
        Ok(())
    }

    fn cel(&mut self) -> Result<(), Fault> {
        let packet = self.packet;
        let row = CelRow {
            event: needed(packet, "EventName")?,
            number: packet.value("CallerIDnum"),
            extension: packet.value("Exten"),
            context: packet.value("Context"),
            channel: packet.value("Channel"),
            application: packet.value("Application"),
            data: packet.value("AppData"),
            account: packet.value("AccountCode"),
            unique_id: needed(packet, "UniqueID")?,
            linked_id: needed(packet, "LinkedID")?,
            extra: Extra::Text(packet.value("Extra")),
        };
        let created = creation_epoch(row.unique_id);
        let starts = created.filter(|_| row.event == b"CHAN_START");
        let Self { ami, reader, .. } = self;
        let written = || cel_csv::written_time(packet.value("EventTime"), || created, reader);
        let (at, guessed) = ami.clock.at(packet, starts, written)?;
        self.reader.counters.untrusted_clock += u64::from(guessed);
        self.take(at, &row);
        Ok(())
    }

    /// The call record of a leg that is over, as `cdr_manager` sends it.
    fn cdr(&mut self, plan: &'static Plan) -> Result<(), Fault> {
        let Some(layout) = plan.layouts.first() else { return Err(RejectReason::Shape.into()) };
        if layout.columns.started == ABSENT {
            return Ok(());
        }
        let mut values = Scratch::default();
        for name in &plan.names {
            let mut keys = std::iter::once(&name.name).chain(&name.spellings);
            values.push(keys.find_map(|key| self.packet.find(key)).map_or(b"", |(_, value)| value));
        }
        self.reader.call(&values.row(), self.packet.bytes(), &layout.columns, plan, self.place, self.sink)?;
        // It has put a record into the sink, or passed it over.
        self.yielded = true;
        Ok(())
    }

    fn at(&mut self, created: Option<i64>) -> Result<EventTime, Fault> {
        let (at, guessed) = self.ami.clock.at(self.packet, created, || None)?;
        self.reader.counters.untrusted_clock += u64::from(guessed);
        Ok(at)
    }

    fn take(&mut self, at: EventTime, row: &CelRow<'_>) {
        self.yielded |= self.tracker.take(at, row, self.place, self.sink);
    }

    fn text(&self, key: &str) -> Option<String> {
        self.packet.find(key).map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }
}

/// A value without which nothing can be said.
fn needed<'a>(packet: Packet<'a>, key: &'static str) -> Result<&'a [u8], Fault> {
    let value = packet.value(key);
    if value.is_empty() { Err(RejectReason::Missing { key }.into()) } else { Ok(value) }
}

/// The interface has a word for a number that is not known.
fn known(value: &[u8]) -> &[u8] {
    if value == b"<unknown>" { b"" } else { value }
}
