//! What a call costs whose key has many that start within the same seconds: nanoseconds a call, for twice as many each
//! time. `cargo run --release -p tollwatch-stats --example crowd`
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program that measures")]
use std::time::Instant;
use tollwatch_cdr::EventTime;
use tollwatch_numbering::Money;
use tollwatch_stats::{CallId, CallStat, Traits, WindowSpec, WindowSpecs, Windows};

fn call(name: u64, second: i64) -> CallStat {
    let first_at = EventTime::from_seconds(second);
    CallStat {
        first_at,
        last_at: first_at,
        ended_at: first_at.plus_seconds(30),
        call: name,
        call_id: CallId::default(),
        number: 224_655_500_001,
        extension: 0,
        destination: 1,
        country: 1,
        traits: Traits::INTERNATIONAL,
        attempts: 1,
        answered: 1,
        failed: 0,
        billable_seconds: 30,
        cost: Money::from_units(1),
    }
}

fn main() {
    let specs = WindowSpecs::new(
        (1..=20).map(|n| WindowSpec { traits: Traits::INTERNATIONAL, seconds: n * 600 }).collect(),
    );
    for seconds in [1, 10] {
        for calls in [20_000_u64, 40_000, 80_000] {
            let mut windows = Windows::default();
            let begin = Instant::now();
            let mut shown = 0_u64;
            for number in 1..=calls {
                // Names in no order, as hashes are; the records come when the calls are over.
                let name = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
                let second = (name >> 7) as i64 % seconds;
                let now = EventTime::from_seconds(60);
                windows.insert(&specs, call(name, second), now, &mut |_, _, totals| shown += totals.attempts);
            }
            let each = begin.elapsed().as_nanos() / u128::from(calls);
            println!(
                "{calls} calls within {seconds} s: {each} ns each, {} entries, {shown}",
                windows.calls().len()
            );
        }
    }
}
