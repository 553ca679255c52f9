//! A service that is killed at any moment loses no alert, changes none, and repeats none but under its id.
use super::receiver::Received;
use super::running::{append, pause, wait_until};
use super::{Receiver, Running};
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;
use tollwatch_simulate::{Kind, Scenario, write_cdr_csv};

/// How often it is killed.
const KILLS: u64 = 200;

/// The rows of an office with an attack.
pub(super) fn rows() -> Vec<Vec<u8>> {
    let case = Scenario::new(11).extensions(8).days(4).attack(Kind::Burst).build().unwrap();
    let mut rows = Vec::new();
    write_cdr_csv(&case, &mut rows).unwrap();
    rows.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

pub(super) fn configuration(receiver: &Receiver) -> String {
    format!(
        "checkpoint_every = \"1s\"\n[http]\nenabled = false\n[[sources]]\nname = \"pbx\"\nfollow = \"Master.csv\"\n\
         format = \"asterisk_cdr_csv\"\n[[notifiers]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{}\"\n\
         allow_private = true\nsecret_files = [\"secret\"]\n",
        receiver.url()
    )
}

/// What comes of all rows without any trouble.
pub(super) fn undisturbed(rows: &[Vec<u8>]) -> Received {
    let receiver = Receiver::start(0, 1);
    let running = Running::prepare(&configuration(&receiver));
    fs::write(running.path("Master.csv"), rows.concat()).unwrap();
    assert_eq!(running.run_until_dry(), Some(0), "{}", running.log());
    receiver.received()
}

/// What an alert says, without what belongs to its delivery.
fn said(received: &Received) -> BTreeMap<&str, Vec<&serde_json::Value>> {
    let mut said: BTreeMap<&str, Vec<&serde_json::Value>> = BTreeMap::new();
    for (id, bodies) in received {
        let all = said.entry(id).or_default();
        for body in bodies.iter().map(|body| &body["data"]) {
            if !all.contains(&body) {
                all.push(body);
            }
        }
    }
    said
}

/// Alerts that say something else than is expected of them, that are missing, or that nobody expects.
pub(super) fn differing(received: &Received, expected: &Received) -> Vec<String> {
    let (said, expected) = (said(received), said(expected));
    let told = |all: Option<&Vec<&serde_json::Value>>| {
        all.map(|all| {
            let first = all[0];
            let calls = &first["about"]["calls"];
            let (rule, reason) = (&calls["rule"], &first["reason"]);
            format!("{} times {rule} {reason} {} {}", all.len(), first["at"], calls["attempts"])
        })
    };
    said.keys()
        .chain(expected.keys())
        .filter(|id| said.get(**id) != expected.get(**id))
        .map(|id| format!("{id}: sent {:?}, expected {:?}", told(said.get(id)), told(expected.get(id))))
        .collect()
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn a_service_killed_two_hundred_times_sends_what_an_undisturbed_one_sends() {
    let rows = rows();
    let expected = undisturbed(&rows);
    assert!(expected.len() > 20, "{} alerts", expected.len());
    let seed = 20_150_320;
    let mut random = Random(seed);
    let receiver = Receiver::start(25, seed);
    let mut running = Running::prepare(&configuration(&receiver));
    let log = running.path("Master.csv");
    let (mut written, mut killed, mut rotations) = (0, 0, 0);
    for turn in 0..KILLS {
        running.start();
        // A part of what is left is written while it runs; sometimes a line in two pieces, sometimes by a new file.
        let until = rows.len() * (turn as usize + 1) / KILLS as usize;
        while written < until {
            let row = &rows[written];
            let cut = random.below(row.len() as u64) as usize;
            append(&log, &row[..cut]);
            pause(Duration::from_micros(random.below(3_000)));
            append(&log, &row[cut..]);
            written += 1;
        }
        if random.below(8) == 0 && log.exists() {
            rotations += 1;
            fs::rename(&log, running.path(&format!("Master.csv-{}", 2_026_110_100 + rotations))).unwrap();
        }
        pause(Duration::from_millis(random.below(350)));
        killed += u64::from(running.kill());
    }
    assert_eq!(killed, KILLS, "it never ended by itself: {}", running.log());
    receiver.fail(0);
    running.start();
    let complete = wait_until(Duration::from_mins(2), || receiver.ids() >= expected.len());
    let status = running.stop();
    let received = receiver.received();
    let missing: Vec<&String> = expected.keys().filter(|id| !received.contains_key(*id)).collect();
    assert!(
        complete,
        "seed {seed}: {} missing, such as {:?}\n{}",
        missing.len(),
        missing.first(),
        running.log()
    );
    let differing = differing(&received, &expected);
    // Not assert_eq: what it would print is megabytes.
    assert!(differing.is_empty(), "seed {seed}: {} differ\n{}", differing.len(), differing.join("\n"));
    assert_eq!(status, Some(0), "{}", running.log());
}
