//! Counts the records of a CSV file with the `csv` crate and does nothing else: what reading alone costs.

use std::{env, error::Error, fs::File};

use csv::{ByteRecord, ReaderBuilder};

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("usage: csv-count FILE")?;
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(File::open(path)?);
    let mut record = ByteRecord::new();
    let (mut records, mut fields) = (0_u64, 0_u64);
    while reader.read_byte_record(&mut record)? {
        records += 1;
        fields += record.len() as u64;
    }
    println!("{records} records, {fields} fields");
    Ok(())
}
