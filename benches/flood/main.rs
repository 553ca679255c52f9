//! Holds a flood against the default `[limits]`: memory stays under the stated cap, and an attack in the same stream is
//! found as it is without the flood.
//!
//! `flood [CALLERS] [EXTENSIONS]`; 10,000,000 calls from outside under random caller ids and 1,000,000 calls of
//! extensions that do not exist if not said, in four hours of one night, as rows of Asterisk's `cdr_csv`. The process
//! runs itself twice, with and without the flood, so that each has a high water of its own. Exits with 1 if the memory is
//! above the cap, or if one byte differs of what is said about the attacking extension.
#![allow(clippy::print_stdout, reason = "what it measures goes to whoever started it")]

mod rows;

use rows::{ATTACKER, Rows};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::process::{Command, ExitCode};
use std::{env, fs};
use tollwatch::{Config, Overrides};
use tollwatch_cdr::{Decoder, Format, Place, Record, Rejected, Sink, Zone};
use tollwatch_detect::{Counters, Engine, IncidentV1, TenantId};

/// The allocator of the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What one tenant takes of the memory at the most under the default limits, as `config/tollwatch.toml` adds it up.
const CAP_MEGABYTES: u64 = 1_300;
/// Bytes that are handed to the decoder at once.
const BLOCK: usize = 512 * 1024;

/// What a run has come to.
#[derive(Serialize, Deserialize)]
struct Outcome {
    high_water_megabytes: u64,
    rejected: u64,
    counters: Counters,
    /// The incidents about the attacker, as they are written for programs.
    attack: Vec<String>,
    /// All incidents.
    incidents: usize,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |at: usize, default: u64| -> Result<u64, Box<dyn Error>> {
        Ok(arguments.get(at).map_or(Ok(default), |number| number.parse())?)
    };
    if arguments.first().is_some_and(|first| first == "run") {
        let outcome = run(Rows::new(number(1, 0)?, number(2, 0)?))?;
        println!("{}", serde_json::to_string(&outcome)?);
        return Ok(ExitCode::SUCCESS);
    }
    let (callers, extensions) = (number(0, 10_000_000)?, number(1, 1_000_000)?);
    let quiet = run_apart(0, 0)?;
    let flooded = run_apart(callers, extensions)?;
    println!("{callers} random caller ids and {extensions} calls of invented extensions, default limits");
    println!("  rows that could not be read: {}, {}", quiet.rejected, flooded.rejected);
    println!(
        "  high water: {} MB, without the flood {} MB",
        flooded.high_water_megabytes, quiet.high_water_megabytes
    );
    println!("  incidents: {}, without the flood {}", flooded.incidents, quiet.incidents);
    println!("  {:#?}", flooded.counters);
    for line in &quiet.attack {
        println!("  without the flood: {line}");
    }
    for line in &flooded.attack {
        println!("  with the flood:    {line}");
    }
    let is_same = flooded.attack == quiet.attack && !quiet.attack.is_empty();
    let fits = flooded.high_water_megabytes <= CAP_MEGABYTES;
    println!(
        "the attack is found {}",
        if is_same { "as without the flood" } else { "OTHERWISE than without the flood" }
    );
    println!("memory is {} the cap of {CAP_MEGABYTES} MB", if fits { "under" } else { "ABOVE" });
    Ok(if is_same && fits { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A run in a process of its own.
fn run_apart(callers: u64, extensions: u64) -> Result<Outcome, Box<dyn Error>> {
    let arguments = ["run".to_owned(), callers.to_string(), extensions.to_string()];
    let output = Command::new(env::current_exe()?).args(arguments).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn run(mut rows: Rows) -> Result<Outcome, Box<dyn Error>> {
    let config = Config::load(None, &Overrides::default()).map_err(|problems| format!("{problems:?}"))?;
    let format = Format::all().iter().copied().find(|format| format.name() == "asterisk_cdr_csv");
    let zone = Zone::parse("Asia/Tokyo")?;
    let mut decoder = Decoder::new(format.ok_or("no such format")?, zone);
    let mut engine = Engine::new(config.settings);
    let tenant = engine.tenant("default");
    let mut rejected = 0;
    let mut block: Vec<u8> = Vec::with_capacity(2 * BLOCK);
    loop {
        while block.len() < BLOCK && rows.write_next(&mut block) {}
        let is_last = block.len() < BLOCK;
        let mut sink = Feed { engine: &mut engine, tenant, rejected: &mut rejected };
        let used = decoder.decode(&block, is_last, &mut sink);
        block.drain(..used);
        // As a scan does, which has no use for them.
        drop(engine.take_alerts());
        if is_last {
            break;
        }
    }
    engine.finish();
    let incidents = engine.incidents();
    let about_attacker = incidents.iter().filter(|incident| &*incident.scope.value == ATTACKER);
    let attack = about_attacker
        .map(|incident| serde_json::to_string(&IncidentV1::new(incident, engine.settings())))
        .collect::<Result<_, _>>()?;
    let high_water_megabytes = high_water()? / 1000;
    Ok(Outcome {
        high_water_megabytes,
        rejected,
        counters: engine.counters(),
        attack,
        incidents: incidents.len(),
    })
}

/// The most memory that this process had, in kilobytes.
fn high_water() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no high water is told here")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

struct Feed<'e> {
    engine: &'e mut Engine,
    tenant: TenantId,
    rejected: &'e mut u64,
}

impl Sink for Feed<'_> {
    fn record(&mut self, _: Place, record: &Record<'_>) {
        self.engine.observe(self.tenant, 0, record);
    }
    fn passed_over(&mut self, _: Place) {}
    fn rejected(&mut self, _: &Rejected<'_>) {
        *self.rejected += 1;
    }
}
