//! Call events as Asterisk's `cel_custom` writes them with its sample mapping of 20 columns and every event on but those of
//! played sounds.
//!
//! Columns: eventtype, eventtime (epoch, microseconds), caller id name, caller id number, ANI, RDNIS, DNID, exten, context,
//! channel, application, its data, amaflags as a number, accountcode, uniqueid, linkedid, peer, userfield, user-defined type,
//! extra (JSON). The sequences are those of Asterisk 20.20 for a `Dial` between two chan_pjsip channels. Here events stand in
//! order of time over all calls; a real PBX keeps that order per channel only.

use std::io::{self, Write};

use crate::call::{Outcome, Route, SECOND, Side};
use crate::case::Case;
use crate::cdr_csv::{dial_data, local_data, outside_name};
use crate::switch::{Placed, Role};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    ChannelStart,
    ApplicationStart,
    Answer,
    BridgeEnter,
    BridgeExit,
    ApplicationEnd,
    Hangup,
    ChannelEnd,
    LinkedIdEnd,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::ChannelStart => "CHAN_START",
            Self::ApplicationStart => "APP_START",
            Self::Answer => "ANSWER",
            Self::BridgeEnter => "BRIDGE_ENTER",
            Self::BridgeExit => "BRIDGE_EXIT",
            Self::ApplicationEnd => "APP_END",
            Self::Hangup => "HANGUP",
            Self::ChannelEnd => "CHAN_END",
            Self::LinkedIdEnd => "LINKEDID_END",
        }
    }

    fn is_end_of_channel(self) -> bool {
        matches!(self, Self::Hangup | Self::ChannelEnd | Self::LinkedIdEnd)
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) at: i64,
    pub(crate) kind: Kind,
    pub(crate) role: Role,
}

/// Writes `cel.csv`.
pub fn write_cel_csv(case: &Case, out: &mut impl Write) -> io::Result<()> {
    let placed = case.placed();
    let mut events = Vec::new();
    let mut bridges = Vec::with_capacity(placed.len());
    for (index, one) in placed.iter().enumerate() {
        bridges.push(bridge_ids(one));
        events.extend(sequence(one).into_iter().map(|event| (event.at, index, event)));
    }
    // Stable: events of one call at the same microsecond keep their order.
    events.sort_by_key(|(at, index, _)| (*at, *index));
    for (_, index, event) in events {
        if let (Some(one), Some(bridges)) = (placed.get(index), bridges.get(index)) {
            write_event(case, one, event, bridges, out)?;
        }
    }
    out.flush()
}

/// Steps from the far end's answer to both being bridged, in microseconds from the caller's own answer.
const DIRECT_UP: [(Kind, Role, i64); 4] = [
    (Kind::Answer, Role::Called, -300),
    (Kind::Answer, Role::Caller, 0),
    (Kind::BridgeEnter, Role::Called, 1_600),
    (Kind::BridgeEnter, Role::Caller, 1_900),
];

/// A feature answers, and nobody else is there.
const FEATURE_UP: [(Kind, Role, i64); 1] = [(Kind::Answer, Role::Caller, 0)];

/// The same as the first through a Local channel.
const FORWARDED_UP: [(Kind, Role, i64); 8] = [
    (Kind::Answer, Role::Called, -1_700),
    (Kind::Answer, Role::LocalSecond, -1_500),
    (Kind::BridgeEnter, Role::Called, -1_100),
    (Kind::BridgeEnter, Role::LocalSecond, -500),
    (Kind::Answer, Role::LocalFirst, -250),
    (Kind::Answer, Role::Caller, 0),
    (Kind::BridgeEnter, Role::LocalFirst, 5_100),
    (Kind::BridgeEnter, Role::Caller, 5_500),
];

