//! Several files as one stream, in the order in which their records came to be known.
use super::{Feed, Opened, Quarantine, Queue, Reading};
use tollwatch_cdr::{EventTime, Record};

/// What decides whose turn it is: the second in which a record was known, and within it the live events
/// first, since a CDR's end is written in whole seconds and is truly somewhere behind them.
pub(crate) type Turn = (i64, bool, i64, usize);

/// How far a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A log of live events whose time has not come: it may go on where another file ends.
    NotBegun(EventTime),
    Reading,
    /// Read to its end; `true` if another file has taken over from it.
    Ended(bool),
}

/// Reads all files into the engine. The records of one file keep their order.
pub(super) fn read_all(
    inputs: &mut [Opened],
    feed: &mut Feed<'_>,
    mut quarantine: Option<&mut Quarantine>,
    progress: &mut dyn FnMut(Reading),
) {
    let mut queues: Vec<Queue> = inputs.iter().map(|_| Queue::default()).collect();
    let first_events: Vec<Option<EventTime>> = inputs.iter().map(Opened::first_event).collect();
    let mut states: Vec<State> =
        first_events.iter().map(|first| first.map_or(State::Reading, State::NotBegun)).collect();
    loop {
        for ((input, queue), state) in inputs.iter_mut().zip(&mut queues).zip(&mut states) {
            while *state == State::Reading && queue.next >= queue.records.len() {
                queue.records.clear();
                queue.next = 0;
                if !input.step(quarantine.as_deref_mut(), |record| queue.records.push(record)) {
                    *state = State::Ended(false);
                }
            }
        }
        feed.drop_alerts();
        progress(Reading { bytes: inputs.iter().map(|input| input.blocks.input().position()).sum() });
        // The files whose turn is furthest away wait; the nearest gives records until another is nearer.
        let Some((turn, nearest)) = turns(&queues, &states).min().map(|turn| (turn, turn.3)) else { return };
        if let Some(State::NotBegun(_)) = states.get(nearest) {
            begin(inputs, &mut states, &first_events, nearest);
            continue;
        }
        let limit = turns(&queues, &states).filter(|other| other.3 != turn.3).min();
        let Some(queue) = queues.get_mut(nearest) else { return };
        while let Some(record) = queue.records.get(queue.next) {
            if limit.is_some_and(|limit| turn_of(&record, nearest) > limit) {
                break;
            }
            feed.take(nearest, &record);
            queue.next += 1;
        }
    }
}

/// A log of live events begins. If another of the same PBX has ended, it is the same log after a rotation: what was
/// up then is up still.
fn begin(inputs: &mut [Opened], states: &mut [State], first_events: &[Option<EventTime>], index: usize) {
    let pbx = |at: usize| inputs.get(at).map(|input| (&input.source.tenant, input.source.system));
    let ended = states.iter().zip(first_events).enumerate().filter_map(|(at, (state, first))| {
        let first = (*first)?;
        (*state == State::Ended(false) && pbx(at) == pbx(index)).then_some((first, at))
    });
    let earlier = ended.max().map(|(_, at)| at);
    if let Some(earlier) = earlier
        && let Ok([from, to]) = inputs.get_disjoint_mut([earlier, index])
    {
        to.decoder.take_over(&mut from.decoder);
        if let Some(state) = states.get_mut(earlier) {
            *state = State::Ended(true);
        }
    }
    if let Some(state) = states.get_mut(index) {
        *state = State::Reading;
    }
}

fn turns(queues: &[Queue], states: &[State]) -> impl Iterator<Item = Turn> {
    queues.iter().zip(states).enumerate().filter_map(|(index, (queue, state))| match state {
        State::NotBegun(at) => Some((at.seconds(), false, at.micros(), index)),
        _ => queue.records.get(queue.next).map(|record| turn_of(&record, index)),
    })
}

/// When the turn of a record of the input at `index` is.
pub(crate) fn turn_of(record: &Record<'_>, index: usize) -> Turn {
    let at = record.known_at();
    (at.seconds(), matches!(record, Record::Cdr(_)), at.micros(), index)
}
