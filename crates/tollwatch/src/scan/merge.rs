//! Several files as one stream, in the order in which their records came to be known.
use super::{Feed, Opened, Queue, Reading};
use tollwatch_cdr::Record;

/// What decides whose turn it is: the second in which a record was known, and within it the live events
/// first, since a CDR's end is written in whole seconds and is truly somewhere behind them.
type Turn = (i64, bool, i64, usize);

/// Reads all files into the engine. The records of one file keep their order.
pub(super) fn read_all(inputs: &mut [Opened], feed: &mut Feed<'_>, progress: &mut dyn FnMut(Reading)) {
    let mut queues: Vec<Queue> = inputs.iter().map(|_| Queue::default()).collect();
    let mut open = vec![true; inputs.len()];
    loop {
        for ((input, queue), open) in inputs.iter_mut().zip(&mut queues).zip(&mut open) {
            while *open && queue.next >= queue.records.len() {
                queue.records.clear();
                queue.next = 0;
                *open = input.step(|record| queue.records.push(record));
            }
        }
        feed.drop_alerts();
        progress(Reading { bytes: inputs.iter().map(|input| input.blocks.input().position()).sum() });
        // The files whose turn is furthest away wait; the nearest gives records until another is nearer.
        let Some((turn, nearest)) = turns(&queues).min().map(|turn| (turn, turn.3)) else { return };
        let limit = turns(&queues).filter(|other| other.3 != turn.3).min();
        let Some(queue) = queues.get_mut(nearest) else { return };
        while let Some(record) = queue.records.get(queue.next) {
            if limit.is_some_and(|limit| turn_of(&record, nearest) > limit) {
                break;
            }
            feed.take(&record);
            queue.next += 1;
        }
    }
}

fn turns(queues: &[Queue]) -> impl Iterator<Item = Turn> + '_ {
    queues
        .iter()
        .enumerate()
        .filter_map(|(index, queue)| queue.records.get(queue.next).map(|record| turn_of(&record, index)))
}

fn turn_of(record: &Record<'_>, index: usize) -> Turn {
    let at = record.known_at();
    (at.seconds(), matches!(record, Record::Cdr(_)), at.micros(), index)
}