/// Steps of a call in order, each a little after the one before.
pub(crate) fn sequence(placed: &Placed<'_>) -> Vec<Event> {
    let mut events = Vec::with_capacity(32);
    let mut random = placed.random.clone();
    random.next_u64();
    for channel in &placed.channels {
        events.push(Event { at: channel.created_at, kind: Kind::ChannelStart, role: channel.role });
        let starts_application = match channel.role {
            Role::Caller if is_feature(placed) => None,
            Role::Caller => Some(placed.application_at),
            Role::LocalSecond => Some(channel.created_at + 250),
            Role::LocalFirst | Role::Called => None,
        };
        if let Some(at) = starts_application {
            events.push(Event { at, kind: Kind::ApplicationStart, role: channel.role });
        }
    }
    let is_forwarded = placed.channels.len() == 4;
    if let Some(answered_at) = placed.answered_at {
        let up: &[(Kind, Role, i64)] = if is_forwarded {
            &FORWARDED_UP
        } else if is_feature(placed) {
            &FEATURE_UP
        } else {
            &DIRECT_UP
        };
        for (kind, role, offset) in up {
            // The caller's own answer is exact: the call record shows it.
            let jitter = if *offset == 0 { 0 } else { random.between(0, 9) * 10 };
            events.push(Event { at: answered_at + offset + jitter, kind: *kind, role: *role });
        }
    }
    let mut at = placed.released_at;
    for (kind, role) in release(placed, is_forwarded) {
        events.push(Event { at, kind, role });
        // HANGUP, CHAN_END and LINKEDID_END of a channel carry one instant.
        if !matches!(kind, Kind::Hangup) {
            at += random.between(1, 4) * 200;
        }
    }
    if let Some(last) = events.last().copied() {
        let at = events.iter().rev().nth(1).map_or(last.at, |before| before.at);
        if let Some(end) = events.last_mut() {
            end.at = at;
        }
    }
    events
}

/// Whether the PBX itself was called.
fn is_feature(placed: &Placed<'_>) -> bool {
    matches!(placed.call.route, Route::Feature { .. })
}

/// The steps from the moment a call is over.
fn release(placed: &Placed<'_>, is_forwarded: bool) -> Vec<(Kind, Role)> {
    if is_feature(placed) {
        return [Kind::Hangup, Kind::ChannelEnd, Kind::LinkedIdEnd].map(|kind| (kind, Role::Caller)).to_vec();
    }
    let leave = |role: Role| {
        let mut steps = vec![(Kind::BridgeExit, role)];
        if matches!(role, Role::Caller | Role::LocalSecond) {
            steps.push((Kind::ApplicationEnd, role));
        }
        steps.extend([(Kind::Hangup, role), (Kind::ChannelEnd, role)]);
        steps
    };
    let order: &[Role] = match (placed.answered_at, is_forwarded, placed.released_by()) {
        (Some(_), false, Side::Caller) => &[Role::Caller, Role::Called],
        (Some(_), true, Side::Caller) => &[Role::Caller, Role::LocalFirst, Role::LocalSecond, Role::Called],
        (Some(_), false, Side::Called) | (None, false, _) => &[Role::Called, Role::Caller],
        (Some(_), true, Side::Called) | (None, true, _) => {
            &[Role::Called, Role::LocalSecond, Role::LocalFirst, Role::Caller]
        }
    };
    let mut steps: Vec<(Kind, Role)> = order.iter().flat_map(|role| leave(*role)).collect();
    if placed.answered_at.is_none() {
        steps.retain(|(kind, _)| *kind != Kind::BridgeExit);
    }
    if let Some(last) = order.last() {
        steps.push((Kind::LinkedIdEnd, *last));
    }
    steps
}

/// What a channel looks like at one of its events.
#[derive(Debug, Default)]
pub(crate) struct View<'a> {
    pub(crate) name: &'a str,
    pub(crate) number: &'a str,
    ani: &'a str,
    redirecting: &'a str,
    dialled: &'a str,
    pub(crate) exten: &'a str,
    pub(crate) context: &'a str,
    pub(crate) application: &'a str,
    pub(crate) data: String,
    pub(crate) account: &'a str,
}

