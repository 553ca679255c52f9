//! `tollwatch drill`: through a running service to real receivers, marked everywhere, mixed with nothing.
use super::running::{append, wait_until};
use super::{Receiver, Running};
use crate::command_line::{row, text};
use std::fs;
use std::net::TcpListener;
use std::time::Duration;

const TOKEN: &str = "a-token-for-tests-0123456789";
const BOUND: Duration = Duration::from_mins(1);

fn configuration(receiver: &Receiver, more: &str) -> String {
    format!(
        "[http]\nlisten = \"127.0.0.1:0\"\ntoken_file = \"token\"\n[[sources]]\nname = \"pbx\"\nfollow = \"Master.csv\"\n\
         format = \"asterisk_cdr_csv\"\n[[notifiers]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{}\"\n\
         allow_private = true\nsecret_files = [\"secret\"]\n[[notifiers]]\nname = \"archive\"\ntype = \"jsonl\"\n\
         path = \"alerts.jsonl\"\n{more}",
        receiver.url()
    )
}

fn prepare(receiver: &Receiver, more: &str) -> Running {
    let running = Running::prepare(&configuration(receiver, more));
    fs::write(running.path("token"), format!("{TOKEN}\n")).unwrap();
    running
}

fn body(answer: &str) -> serde_json::Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// All that a receiver was sent.
fn bodies(receiver: &Receiver) -> Vec<serde_json::Value> {
    receiver.received().into_values().flatten().map(|body| body["data"].clone()).collect()
}

