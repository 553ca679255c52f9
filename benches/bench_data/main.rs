//! Writes the big file of the benchmarks: a month of a hosted PBX of 20,000 extensions in Asterisk's `cdr_csv` of 18 columns.
//!
//! `bench-data FILE [ROWS] [SEED]`; 5,000,000 rows and seed 1 if not said. Of the rows 40 % are internal, 47 % national and
//! 13 % international, 3 points of these in a hundred bursts to revenue-share ranges. Rows stand in order of their end. Calls
//! in progress are all that is held in memory.

mod row;
mod traffic;

use std::{
    collections::BinaryHeap,
    env,
    error::Error,
    fs::File,
    io::{BufWriter, Write},
};

use row::Row;
use traffic::{SECONDS, Traffic};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let path = arguments.next().ok_or("usage: bench-data FILE [ROWS] [SEED]")?;
    let rows = arguments.next().map_or(Ok(5_000_000), |rows| rows.parse())?;
    let seed = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut traffic = Traffic::new(rows, seed);
    let mut open: BinaryHeap<Row> = BinaryHeap::new();
    let mut line = Vec::with_capacity(512);
    for second in 0..SECONDS {
        while open.peek().is_some_and(|row| row.ended_at < second * 1000) {
            if let Some(row) = open.pop() {
                row.write(&mut line);
                out.write_all(&line)?;
            }
        }
        traffic.starting_at(second, &mut open);
    }
    while let Some(row) = open.pop() {
        row.write(&mut line);
        out.write_all(&line)?;
    }
    out.flush()?;
    Ok(())
}