pub(crate) fn view<'a>(case: &'a Case, placed: &'a Placed<'a>, event: Event) -> View<'a> {
    let route = &placed.call.route;
    let is_start = event.kind == Kind::ChannelStart;
    let is_answered = placed.answered_at.is_some();
    let is_bridged = is_answered && !is_start && event.kind != Kind::Answer;
    let extension = |place: usize| case.office.extension(place);
    let account_of_caller = match route {
        Route::Internal { caller, .. } | Route::Outgoing { caller, .. } | Route::Feature { caller, .. } => {
            extension(*caller).map_or("", |extension| &*extension.account)
        }
        Route::Incoming { .. } | Route::Forwarded { .. } => "",
    };
    let redirecting = match route {
        Route::Forwarded { by, .. } if !is_start => case.office.number(*by),
        _ => "",
    };
    let dialled = match route {
        Route::Internal { called, .. } => case.office.number(*called),
        Route::Incoming { .. } => &case.office.direct_number,
        Route::Outgoing { dialled, .. }
        | Route::Forwarded { dialled, .. }
        | Route::Feature { dialled, .. } => dialled,
    };
    // The channel that runs the dial plan is in no application once it hangs up.
    let is_idle = is_start || event.kind.is_end_of_channel();
    let dial = |data: String| if is_idle { ("", String::new()) } else { ("Dial", data) };
    let appended = if is_start { ("", String::new()) } else { ("AppDial", "(Outgoing Line)".to_owned()) };
    let is_gone = event.kind.is_end_of_channel();
    match event.role {
        Role::Caller => {
            let (name, number, entered) = match route {
                Route::Outgoing { claimed: Some(claimed), .. } => ("", &**claimed, dialled),
                Route::Internal { caller, .. }
                | Route::Outgoing { caller, .. }
                | Route::Feature { caller, .. } => extension(*caller)
                    .map_or(("", "", dialled), |extension| (&*extension.name, &*extension.number, dialled)),
                Route::Incoming { caller, .. } | Route::Forwarded { caller, .. } => {
                    (outside_name(caller), &**caller, &*case.office.direct_number)
                }
            };
            let (exten, context) = match route {
                Route::Forwarded { .. } if is_gone => ("h", "from-internal"),
                Route::Forwarded { .. } if !is_start => (redirecting, "from-internal"),
                Route::Forwarded { .. } | Route::Incoming { .. } => (entered, "from-trunk"),
                _ if is_gone => ("h", "from-internal"),
                _ => (entered, "from-internal"),
            };
            let (application, data) = match route {
                Route::Feature { .. } if is_idle => ("", String::new()),
                Route::Feature { .. } => ("Answer", String::new()),
                Route::Forwarded { dialled, .. } => dial(local_data(dialled)),
                _ => dial(dial_data(case, route)),
            };
            let (ani, dnid) = if is_start { ("", "") } else { (number, entered) };
            View {
                name,
                number,
                ani,
                redirecting,
                dialled: dnid,
                exten,
                context,
                application,
                data,
                account: account_of_caller,
            }
        }
        Role::Called => {
            let exten = if is_start {
                "s"
            } else if is_bridged {
                ""
            } else {
                dialled
            };
            let (application, data) = appended;
            let view = View { redirecting, exten, application, data, ..View::default() };
            match route {
                Route::Internal { called, .. } | Route::Incoming { called, .. } => {
                    let (name, number, own) = extension(*called).map_or(("", "", ""), |extension| {
                        (&*extension.name, &*extension.number, &*extension.account)
                    });
                    View {
                        name,
                        number,
                        ani: if is_start { "" } else { number },
                        context: "from-internal",
                        account: if is_start { own } else { account_of_caller },
                        ..view
                    }
                }
                Route::Outgoing { .. } | Route::Forwarded { .. } | Route::Feature { .. } => View {
                    number: if is_start { "" } else { dialled },
                    context: "from-trunk",
                    account: if is_start { "" } else { account_of_caller },
                    ..view
                },
            }
        }
        Role::LocalFirst => {
            let (application, data) = appended;
            View {
                number: if is_start { "" } else { dialled },
                redirecting,
                exten: if is_start {
                    dialled
                } else if is_bridged {
                    ""
                } else {
                    redirecting
                },
                context: "from-internal",
                application,
                data,
                ..View::default()
            }
        }
        Role::LocalSecond => {
            let caller = match route {
                Route::Forwarded { caller, .. } if !is_start => caller,
                _ => "",
            };
            let (application, data) = dial(dial_data(case, route));
            View {
                number: caller,
                ani: caller,
                redirecting,
                exten: if is_gone { "h" } else { dialled },
                context: "from-internal",
                application,
                data,
                ..View::default()
            }
        }
    }
}