#[test]
fn a_drill_reaches_everybody_marked_as_one_and_then_ends_and_a_real_attack_is_told_as_ever() {
    let receiver = Receiver::start(0, 1);
    let mut running = prepare(&receiver, "");
    running.start();
    let address = running.address();
    let done =
        running.ask(&["drill", "--at", &address, "--within", "30s", "--lasting", "1s", "--output", "json"]);
    assert_eq!(
        done.status.code(),
        Some(0),
        "{}{}\n{}",
        text(&done.stdout),
        text(&done.stderr),
        running.log()
    );
    let drill: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert!(drill["drill_id"].as_str().unwrap().starts_with("drill-"), "{drill:#}");
    let notifiers = drill["notifiers"].as_array().unwrap();
    assert_eq!(notifiers.len(), 2);
    for notifier in notifiers {
        assert_eq!(notifier["state"], "delivered", "{drill:#}");
        assert!(notifier["last_milliseconds"].as_u64() >= notifier["first_milliseconds"].as_u64());
        assert!(notifier["first_milliseconds"].is_u64(), "{drill:#}");
    }
    assert!(
        drill["incidents"].as_array().unwrap().iter().any(|it| it["severity"] == "critical"),
        "{drill:#}"
    );

    // It ends by itself, and whoever was told is told so.
    let opened = |bodies: &[serde_json::Value]| bodies.iter().filter(|it| it["reason"] == "opened").count();
    let is_over = || {
        let told = bodies(&receiver);
        told.iter().filter(|it| it["reason"] == "resolved").count() == opened(&told)
    };
    assert!(wait_until(BOUND, is_over), "{:#?}", bodies(&receiver));
    for told in bodies(&receiver) {
        assert_eq!(told["drill"], true, "{told:#}");
        assert!(told["alert_id"].as_str().unwrap().starts_with("drill-alr-"), "{told:#}");
        assert!(
            told["about"]["calls"]["incident_id"].as_str().unwrap().starts_with("drill-inc-"),
            "{told:#}"
        );
    }
    for line in fs::read_to_string(running.path("alerts.jsonl")).unwrap().lines() {
        assert_eq!(serde_json::from_str::<serde_json::Value>(line).unwrap()["drill"], true, "{line}");
    }

    // The API shows it as what it is; the engine has never seen the extension, and no money was spent.
    let shown = body(&running.get("/api/v1/incidents?limit=1000", TOKEN));
    let shown = shown["incidents"].as_array().unwrap();
    assert!(
        !shown.is_empty() && shown.iter().all(|it| it["drill"] == true && it["state"] == "resolved"),
        "{shown:#?}"
    );
    let windows = body(&running.get("/api/v1/extensions/default/DRILL", TOKEN))["windows"].clone();
    let windows = windows.as_array().unwrap();
    let is_nothing =
        |value: &serde_json::Value| value.as_str().is_none_or(|value| value.parse::<f64>() == Ok(0.0));
    assert!(!windows.is_empty() && windows.iter().all(|window| is_nothing(&window["value"])), "{windows:#?}");
    let metrics = running.get("/metrics", TOKEN);
    let counted = |name: &str| {
        let of_name = metrics.lines().filter(|line| line.starts_with(name));
        of_name.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum::<f64>()
    };
    for name in ["tollwatch_alerts_total", "tollwatch_incidents_open", "tollwatch_exposure_open"] {
        assert!(metrics.contains(name), "{name} is not in {metrics}");
        assert!(counted(name).abs() < f64::EPSILON, "{name}");
    }

    // Nothing of it is in the engine; a real attack opens its own incident, and is no drill.
    let of_drill = receiver.ids();
    let calls: String = (0..4).map(|i| row(i * 70, "010232221234567", 32)).collect();
    append(&running.path("Master.csv"), calls.as_bytes());
    let is_real = |told: &serde_json::Value| {
        told["drill"] == false
            && told["about"]["calls"]["rule"] == "high_risk_burst"
            && told["severity"] == "critical"
    };
    assert!(wait_until(BOUND, || bodies(&receiver).iter().any(is_real)), "{of_drill}\n{}", running.log());
    for real in bodies(&receiver).iter().filter(|told| told["drill"] == false) {
        let said = real.to_string();
        assert!(!said.contains("DRILL") && !said.contains("drill-"), "{said}");
        assert_eq!(real["about"]["calls"]["attempts"].as_u64().map(|calls| calls <= 4), Some(true), "{said}");
    }
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn a_receiver_that_is_dead_is_named_in_time_and_hears_nothing_of_the_drill_later() {
    let receiver = Receiver::start(0, 1);
    // A port that was free a moment ago.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let more = format!(
        "[[notifiers]]\nname = \"pager\"\ntype = \"webhook\"\nurl = \"http://{dead}/\"\nallow_private = true\n\
         [[notifiers]]\nname = \"silent\"\ntype = \"jsonl\"\npath = \"silent.jsonl\"\n\
         [[routes]]\nnotifiers = [\"hook\", \"archive\", \"pager\"]\n\
         [[routes]]\nnotifiers = [\"silent\"]\ndrills = false\n"
    );
    let mut running = prepare(&receiver, &more);
    running.start();
    let address = running.address();
    let done = running.ask(&["drill", "--at", &address, "--within", "2s", "--lasting", "3s"]);
    let said = text(&done.stdout);
    assert_eq!(done.status.code(), Some(1), "{said}{}", text(&done.stderr));
    let line = |name: &str| {
        said.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default().to_owned()
    };
    assert!(line("pager").contains("NOT delivered within 2s"), "{said}");
    assert!(line("hook").contains("delivered 0."), "{said}");
    assert!(line("silent").contains("no route leads"), "{said}");
    assert!(said.contains("NOT everybody was reached"), "{said}");

    // When it is over, nothing of it waits for the pager.
    let waits = || {
        let listed = running.ask(&["alerts", "list", "--at", &address, "--output", "json"]);
        text(&listed.stdout).contains("drill-")
    };
    assert!(waits(), "the pager's alerts wait as long as the drill goes on");
    assert!(wait_until(BOUND, || !waits()), "{}", running.log());
    assert!(!running.path("silent.jsonl").exists());
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn a_drill_that_a_restart_interrupts_is_ended_by_the_next_start() {
    let receiver = Receiver::start(0, 1);
    let mut running = prepare(&receiver, "");
    running.start();
    let done = running.ask(&["drill", "--at", &running.address(), "--language", "ja"]);
    let said = text(&done.stdout);
    assert!(done.status.success() && said.contains("訓練") && said.contains("全員に届きました"), "{said}");
    assert!(running.kill());
    let resolved =
        || bodies(&receiver).iter().any(|told| told["reason"] == "resolved" && told["drill"] == true);
    assert!(!resolved());
    running.start();
    assert!(wait_until(BOUND, resolved), "{}", running.log());
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn what_keeps_a_drill_from_being_held_is_said_in_a_line() {
    let receiver = Receiver::start(0, 1);
    let no_alarm = "[[rules]]\nname = \"never\"\nmeasure = \"attempts\"\ndestinations = \"international\"\n\
                    thresholds = [{ window = \"1h\", critical = 100000 }]\n";
    let mut running = prepare(&receiver, no_alarm);
    // Nobody listens at port 9 of the loopback.
    let silent = running.ask(&["drill", "--at", "127.0.0.1:9"]);
    assert_eq!(silent.status.code(), Some(2));
    assert!(text(&silent.stderr).contains("start it with `tollwatch run"), "{}", text(&silent.stderr));
    running.start();
    let address = running.address();
    let useless = running.ask(&["drill", "--at", &address]);
    assert_eq!(useless.status.code(), Some(2));
    assert!(text(&useless.stderr).contains("no rule raises an alert"), "{}", text(&useless.stderr));
    fs::write(running.path("token"), "another-token-0123456789\n").unwrap();
    let refused = running.ask(&["drill", "--at", &address]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("this needs a token"), "{}", text(&refused.stderr));
    for done in [silent, useless, refused] {
        assert_eq!(text(&done.stderr).lines().count(), 1, "{}", text(&done.stderr));
    }
    assert_eq!(receiver.ids(), 0);
    assert_eq!(running.stop(), Some(0));
}
