//! The windows and the measures against oracles that count everything from scratch.
mod measures;
mod windows;

use std::collections::BTreeMap;
use tollwatch_cdr::EventTime;
use tollwatch_numbering::Money;
use tollwatch_stats::{CallId, CallStat, Totals, Traits, WindowSpec, WindowSpecs};

const SPECS: [WindowSpec; 4] = [
    WindowSpec { traits: Traits::ANY, seconds: 60 },
    WindowSpec { traits: Traits::HIGH_RISK, seconds: 60 },
    WindowSpec { traits: Traits::INTERNATIONAL, seconds: 600 },
    WindowSpec { traits: Traits::INTERNATIONAL, seconds: 3600 },
];

fn specs() -> WindowSpecs {
    WindowSpecs::new(SPECS.to_vec())
}

fn at(seconds: i64) -> EventTime {
    EventTime::from_seconds(seconds)
}

/// A call to abroad; with negative `seconds` it goes on, with none it failed.
fn call(call: u64, start: i64, seconds: i64, high_risk: bool, number: u64) -> CallStat {
    let traits =
        if high_risk { Traits::INTERNATIONAL.with(Traits::HIGH_RISK) } else { Traits::INTERNATIONAL };
    CallStat {
        first_at: at(start),
        last_at: at(start),
        ended_at: if seconds < 0 { EventTime::MAX } else { at(start + seconds) },
        call,
        call_id: CallId::default(),
        number,
        extension: 0,
        destination: (number % 2) as u16,
        country: 0,
        traits,
        attempts: 1,
        answered: u32::from(seconds > 0),
        failed: u32::from(seconds == 0),
        billable_seconds: seconds.max(0) as u32,
        cost: Money::from_units(seconds.max(0)),
    }
}

fn collect(seen: &mut BTreeMap<(usize, EventTime), Totals>) -> impl FnMut(usize, EventTime, &Totals) + '_ {
    |index, edge, totals| {
        assert!(seen.insert((index, edge), *totals).is_none(), "a window is shown once");
    }
}