fn write_event(
    case: &Case,
    placed: &Placed<'_>,
    event: Event,
    bridges: &[String; 2],
    out: &mut impl Write,
) -> io::Result<()> {
    let view = view(case, placed, event);
    let Some(channel) = placed.channel(event.role) else { return Ok(()) };
    write!(
        out,
        "\"{}\",\"{}.{:06}\"",
        event.kind.name(),
        event.at.div_euclid(SECOND),
        event.at.rem_euclid(SECOND)
    )?;
    let fields = [
        view.name,
        view.number,
        view.ani,
        view.redirecting,
        view.dialled,
        view.exten,
        view.context,
        &channel.name,
        view.application,
        &view.data,
        "3",
        view.account,
        &channel.unique_id,
        placed.unique_id(Role::Caller),
        peer(placed, event),
        "",
        "",
    ];
    for field in fields {
        write!(out, ",\"{}\"", field.replace('"', "\"\""))?;
    }
    writeln!(out, ",\"{}\"", extra(placed, event, bridges).replace('"', "\"\""))
}

/// The channel already in the bridge as this one enters, or still in it as this one leaves.
fn peer<'a>(placed: &'a Placed<'a>, event: Event) -> &'a str {
    let other = match event.role {
        Role::Caller if placed.channels.len() == 4 => Role::LocalFirst,
        Role::Caller | Role::LocalSecond => Role::Called,
        Role::Called if placed.channels.len() == 4 => Role::LocalSecond,
        Role::LocalFirst | Role::Called => Role::Caller,
    };
    let is_second_in = matches!(event.role, Role::Caller | Role::LocalSecond);
    let is_first_out = placed.channels.len() == 2
        && match placed.released_by() {
            Side::Caller => event.role == Role::Caller,
            Side::Called => event.role == Role::Called,
        };
    match event.kind {
        Kind::BridgeEnter if is_second_in => placed.name(other),
        Kind::BridgeExit if is_first_out => placed.name(other),
        _ => "",
    }
}

fn extra(placed: &Placed<'_>, event: Event, bridges: &[String; 2]) -> String {
    match event.kind {
        Kind::BridgeEnter | Kind::BridgeExit => {
            let is_forwarded = placed.channels.len() == 4;
            let inner = usize::from(is_forwarded && matches!(event.role, Role::Caller | Role::LocalFirst));
            let bridge = bridges.get(inner).map_or("", |bridge| &**bridge);
            let technology =
                if event.kind == Kind::BridgeExit && !is_forwarded { "native_rtp" } else { "simple_bridge" };
            format!("{{\"bridge_id\":\"{bridge}\",\"bridge_technology\":\"{technology}\"}}")
        }
        Kind::Hangup => {
            let (cause, source, status) = hangup(placed, event);
            format!("{{\"hangupcause\":{cause},\"hangupsource\":\"{source}\",\"dialstatus\":\"{status}\"}}")
        }
        _ => String::new(),
    }
}

/// The Q.850 cause of a channel's end, which channel it was, and what became of its `Dial`.
pub(crate) fn hangup<'a>(placed: &'a Placed<'a>, event: Event) -> (u32, &'a str, &'static str) {
    let runs_dial_plan = matches!(event.role, Role::Caller | Role::LocalSecond);
    let (caller, called) = (placed.name(Role::Caller), placed.name(Role::Called));
    let by_plan = if runs_dial_plan { "dialplan/builtin" } else { called };
    // Q.850 causes; 127 and 0 are what chan_pjsip leaves for a cancelled and a timed-out Dial.
    let (cause, source, status) = match placed.call.outcome {
        Outcome::Answered { .. } if is_feature(placed) => (16, "dialplan/builtin", ""),
        Outcome::Answered { released_by: Side::Caller, .. } => (16, caller, "ANSWER"),
        Outcome::Answered { released_by: Side::Called, .. } => (16, called, "ANSWER"),
        Outcome::NoAnswer if runs_dial_plan => (16, by_plan, "NOANSWER"),
        Outcome::NoAnswer => (0, "", ""),
        Outcome::Cancelled if runs_dial_plan => (127, caller, "CANCEL"),
        Outcome::Cancelled => (127, "", ""),
        Outcome::Busy => (17, by_plan, "BUSY"),
        Outcome::NotFound => (1, by_plan, "NOANSWER"),
        Outcome::Congested => (34, by_plan, "CONGESTION"),
    };
    (cause, source, if runs_dial_plan { status } else { "" })
}

/// The ids of a call's bridges.
pub(crate) fn bridge_ids(placed: &Placed<'_>) -> [String; 2] {
    let mut random = placed.random.clone();
    [bridge_id(random.next_u64(), random.next_u64()), bridge_id(random.next_u64(), random.next_u64())]
}

/// A version 4 UUID.
fn bridge_id(high: u64, low: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0x0fff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}
