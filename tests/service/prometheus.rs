//! A real Prometheus, with the configuration and the rules that are delivered: what it scrapes, and what its rules see.
use super::daemon::Daemon;
use super::running::{append, wait_until};
use super::web::{ask, encoded, get};
use super::{Running, attack};
use crate::harness::root;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Where Debian puts it.
const PROGRAM: &str = "/usr/bin/prometheus";
const BOUND: Duration = Duration::from_mins(1);

/// A Prometheus over a service at that address, as delivered but for where and how often.
fn prometheus(folder: &Path, service: &str) -> Option<Daemon> {
    let delivered = root().join("deploy/prometheus");
    let config = fs::read_to_string(delivered.join("prometheus.yml")).unwrap();
    assert!(config.contains("127.0.0.1:9718") && config.contains("15s"), "{config}");
    // Nobody listens where its alerts go; what they say is asked of itself.
    let config = config.replace("127.0.0.1:9718", service).replace("127.0.0.1:9093", "127.0.0.1:1");
    fs::write(folder.join("prometheus.yml"), config.replace("15s", "1s")).unwrap();
    fs::copy(delivered.join("tollwatch.rules.yml"), folder.join("tollwatch.rules.yml")).unwrap();
    let prometheus = Daemon::start(
        Path::new(PROGRAM),
        [
            format!("--config.file={}", folder.join("prometheus.yml").display()),
            format!("--storage.tsdb.path={}", folder.join("prometheus").display()),
        ],
    )?;
    assert!(wait_until(BOUND, || ask("GET", &prometheus.address, "/-/ready", "").0 == 200));
    Some(prometheus)
}

/// The values of an expression now.
fn values(prometheus: &Daemon, expression: &str) -> Vec<f64> {
    let answer = get(&prometheus.address, &format!("/api/v1/query?query={}", encoded(expression)));
    assert_eq!(answer["status"], "success", "{expression}: {answer}");
    let samples = answer["data"]["result"].as_array().unwrap();
    samples.iter().map(|sample| sample["value"][1].as_str().unwrap().parse().unwrap()).collect()
}

/// The names of this project's metrics in a text.
fn metrics_in(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("tollwatch_"))
        .map(str::to_owned)
        .collect()
}

/// All texts that stand under a key, however deep.
fn texts<'v>(value: &'v Value, wanted: &str, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                found.extend(value.as_str().filter(|_| key == wanted));
                texts(value, wanted, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, wanted, found)),
        _ => {}
    }
}

fn dashboard() -> Value {
    serde_json::from_str(&fs::read_to_string(root().join("deploy/grafana/tollwatch.json")).unwrap()).unwrap()
}

fn service() -> Running {
    let mut running = Running::prepare(
        "stale_rates_after = \"1d\"\n[http]\nlisten = \"127.0.0.1:0\"\n[[sources]]\nname = \"pbx\"\nfollow = \
         \"Master.csv\"\nformat = \"asterisk_cdr_csv\"\n[[notifiers]]\nname = \"log\"\ntype = \"jsonl\"\npath = \
         \"alerts.jsonl\"\n",
    );
    // 40 calls, two of their records twice, and one that is none.
    let log = attack::rows(0..40) + &attack::rows(7..9) + "no,record,at,all\n";
    append(&running.path("Master.csv"), log.as_bytes());
    running.start();
    running
}

