//! Writes the files of `datasets/cases/japan-2015` uncompressed into a directory.

use std::{env, fs::File, io, io::BufWriter, path::PathBuf};

use tollwatch_simulate::{japan_2015, write_cdr_csv, write_cel_csv, write_incident_labels};

fn main() -> io::Result<()> {
    let directory = PathBuf::from(env::args_os().nth(1).unwrap_or_else(|| ".".into()));
    let case = japan_2015(2015);
    let create = |name| File::create(directory.join(name)).map(BufWriter::new);
    write_cdr_csv(&case, &mut create("Master.csv")?)?;
    write_cel_csv(&case, &mut create("cel.csv")?)?;
    write_incident_labels(&case, &mut create("labels.csv")?)
}
