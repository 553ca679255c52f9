//! What the service reads beside logs, and what it says of what it cannot read.
use super::running::{append, wait_until};
use super::{Receiver, Running};
use std::fs;
use std::time::Duration;

fn configuration(receiver: &Receiver, source: &str) -> String {
    format!(
        "checkpoint_every = \"1s\"\n[http]\nenabled = false\n[[sources]]\nname = \"pbx\"\n\
         format = \"asterisk_cdr_csv\"\n{source}\n[[notifiers]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{}\"\n\
         allow_private = true\nsecret_files = [\"secret\"]\n",
        receiver.url()
    )
}

/// Ids of all alerts about calls.
fn alerts(receiver: &Receiver) -> Vec<String> {
    let of_calls = |body: &&serde_json::Value| body["data"]["about"].get("calls").is_some();
    let received = receiver.received();
    received
        .iter()
        .filter(|(_, bodies)| bodies.iter().any(|body| of_calls(&body)))
        .map(|(id, _)| id.clone())
        .collect()
}

/// Whether a condition was told of, in words that have this in them.
fn told(receiver: &Receiver, condition: &str, words: &str) -> bool {
    receiver.received().values().flatten().any(|body| {
        let text = body.to_string();
        text.contains(condition) && text.contains(words)
    })
}

fn from_a_log(rows: &[Vec<u8>]) -> Vec<String> {
    let receiver = Receiver::start(0, 1);
    let running = Running::prepare(&configuration(&receiver, "follow = \"Master.csv\""));
    fs::write(running.path("Master.csv"), rows.concat()).unwrap();
    assert_eq!(running.run_until_dry(), Some(0), "{}", running.log());
    alerts(&receiver)
}

#[test]
fn files_of_a_directory_raise_the_alerts_of_a_log_and_are_moved_when_that_is_durable() {
    let rows = super::killed::rows();
    let expected = from_a_log(&rows);
    assert!(expected.len() > 20, "{} alerts", expected.len());
    let receiver = Receiver::start(0, 1);
    let source =
        "directory = \"in\"\npattern = \"*.csv\"\nsettle = \"1s\"\nafter = \"move\"\nmove_to = \"done\"";
    let mut running = Running::prepare(&configuration(&receiver, source));
    for folder in ["in", "done"] {
        fs::create_dir(running.path(folder)).unwrap();
    }
    let pieces: Vec<&[Vec<u8>]> = rows.chunks(rows.len() / 50 + 1).collect();
    fs::write(running.path("in/00.csv"), "no,record,at,all\n").unwrap();
    let mut killed = 0;
    for (number, piece) in (1..).zip(&pieces) {
        let part = running.path("in/.part");
        fs::write(&part, piece.concat()).unwrap();
        fs::rename(part, running.path(&format!("in/{number:02}.csv"))).unwrap();
        if number % 10 == 0 {
            running.start();
            let last = running.path(&format!("done/{:02}.csv", number - 3));
            assert!(wait_until(Duration::from_mins(1), || last.exists()), "{}", running.log());
            killed += u32::from(running.kill());
        }
    }
    assert!(killed >= 4, "it never ended by itself: {}", running.log());
    assert_eq!(running.run_until_dry(), Some(0), "{}", running.log());
    let mut received = alerts(&receiver);
    received.sort();
    assert!(received == expected, "{} alerts, expected {}", received.len(), expected.len());
    let left = fs::read_dir(running.path("in")).unwrap().count();
    let done = fs::read_dir(running.path("done")).unwrap().count();
    assert_eq!((left, done), (0, pieces.len() + 1), "{}", running.log());
}

#[test]
fn a_damaged_file_is_kept_and_told_of_by_name() {
    let receiver = Receiver::start(0, 1);
    let mut running = Running::prepare(&configuration(&receiver, "directory = \"in\"\nafter = \"delete\""));
    fs::create_dir(running.path("in")).unwrap();
    // The head of a gzip file (RFC 1952), and nothing that can be unpacked.
    let packed = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &[0xff; 100]].concat();
    fs::write(running.path("in/broken.gz"), packed).unwrap();
    running.start();
    let is_told = || told(&receiver, "records_unread", "broken.gz");
    assert!(wait_until(Duration::from_mins(1), is_told), "{}", running.log());
    assert_eq!(running.stop(), Some(0), "{}", running.log());
    assert!(running.path("in/broken.gz").exists());
}

#[test]
fn a_log_that_was_cut_in_place_is_told_of() {
    let receiver = Receiver::start(0, 1);
    let mut running = Running::prepare(&configuration(&receiver, "follow = \"Master.csv\""));
    let rows = super::killed::rows();
    let log = running.path("Master.csv");
    fs::write(&log, rows[..200].concat()).unwrap();
    assert_eq!(running.run_until_dry(), Some(0), "{}", running.log());
    running.start();
    assert!(wait_until(Duration::from_mins(1), || running.log().matches("\"ready\"").count() == 2));
    fs::write(&log, rows[200].clone()).unwrap();
    let is_told = || told(&receiver, "records_unread", "pbx");
    assert!(wait_until(Duration::from_mins(1), is_told), "{}", running.log());
    append(&log, &rows[201]);
    assert_eq!(running.stop(), Some(0), "{}", running.log());
}

#[test]
fn standard_input_raises_the_alerts_of_a_log_and_ends_the_service_with_its_end() {
    let rows = super::killed::rows();
    let expected = from_a_log(&rows);
    let receiver = Receiver::start(0, 1);
    let running = Running::prepare(&configuration(&receiver, "path = \"-\""));
    assert_eq!(running.run_on(&rows.concat()), Some(0), "{}", running.log());
    let mut received = alerts(&receiver);
    received.sort();
    assert!(received == expected, "{} alerts, expected {}", received.len(), expected.len());
}

#[test]
fn faults_of_sources_are_told_with_their_places() {
    for (source, place) in [
        ("follow = \"a\"\ndirectory = \"b\"", "sources[0].directory"),
        ("path = \"x\"", "sources[0].path"),
        ("follow = \"a\"\nsettle = \"5s\"", "sources[0].settle"),
        ("directory = \"a\"\nsettle = \"soon\"", "sources[0].settle"),
        ("directory = \"a\"\norder = \"size\"", "sources[0].order"),
        ("directory = \"a\"\npattern = \"a/b\"", "sources[0].pattern"),
        ("directory = \"a\"\nafter = \"move\"", "sources[0].move_to"),
        ("directory = \"a\"\nafter = \"move\"\nmove_to = \"a\"", "sources[0].move_to"),
        ("directory = \"a\"\nmove_to = \"b\"", "sources[0].move_to"),
        ("directory = \"a\"\nafter = \"burn\"", "sources[0].after"),
        ("path = \"-\"\n[[sources]]\nname = \"x\"\npath = \"-\"", "sources[1].path"),
    ] {
        let receiver = Receiver::start(0, 1);
        let running = Running::prepare(&configuration(&receiver, source));
        assert_eq!(running.run_until_dry(), Some(78), "{source}: {}", running.log());
        assert!(running.log().contains(place), "{source}: {}", running.log());
    }
}
