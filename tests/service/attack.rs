//! A night on one extension, as Asterisk writes it into `Master.csv`.
use chrono::{DateTime, FixedOffset};
use std::fmt::Write as _;

/// The night of 7 March 2026, 3:00 in Tokyo.
const BEGIN: i64 = 1_772_820_000;

/// Calls of two minutes to Guinea, from extension 105, every ten seconds.
pub(crate) fn rows(calls: std::ops::Range<i64>) -> String {
    let zone = FixedOffset::east_opt(9 * 3600).unwrap();
    calls.fold(String::new(), |mut rows, call| {
        let begun = BEGIN + 10 * call;
        let at = |second: i64| {
            DateTime::from_timestamp(begun + second, 0).unwrap().with_timezone(&zone).format("%Y-%m-%d %H:%M:%S")
        };
        let number = format!("01022465550{:04}", call % 10_000);
        writeln!(
            rows,
            "\"\",\"105\",\"{number}\",\"from-internal\",\"\"\"105\"\" <105>\",\"PJSIP/105-{call:08x}\",\
             \"PJSIP/trunk-{call:08x}\",\"Dial\",\"PJSIP/{number}@trunk\",\"{}\",\"{}\",\"{}\",125,120,\"ANSWERED\",\
             \"DOCUMENTATION\",\"{begun}.{call}\",\"\"",
            at(0),
            at(5),
            at(125)
        )
        .unwrap();
        rows
    })
}
