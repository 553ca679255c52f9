//! What Asterisk's manager interface sends to whoever is logged in with `read=call,dialplan,cdr` and `timestampevents=yes`:
//! packets of `Key: value` lines, each ended by CR LF and each packet by an empty line.
//!
//! The events and their keys are those of Asterisk 20.20, without those that say nothing of a call's legs (variables, device
//! states, caller ids). The steps of a call are those of its CEL rows; the call records come as its last channel is gone.

use std::io::{self, Write};

use crate::call::SECOND;
use crate::case::Case;
use crate::cdr_csv::{Row, local_time, rows};
use crate::cel_csv::{Event, Kind, bridge_ids, hangup, sequence, view};
use crate::switch::{Placed, Role};

/// What is said at an instant.
enum Said<'a> {
    Step(Event),
    Record(Box<Row<'a>>),
}

/// Writes a stream from its banner on.
pub fn write_ami(case: &Case, out: &mut impl Write) -> io::Result<()> {
    write!(out, "Asterisk Call Manager/9.0.0\r\n")?;
    packet(out, &[("Response", "Success"), ("ActionID", "1"), ("Message", "Authentication accepted")])?;
    let placed = case.placed();
    let mut said = Vec::new();
    for (index, one) in placed.iter().enumerate() {
        said.extend(sequence(one).into_iter().map(|event| (event.at, index, Said::Step(event))));
        said.extend(
            rows(case, one).into_iter().map(|row| (one.ended_at, index, Said::Record(Box::new(row)))),
        );
    }
    // Stable: what is said of one call at the same microsecond keeps its order.
    said.sort_by_key(|(at, index, _)| (*at, *index));
    let mut sequence = 0;
    for (at, index, said) in said {
        let Some(one) = placed.get(index) else { continue };
        let at = format!("{}.{:06}", at.div_euclid(SECOND), at.rem_euclid(SECOND));
        match said {
            Said::Step(event) => step(case, one, event, &at, out)?,
            Said::Record(row) => {
                record(case, one, &row, sequence, &at, out)?;
                sequence += 1;
            }
        }
    }
    out.flush()
}

fn packet(out: &mut impl Write, lines: &[(&str, &str)]) -> io::Result<()> {
    for (key, value) in lines {
        write!(out, "{key}: {value}\r\n")?;
    }
    write!(out, "\r\n")
}

/// The numbers of the states of a channel, and their names.
const DOWN: [&str; 2] = ["0", "Down"];
const RING: [&str; 2] = ["4", "Ring"];
const UP: [&str; 2] = ["6", "Up"];

fn step<'a>(
    case: &'a Case,
    placed: &'a Placed<'a>,
    event: Event,
    at: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let Some(channel) = placed.channel(event.role) else { return Ok(()) };
    let name = match event.kind {
        Kind::ChannelStart => "Newchannel",
        Kind::ApplicationStart => "Newexten",
        Kind::Answer => "Newstate",
        Kind::BridgeEnter => "BridgeEnter",
        Kind::BridgeExit => "BridgeLeave",
        Kind::Hangup => "Hangup",
        // The interface does not speak of them.
        Kind::ApplicationEnd | Kind::ChannelEnd | Kind::LinkedIdEnd => return Ok(()),
    };
    let privilege = if event.kind == Kind::ApplicationStart { "dialplan,all" } else { "call,all" };
    let is_dialling = matches!(event.role, Role::Caller);
    let [state, state_name] = match event.kind {
        Kind::ChannelStart | Kind::ApplicationStart => {
            if is_dialling {
                RING
            } else {
                DOWN
            }
        }
        Kind::Hangup if placed.answered_at.is_none() => {
            if is_dialling {
                RING
            } else {
                DOWN
            }
        }
        _ => UP,
    };
    let view = view(case, placed, event);
    let known = |text: &'a str| if text.is_empty() { "<unknown>" } else { text };
    let mut lines = vec![("Event", name), ("Privilege", privilege), ("Timestamp", at)];
    let bridges = bridge_ids(placed);
    if matches!(event.kind, Kind::BridgeEnter | Kind::BridgeExit) {
        let inner = placed.channels.len() == 4 && matches!(event.role, Role::Caller | Role::LocalFirst);
        let bridge = bridges.get(usize::from(inner)).map_or("", |bridge| &**bridge);
        lines.extend([
            ("BridgeUniqueid", bridge),
            ("BridgeType", "basic"),
            ("BridgeTechnology", "simple_bridge"),
            ("BridgeCreator", "<unknown>"),
            ("BridgeName", "<unknown>"),
            ("BridgeNumChannels", if event.kind == Kind::BridgeEnter { "2" } else { "1" }),
            ("BridgeVideoSourceMode", "none"),
        ]);
    }
    lines.extend([
        ("Channel", &*channel.name),
        ("ChannelState", state),
        ("ChannelStateDesc", state_name),
        ("CallerIDNum", known(view.number)),
        ("CallerIDName", known(view.name)),
        ("ConnectedLineNum", "<unknown>"),
        ("ConnectedLineName", "<unknown>"),
        ("Language", "en"),
        ("AccountCode", view.account),
        ("Context", view.context),
        ("Exten", view.exten),
        ("Priority", "1"),
        ("Uniqueid", &*channel.unique_id),
        ("Linkedid", placed.unique_id(Role::Caller)),
    ]);
    let cause;
    if event.kind == Kind::ApplicationStart {
        lines.extend([
            ("Extension", view.exten),
            ("Application", view.application),
            ("AppData", &*view.data),
        ]);
    } else if event.kind == Kind::Hangup {
        cause = hangup(placed, event).0.to_string();
        lines.extend([("Cause", &*cause), ("Cause-txt", "Normal Clearing")]);
    }
    packet(out, &lines)
}

fn record(
    case: &Case,
    placed: &Placed<'_>,
    row: &Row<'_>,
    sequence: u64,
    at: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let zone = case.office.zone;
    let (started, ended) = (local_time(row.started_at, zone), local_time(row.ended_at, zone));
    let answered = row.answered_at.map_or_else(String::new, |at| local_time(at, zone));
    let (duration, billable) = (row.duration().to_string(), row.billable_seconds().to_string());
    packet(
        out,
        &[
            ("Event", "Cdr"),
            ("Privilege", "cdr,all"),
            ("Timestamp", at),
            ("AccountCode", row.account),
            ("Source", row.source),
            ("Destination", row.destination),
            ("DestinationContext", row.context),
            ("CallerID", &row.caller_id),
            ("Channel", row.channel),
            ("DestinationChannel", row.destination_channel),
            ("LastApplication", row.application),
            ("LastData", &row.last_data),
            ("StartTime", &started),
            ("AnswerTime", &answered),
            ("EndTime", &ended),
            ("Duration", &duration),
            ("BillableSeconds", &billable),
            ("Disposition", row.disposition),
            ("AMAFlags", "DOCUMENTATION"),
            ("UniqueID", row.unique_id),
            ("UserField", ""),
            ("LinkedID", placed.unique_id(Role::Caller)),
            ("Sequence", &sequence.to_string()),
        ],
    )
}
