//! A million live keys.
use crate::process::{Outcome, Service, sum};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use tollwatch_simulate::Random;

/// Monday, 2 March 2026, 10:00 in Tokyo, in seconds of the day; and how long it takes until all have called.
const BEGINS: u64 = 36_000;
const TAKES: u64 = 1_800;
/// What rules say of an extension needs a name of six digits.
const MOST: u32 = 1_000_000;
const ROUNDS: u32 = 5;

pub(crate) fn run(keys: u32) -> Outcome<ExitCode> {
    if keys > MOST {
        return Err(format!("at most {MOST} keys").into());
    }
    let folder = Path::new("target/bench-keys");
    let limits = "[limits]\nkeys = 4000000\ncalls = 8000000\nlegs = 8000000\nrecords = 16000000\n";
    Service::prepare(folder, limits)?;
    let (mut service, _) = Service::start(folder)?;
    let mut bytes = Vec::new();
    for key in 0..keys {
        let at = BEGINS + TAKES * u64::from(key) / u64::from(keys);
        push(&mut bytes, key, key, at);
        if bytes.len() > 32 << 20 {
            service.append(&std::mem::take(&mut bytes), 0)?;
        }
    }
    service.append(&bytes, u64::from(keys))?;
    service.catch_up()?;
    let taken = service.taken()?;
    let metrics = service.metrics()?;
    println!("{keys} extensions with a call abroad each, within half an hour");
    let (watched, unattributed) = ("tollwatch_watched_calls_total", "tollwatch_unattributed_calls_total");
    println!("  watched calls: {}, unattributed {}", sum(&metrics, watched), sum(&metrics, unattributed));
    println!("  let go: {}", sum(&metrics, "tollwatch_state_evictions_total{"));
    println!("  alerts: {}", sum(&metrics, "tollwatch_alerts_total{"));
    println!(
        "  resident {:.0} MB (peak {:.0} MB), store {:.0} MB",
        taken.resident_megabytes,
        taken.peak_megabytes,
        service.store_megabytes()?
    );
    let mut random = Random::named(1, "changes");
    for round in 1..=ROUNDS {
        let before = service.metrics()?;
        let mut bytes = Vec::new();
        for call in 0..keys / 100 {
            let key = random.below(u64::from(keys)) as u32;
            let at = BEGINS + TAKES + u64::from(round) * 60 + u64::from(call) * 50 / u64::from(keys / 100);
            push(&mut bytes, key, keys * round + call, at);
        }
        service.append(&bytes, u64::from(keys / 100))?;
        service.catch_up()?;
        let after = service.metrics()?;
        let grown = |name: &str| sum(&after, name) - sum(&before, name);
        println!(
            "  change of 1 %: {:.2} s in {} checkpoints, {:.1} MB in the last; resident {:.0} MB, store {:.0} MB",
            grown("tollwatch_checkpoint_duration_seconds_sum"),
            grown("tollwatch_checkpoint_duration_seconds_count"),
            sum(&after, "tollwatch_checkpoint_bytes") / 1e6,
            service.taken()?.resident_megabytes,
            service.store_megabytes()?,
        );
    }
    println!("  end: {:.1} s", service.stop()?);
    let (service, ready) = Service::start(folder)?;
    let restored = sum(&service.metrics()?, "tollwatch_restore_seconds");
    let taken = service.taken()?;
    println!(
        "  start: ready after {ready:.1} s, of which the engine {restored:.1} s; resident {:.0} MB (peak {:.0} MB)",
        taken.resident_megabytes, taken.peak_megabytes
    );
    service.stop()?;
    std::fs::remove_dir_all(folder)?;
    Ok(ExitCode::SUCCESS)
}

/// A call of twenty seconds to a number of its own in New York, which costs little.
fn push(bytes: &mut Vec<u8>, key: u32, number: u32, started_at: u64) {
    let (dialled, answered_at, ended_at) = (2_000_000 + number, started_at + 3, started_at + 23);
    // Writing to a vector does not fail.
    let _ = writeln!(
        bytes,
        "\"\",\"{key:06}\",\"0101212{dialled}\",\"from-internal\",\"\"\"{key:06}\"\" <{key:06}>\",\
         \"PJSIP/{key:06}-{number:08x}\",\"PJSIP/trunk-{number:08x}f\",\"Dial\",\"PJSIP/0101212{dialled}@trunk,60\",\
         \"{}\",\"{}\",\"{}\",23,20,\"ANSWERED\",\"DOCUMENTATION\",\"k.{number}\",\"\"",
        time(started_at),
        time(answered_at),
        time(ended_at),
    );
}

/// Local time of the PBX, by the seconds since midnight.
fn time(second: u64) -> String {
    format!("2026-03-02 {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}
