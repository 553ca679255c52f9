//! Days of traffic at speed.
use crate::process::{Outcome, Service, Taken, sum};
use crate::row::Row;
use crate::traffic::Traffic;
use std::collections::BinaryHeap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// Rows of the whole month: some 220,000 on a working day.
const ROWS: u64 = 5_000_000;
const DAY: i64 = 86_400;
/// The last quarter may take so much more than the second.
const MOST_GROWTH: f64 = 1.1;

pub(crate) fn run(days: u32) -> Outcome<ExitCode> {
    let folder = Path::new("target/bench-days");
    Service::prepare(folder, "")?;
    let (mut service, _) = Service::start(folder)?;
    let mut traffic = Traffic::new(ROWS, 1);
    let mut open: BinaryHeap<Row> = BinaryHeap::new();
    let (mut bytes, mut line, mut rows, mut all) = (Vec::new(), Vec::new(), 0, 0);
    let mut samples: Vec<Taken> = Vec::new();
    let begun = Instant::now();
    // The month begins on a Sunday.
    let last = i64::from(days) * DAY;
    for second in 0..DAY + last {
        traffic.starting_at(second, &mut open);
        while open.peek().is_some_and(|row| row.ended_at < second * 1000) {
            if let Some(row) = open.pop() {
                row.write(&mut line);
                bytes.extend_from_slice(&line);
                rows += 1;
            }
        }
        let is_hour = (second + 1) % 3600 == 0;
        if bytes.len() > 16 << 20 || is_hour && second >= last {
            all += rows;
            service.append(&std::mem::take(&mut bytes), std::mem::take(&mut rows))?;
        }
        if is_hour && second >= last {
            service.catch_up()?;
            let taken = service.taken()?;
            println!(
                "hour {:2}: resident {:.1} MB, {} handles, {all} rows so far",
                samples.len(),
                taken.resident_megabytes,
                taken.handles
            );
            samples.push(taken);
        }
    }
    let metrics = service.metrics()?;
    println!("{all} rows of {days} working days in {:.0} s", begun.elapsed().as_secs_f64());
    println!("  alerts: {}", sum(&metrics, "tollwatch_alerts_total{"));
    println!("  store {:.0} MB", service.store_megabytes()?);
    let quarter = |number: usize| samples.get(number * 6..number * 6 + 6).unwrap_or_default();
    let growth = median(quarter(3)) / median(quarter(1));
    let handles = |number: usize| quarter(number).iter().map(|taken| taken.handles).max().unwrap_or(0);
    println!("  resident, last quarter to second: {growth:.3}; handles {} and {}", handles(3), handles(1));
    service.stop()?;
    std::fs::remove_dir_all(folder)?;
    let is_flat = growth <= MOST_GROWTH && handles(3) <= handles(1);
    Ok(if is_flat { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn median(samples: &[Taken]) -> f64 {
    let mut resident: Vec<f64> = samples.iter().map(|taken| taken.resident_megabytes).collect();
    resident.sort_by(f64::total_cmp);
    resident.get(resident.len() / 2).copied().unwrap_or(f64::NAN)
}
