//! What the store costs with a million parts: begun, changed by one in a hundred, opened and loaded.
//!
//! Usage: checkpoint DIRECTORY. Each step is a process of its own, so that its memory is its own.
#![allow(clippy::disallowed_methods, reason = "a benchmark asks how long things take")]
use std::process::Command;
use std::time::Instant;
use std::{env, error::Error, fs, path::Path};
use tollwatch_store::{Alert, Changes, Store};

type Outcome = Result<(), Box<dyn Error>>;

const PARTS: u64 = 1_000_000;
const PART_BYTES: usize = 300;
/// Parts in one commit while the store is filled.
const FILLED_AT_ONCE: u64 = 20_000;

fn main() -> Outcome {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [directory] => {
            fs::create_dir(directory).map_err(|error| format!("{directory} must not exist yet: {error}"))?;
            for step in ["fill", "commit", "load", "alerts"] {
                let status = Command::new(env::current_exe()?).args([step, directory]).status()?;
                if !status.success() {
                    return Err(format!("{step}: {status}").into());
                }
            }
            Ok(fs::remove_dir_all(directory)?)
        }
        [step, directory] => do_step(step, Path::new(directory)),
        _ => Err("usage: checkpoint DIRECTORY".into()),
    }
}

fn do_step(step: &str, directory: &Path) -> Outcome {
    let mut numbers = 1_u64;
    match step {
        "fill" => {
            let mut store = Store::open(directory)?;
            let mut key = 0;
            measured("fill with 1,000,000 parts of 300 bytes, 20,000 a commit", directory, || {
                while key < PARTS {
                    store.commit(&parts((key..key + FILLED_AT_ONCE).map(|key| (key, key))))?;
                    key += FILLED_AT_ONCE;
                }
                Ok(())
            })
        }
        "commit" => {
            let mut store = Store::open(directory)?;
            for round in 1..=5 {
                let changes = parts((0..PARTS / 100).map(|_| (next(&mut numbers) % PARTS, round)));
                measured("commit of a random 1 %", directory, || Ok(store.commit(&changes)?))?;
            }
            Ok(())
        }
        "load" => measured("open and load", directory, || {
            let begun = Instant::now();
            let mut store = Store::open(directory)?;
            let opened = begun.elapsed();
            let (mut found, mut bytes) = (0, 0);
            store.load(|_, body| {
                found += 1;
                bytes += body.len();
            })?;
            println!("  opened after {:.2} s; {found} parts of {bytes} bytes", opened.as_secs_f64());
            Ok(())
        }),
        "alerts" => {
            let mut store = Store::open(directory)?;
            measured("1,000 commits of one alert of 1,000 bytes", directory, || {
                for sequence in 0..1000 {
                    let alert = Alert { sequence, raised: 0, body: vec![b'x'; 1000] };
                    store.commit(&Changes { alerts: vec![alert], ..Changes::default() })?;
                }
                Ok(())
            })
        }
        _ => Err(format!("no step {step}").into()),
    }
}

/// Parts under spread keys. The bytes do not repeat, so nothing on the way can make them fewer.
fn parts(keys: impl Iterator<Item = (u64, u64)>) -> Changes {
    let mut changes = Changes::default();
    for (key, seed) in keys {
        let mut numbers = key ^ (seed << 40);
        let body = (0..PART_BYTES).map(|_| next(&mut numbers) as u8).collect();
        let key = key.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        changes.parts.insert(key.to_vec(), Some(body));
    }
    changes
}

/// Splitmix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn measured(what: &str, directory: &Path, work: impl FnOnce() -> Outcome) -> Outcome {
    let (written, begun) = (of_process("io", "wchar:")?, Instant::now());
    work()?;
    let seconds = begun.elapsed().as_secs_f64();
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    println!(
        "{what}: {seconds:.3} s, {:.1} MB written, file {:.1} MB, resident {:.0} MB (peak {:.0} MB)",
        megabytes(of_process("io", "wchar:")? - written),
        megabytes(fs::metadata(directory.join("tollwatch.store"))?.len()),
        megabytes(of_process("status", "VmRSS:")? * 1024),
        megabytes(of_process("status", "VmHWM:")? * 1024),
    );
    Ok(())
}

/// What the kernel says of this process. `wchar` counts the bytes handed to writes.
fn of_process(file: &str, name: &str) -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string(format!("/proc/self/{file}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("not on Linux")?;
    Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
}