#[test]
fn a_prometheus_scrapes_the_service_and_its_rules_see_the_attack() {
    let running = service();
    let address = running.address();
    let Some(prometheus) = prometheus(running.folder.path(), &address) else { return };
    let is = |expression: &str, expected: f64| {
        let comes = wait_until(BOUND, || values(&prometheus, expression) == [expected]);
        assert!(comes, "{expression} is {:?}, not {expected}", values(&prometheus, expression));
    };
    is("up{job=\"tollwatch\"}", 1.0);
    is("tollwatch_cdrs_total{source=\"pbx\",result=\"accepted\"}", 40.0);
    is("tollwatch_cdrs_total{source=\"pbx\",result=\"duplicate\"}", 2.0);
    is("tollwatch_cdrs_total{source=\"pbx\",result=\"malformed\"}", 1.0);
    is("tollwatch_cdrs_total{source=\"pbx\",result=\"late\"}", 0.0);
    is("tollwatch_cdr_parse_errors_total{source=\"pbx\",reason=\"width\"}", 1.0);
    is("tollwatch_engine_cdrs_total", 42.0);
    is("tollwatch_high_risk_calls_total", 40.0);
    is("tollwatch_source_lag_bytes{source=\"pbx\"}", 0.0);
    is("tollwatch_conditions_open{condition=\"stale_rates\",severity=\"warning\"}", 1.0);
    is("tollwatch_conditions_open{condition=\"stale_risk_list\"}", 0.0);
    is("time() - tollwatch_rate_deck_timestamp_seconds > bool 86400", 1.0);
    is("tollwatch_config_last_reload_successful", 1.0);
    is("tollwatch_outbox_pending{notifier=\"log\"}", 0.0);
    let open = get(&address, "/api/v1/incidents?state=open");
    let open = open["incidents"].as_array().unwrap();
    let critical = open.iter().filter(|one| one["incident"]["severity"] == "critical").count();
    let exposure =
        |one: &Value| one["incident"]["exposure"]["amount"].as_str().unwrap().parse::<f64>().unwrap();
    assert!(critical > 0, "{open:?}");
    is("tollwatch_incidents_open{severity=\"critical\"}", critical as f64);
    is("tollwatch_exposure_open{currency=\"JPY\"}", open.iter().map(exposure).sum());
    is("count(ALERTS{alertname=\"TollwatchFraud\",alertstate=\"firing\"})", 1.0);
    is("count(ALERTS{alertname=\"TollwatchWatchdog\",alertstate=\"firing\"})", 1.0);
    assert_eq!(values(&prometheus, "ALERTS{alertname=\"TollwatchDown\"}"), [0.0; 0]);
    let rules = get(&prometheus.address, "/api/v1/rules");
    let rules = rules["data"]["groups"][0]["rules"].as_array().unwrap();
    let names: Vec<&str> = rules.iter().map(|rule| rule["name"].as_str().unwrap()).collect();
    assert_eq!((names.len(), names[0]), (10, "TollwatchWatchdog"));
    assert!(rules.iter().all(|rule| rule["health"] == "ok"), "{rules:?}");

    // Each panel of the dashboard asks something that can be asked.
    let dashboard = dashboard();
    let mut expressions = Vec::new();
    texts(&dashboard["panels"], "expr", &mut expressions);
    assert!(expressions.len() > 30, "{}", expressions.len());
    for expression in expressions {
        let asked = expression.replace("$__rate_interval", "1m").replace("$instance", ".*");
        assert!(!asked.contains('$'), "{asked}");
        values(&prometheus, &asked);
    }
}

#[test]
fn rules_and_dashboard_name_no_metric_that_is_not_there() {
    let running = service();
    let address = running.address();
    let shown = || metrics_in(&ask("GET", &address, "/metrics", "").1);
    let rules = fs::read_to_string(root().join("deploy/prometheus/tollwatch.rules.yml")).unwrap();
    let dashboard = dashboard();
    let mut named: Vec<&str> = vec![&rules];
    texts(&dashboard["panels"], "expr", &mut named);
    let named: BTreeSet<String> = named.into_iter().flat_map(metrics_in).collect();
    assert!(named.len() > 20, "{named:?}");
    wait_until(BOUND, || named.is_subset(&shown()));
    assert_eq!(named.difference(&shown()).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_dashboard_can_be_provisioned_from_a_file() {
    let dashboard = dashboard();
    assert_eq!((dashboard["uid"].as_str(), dashboard.get("id")), (Some("tollwatch"), None));
    assert!(dashboard.get("__inputs").is_none(), "provisioning does not fill them in");
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{}", panel["title"]);
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{}", panel["title"]);
        for (x, y) in (place("x")..place("x") + place("w"))
            .flat_map(|x| (place("y")..place("y") + place("h")).map(move |y| (x, y)))
        {
            assert!(taken.insert((x, y)), "{} lies over another", panel["title"]);
        }
        assert!(
            panel["type"] == "row" || panel["datasource"]["uid"] == "${datasource}",
            "{}",
            panel["title"]
        );
    }
}

#[test]
fn promtool_finds_that_the_rules_do_what_their_tests_say() {
    let folder = root().join("deploy/prometheus");
    for arguments in [
        &["check", "config", "prometheus.yml"][..],
        &["check", "rules", "tollwatch.rules.yml"],
        &["test", "rules", "tollwatch.rules.test.yml"],
    ] {
        let ran = Command::new("promtool").args(arguments).current_dir(&folder).output();
        let Ok(ran) = ran else {
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "there is no promtool");
            return eprintln!("skipped: there is no promtool; ./scripts/test installs it");
        };
        let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{arguments:?}: {said}");
    }
}
