//! What the PBX adds to a call: channel names, unique ids, and the microseconds between one step and the next.
//!
//! Names, counters and the order of steps are those of Asterisk 20.20 with chan_pjsip. Numbers are given out in the order in
//! which channels are created, over all calls, as the PBX does.

use crate::call::{Call, Outcome, Route, SECOND, Side};
use crate::random::Random;

/// Which of a call's channels. A forwarded call has all four, one to a feature the first only, any other the first and
/// the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Caller,
    LocalFirst,
    LocalSecond,
    Called,
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Channel {
    pub(crate) role: Role,
    pub(crate) name: String,
    pub(crate) unique_id: String,
    pub(crate) created_at: i64,
}

/// A call with its channels and the instants of its steps, all in microseconds since 1970 UTC.
#[derive(Debug, Clone)]
pub(crate) struct Placed<'a> {
    pub(crate) call: &'a Call,
    pub(crate) channels: Vec<Channel>,
    pub(crate) application_at: i64,
    /// When the caller's channel was answered; none if it never was.
    pub(crate) answered_at: Option<i64>,
    /// When the first channel left the bridge, or `Dial` gave up.
    pub(crate) released_at: i64,
    /// When the last channel was gone: the records are written then.
    pub(crate) ended_at: i64,
    /// Stream for what only CEL shows.
    pub(crate) random: Random,
}

impl Placed<'_> {
    pub(crate) fn channel(&self, role: Role) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.role == role)
    }

    /// The name of a channel, empty where there is none.
    pub(crate) fn name(&self, role: Role) -> &str {
        self.channel(role).map_or("", |channel| &channel.name)
    }

    /// The unique id of a channel, empty where there is none.
    pub(crate) fn unique_id(&self, role: Role) -> &str {
        self.channel(role).map_or("", |channel| &channel.unique_id)
    }

    /// Who hung up, if it was answered.
    pub(crate) fn released_by(&self) -> Side {
        match self.call.outcome {
            Outcome::Answered { released_by, .. } => released_by,
            _ => Side::Caller,
        }
    }
}

/// Gives every call its channels. `numbers` are the extensions' numbers.
pub(crate) fn place<'a>(calls: &'a [Call], numbers: &[&str], seed: u64) -> Vec<Placed<'a>> {
    let mut placed: Vec<Placed<'a>> =
        calls.iter().enumerate().map(|(index, call)| timed(call, index, seed)).collect();
    let mut creations: Vec<(i64, usize, usize)> = Vec::with_capacity(placed.len() * 2);
    for (call, one) in placed.iter().enumerate() {
        creations.extend(
            one.channels.iter().enumerate().map(|(place, channel)| (channel.created_at, call, place)),
        );
    }
    creations.sort_unstable();
    let (mut next_channel, mut next_local) = (0_u32, 0_u32);
    for (number, (created_at, call, place)) in creations.into_iter().enumerate() {
        let Some(one) = placed.get_mut(call) else { continue };
        let route = &one.call.route;
        let Some(channel) = one.channels.get_mut(place) else { continue };
        channel.unique_id = format!("{}.{number}", created_at.div_euclid(SECOND));
        let dialled = route.dialled().unwrap_or_default();
        channel.name = match channel.role {
            Role::LocalFirst => format!("Local/{dialled}@from-internal-{next_local:08x};1"),
            Role::LocalSecond => {
                next_local += 1;
                format!("Local/{dialled}@from-internal-{:08x};2", next_local - 1)
            }
            role => {
                next_channel += 1;
                format!("PJSIP/{}-{:08x}", peer(route, role, numbers), next_channel - 1)
            }
        };
    }
    placed
}

/// The endpoint behind an end of a call.
pub(crate) fn peer<'a>(route: &Route, role: Role, numbers: &[&'a str]) -> &'a str {
    let extension = match (route, role) {
        (
            Route::Internal { caller, .. } | Route::Outgoing { caller, .. } | Route::Feature { caller, .. },
            Role::Caller,
        ) => caller,
        (Route::Internal { called, .. } | Route::Incoming { called, .. }, Role::Called) => called,
        _ => return "trunk",
    };
    numbers.get(*extension).copied().unwrap_or_default()
}

fn timed(call: &Call, index: usize, seed: u64) -> Placed<'_> {
    let mut random = Random::new(Random::named(seed, "switch").next_u64().wrapping_add(index as u64));
    let mut now = call.started_at;
    let mut channels = Vec::with_capacity(2);
    let channel =
        |role, created_at| Channel { role, name: String::new(), unique_id: String::new(), created_at };
    channels.push(channel(Role::Caller, now));
    now += random.between(8, 71) * 50;
    let application_at = now;
    if matches!(call.route, Route::Forwarded { .. }) {
        now += random.between(4, 11) * 50;
        channels.push(channel(Role::LocalFirst, now));
        channels.push(channel(Role::LocalSecond, now + 33));
        // The second dial plan run starts its own application a quarter of a millisecond on.
        now += 290;
    }
    now += random.between(10, 41) * 50;
    if !matches!(call.route, Route::Feature { .. }) {
        channels.push(channel(Role::Called, now));
    }
    let answered_at = call.talk().map(|_| (call.started_at + call.ring).max(now + 2_000));
    let released_at = match answered_at {
        Some(answered_at) => answered_at + call.talk().unwrap_or(0),
        None => (call.started_at + call.ring).max(now + 2_000),
    };
    let ended_at = released_at + if answered_at.is_some() { 9_000 } else { 2_000 };
    Placed { call, channels, application_at, answered_at, released_at, ended_at, random }
}
