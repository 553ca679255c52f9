//! What a service takes does not grow with what it has read.
use super::running::{append, wait_until};
use super::{Receiver, Running};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;
use tollwatch_simulate::{Scenario, write_cdr_csv};

/// How many parts a day is given in.
const PARTS: usize = 12;

/// How many records the service has read.
fn records(running: &Running) -> Option<u64> {
    let log = running.log();
    let address = log.split("\"address\":\"").nth(1)?.split('"').next()?;
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let line = answer.lines().find(|line| line.starts_with("tollwatch_cdrs_total{result=\"accepted\""))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn memory_and_file_handles_do_not_grow_with_a_day_of_two_thousand_extensions() {
    // What is remembered for a day or two is full after three; Monday to Thursday.
    let case = Scenario::new(5).extensions(2_000).days(4).build().unwrap();
    let mut text = Vec::new();
    write_cdr_csv(&case, &mut text).unwrap();
    let rows: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let (before, day) = rows.split_at(rows.len() / 4 * 3);
    let receiver = Receiver::start(0, 1);
    let mut running = Running::prepare(&format!(
        "checkpoint_every = \"1s\"\nlog_format = \"json\"\n[http]\nlisten = \"127.0.0.1:0\"\n[[sources]]\nname = \"pbx\"\n\
         follow = \"Master.csv\"\nformat = \"asterisk_cdr_csv\"\n[[notifiers]]\nname = \"hook\"\ntype = \"webhook\"\n\
         url = \"{}\"\nallow_private = true\nsecret_files = [\"secret\"]\n",
        receiver.url()
    ));
    let log = running.path("Master.csv");
    append(&log, &before.concat());
    running.start();
    let mut written = before.len() as u64;
    let mut samples = Vec::new();
    let all_read =
        |running: &Running, written| wait_until(Duration::from_mins(2), || records(running) == Some(written));
    assert!(all_read(&running, written), "{written} rows, read {:?}: {}", records(&running), running.log());
    for part in day.chunks(day.len().div_ceil(PARTS)) {
        append(&log, &part.concat());
        written += part.len() as u64;
        assert!(
            all_read(&running, written),
            "{written} rows, read {:?}: {}",
            records(&running),
            running.log()
        );
        samples.push(running.taken());
    }
    assert_eq!(running.stop(), Some(0), "{}", running.log());
    let quarter = |number: usize| {
        let samples = &samples[number * PARTS / 4..(number + 1) * PARTS / 4];
        let mut resident: Vec<u64> = samples.iter().map(|(resident, _)| *resident).collect();
        resident.sort_unstable();
        // A delivery or a question may have one open at that moment; what is left open is there each time.
        (resident[resident.len() / 2], samples.iter().map(|(_, handles)| *handles).min().unwrap())
    };
    let ((second, handles), (last, handles_at_last)) = (quarter(1), quarter(3));
    println!("{last} kB resident, {second} kB half a day before; {handles_at_last} and {handles} handles");
    assert!(last * 10 <= second * 11, "{last} kB resident, {second} kB half a day before: {samples:?}");
    assert!(handles_at_last <= handles, "file handles are left open: {samples:?}");
}
