//! A folder with a log, a configuration and a file of alerts; a disk for the state; a clock that the test moves.
use super::super::keeping::Failure;
use super::super::runner::{Channel, Runner, Startup, Then, environment};
use crate::config::{Config, Overrides};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tollwatch_simulate::{Kind, Scenario, write_cdr_csv};
use tollwatch_store::{StorageBackend, Store};

/// What an alert says, by its id; all that was told under it.
pub(super) type Told = BTreeMap<String, Vec<Value>>;

/// The rows of an office with an attack, in so many pieces: few rows and many alerts.
pub(super) fn pieces(count: usize) -> Vec<Vec<u8>> {
    let case = Scenario::new(11).extensions(2).days(1).attack(Kind::LongCalls).build().unwrap();
    let mut rows = Vec::new();
    write_cdr_csv(&case, &mut rows).unwrap();
    let rows: Vec<&[u8]> = rows.split_inclusive(|byte| *byte == b'\n').collect();
    rows.chunks(rows.len().div_ceil(count)).map(<[&[u8]]>::concat).collect()
}

pub(super) struct House {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    pub(super) now: DateTime<Utc>,
}

impl House {
    pub(super) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        // In memory where that can be: thousands of alerts are written here, each of them synced.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        // As the store makes it.
        fs::create_dir(folder.path().join("state")).unwrap();
        let now = DateTime::from_timestamp(1_900_000_000, 0).unwrap();
        let house = Self { folder, runtime: runtime.unwrap(), now };
        house.configure(&["alerts", "others"]);
        house
    }

    /// Two notifiers in this order; the routes lead to `alerts` alone.
    pub(super) fn configure(&self, notifiers: &[&str]) {
        let mut text = "[site]\ntimezone = \"Asia/Tokyo\"\n[service]\nstate = \"state\"\nrenotify_after = \"never\"\n\
             stale_rates_after = \"never\"\nstale_risk_list_after = \"never\"\n\
             checkpoint_every = \"1s\"\n[http]\nenabled = false\n[[sources]]\nname = \"pbx\"\nfollow = \"Master.csv\"\n\
             format = \"asterisk_cdr_csv\"\n"
            .to_owned();
        for name in notifiers {
            let path = format!("{name}.jsonl");
            writeln!(text, "[[notifiers]]\nname = \"{name}\"\ntype = \"jsonl\"\npath = \"{path}\"").unwrap();
        }
        text += "[[routes]]\nnotifiers = [\"alerts\"]\n";
        fs::write(self.path("tollwatch.toml"), text).unwrap();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn append(&self, piece: &[u8]) {
        use std::io::Write as _;
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("Master.csv"));
        log.unwrap().write_all(piece).unwrap();
    }

    /// Starts the service on a disk. It may fail, and then systemd starts it again.
    pub(super) fn start(&self, disk: impl StorageBackend) -> anyhow::Result<Runner> {
        let file = self.path("tollwatch.toml");
        let config = Config::load(Some(&file), &Overrides::default()).unwrap();
        let notify = config.service.notify.build(config.service.folder.as_deref(), &environment).unwrap();
        let startup = Startup { file: Some(file), overrides: Overrides::default(), until_dry: true };
        let store = Store::open_backend(disk)?;
        let channel = Channel::new(self.runtime.handle().clone());
        let mut runner = Runner::new(startup, config, notify, store, channel, self.now)?;
        runner.look(self.now);
        Ok(runner)
    }

    /// One turn, a second later, with the deliveries that it begins.
    pub(super) fn turn(&mut self, runner: &mut Runner) -> Result<Then, Failure> {
        self.now += TimeDelta::seconds(1);
        let then = runner.turn(self.now);
        self.hear_out(runner);
        then
    }

    /// Deliveries that were begun come to their end.
    pub(super) fn hear_out(&self, runner: &mut Runner) {
        while runner.deliveries.in_flight() > 0 {
            runner.hear(Duration::from_secs(10), || self.now);
        }
    }

    /// Turns until everything is read, durable and delivered.
    pub(super) fn settle(&mut self, runner: &mut Runner) {
        for _ in 0..1000 {
            if self.turn(runner).unwrap() == Then::End {
                return;
            }
        }
        panic!("it never settles: {:?}", runner.checks());
    }

    /// What a notifier has been told, of calls and of the service itself.
    pub(super) fn all_told(&self, notifier: &str) -> Told {
        let text = fs::read_to_string(self.path(&format!("{notifier}.jsonl"))).unwrap_or_default();
        let mut told = Told::new();
        for line in text.lines() {
            let alert: Value = serde_json::from_str(line).unwrap();
            let id = alert["alert_id"].as_str().unwrap().to_owned();
            let all = told.entry(id).or_default();
            if !all.contains(&alert) {
                all.push(alert);
            }
        }
        told
    }

    /// What people have been told of calls.
    pub(super) fn told(&self) -> Told {
        let mut told = self.all_told("alerts");
        told.retain(|_, alerts| alerts[0]["about"].get("calls").is_some());
        told
    }

    /// What they have been told of the service: condition and reason, in order.
    pub(super) fn conditions(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.path("alerts.jsonl")).unwrap_or_default();
        let alerts = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        alerts
            .filter(|alert| alert["about"].get("service").is_some())
            .map(|alert| (word(&alert["about"]["service"]["condition"]), word(&alert["reason"])))
            .collect()
    }
}

/// What people are told of these pieces without any trouble, after each.
pub(super) fn undisturbed(pieces: &[Vec<u8>]) -> Vec<Told> {
    let mut house = House::new();
    let mut runner = house.start(super::disk::Disk::default()).unwrap();
    let mut told = Vec::new();
    for piece in pieces {
        house.append(piece);
        house.settle(&mut runner);
        told.push(house.told());
    }
    told
}

/// The same alerts, with the same words. Not `assert_eq`: what that prints is long.
pub(super) fn assert_same(told: &Told, expected: &Told, when: &str) {
    let reason = |alerts: Option<&Vec<Value>>| {
        alerts.map(|all| {
            format!("{} times {} {}", all.len(), all[0]["reason"], all[0]["about"]["calls"]["rule"])
        })
    };
    for id in told.keys().chain(expected.keys()) {
        let (told, expected) = (told.get(id), expected.get(id));
        assert!(told == expected, "{when}: {id}: told {:?}, expected {:?}", reason(told), reason(expected));
    }
}
