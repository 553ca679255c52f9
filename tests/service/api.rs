//! What other programs are shown of a running service.
use super::running::{append, wait_until};
use super::web::get;
use super::{Running, attack};
use serde_json::Value;
use std::time::Duration;

const BOUND: Duration = Duration::from_mins(1);

fn configuration(more: &str) -> String {
    format!(
        "stale_rates_after = \"1d\"\nstale_risk_list_after = \"never\"\n[http]\nlisten = \"127.0.0.1:0\"\n{more}\
         [[sources]]\nname = \"pbx\"\nfollow = \"Master.csv\"\nformat = \"asterisk_cdr_csv\"\ntenant = \"north\"\n"
    )
}

/// The open incident of a rule, with its calls.
fn incident(running: &Running, rule: &str) -> Option<Value> {
    let address = running.address();
    let open = get(&address, &format!("/api/v1/incidents?state=open&rule={rule}"));
    let id = open["incidents"][0]["incident"]["incident_id"].as_str()?.to_owned();
    Some(get(&address, &format!("/api/v1/incidents/{id}")))
}

#[test]
fn an_incident_shows_its_first_calls_also_after_a_restart_and_numbers_only_if_asked_to() {
    let mut running = Running::prepare(&configuration(""));
    append(&running.path("Master.csv"), attack::rows(0..60).as_bytes());
    running.start();
    let shown = |running: &Running| {
        incident(running, "high_risk_burst").filter(|one| one["incident"]["attempts"].as_u64() == Some(60))
    };
    assert!(wait_until(BOUND, || shown(&running).is_some()), "{}", running.log());
    let before = shown(&running).unwrap();
    let calls = before["calls"].as_array().unwrap();
    assert_eq!((calls.len(), before["calls_not_shown"].as_u64()), (50, Some(10)));
    let first = &calls[0];
    assert_eq!(first["call_id"], "1772820000.0");
    assert_eq!(first["started_at"], "2026-03-06T18:00:00Z");
    assert_eq!(first["extension"], "105");
    assert_eq!(first["number"], "+22465550****");
    assert_eq!((&first["prefix"], &first["country"]), (&"224".into(), &"GN".into()));
    assert_eq!((&first["answered"], &first["billable_seconds"]), (&true.into(), &120.into()));
    let amount = |of: &Value| of["exposure"]["amount"].as_str().unwrap().parse::<f64>().unwrap();
    assert!(amount(first) > 0.0);
    // 50 of 60 equal calls have cost five sixths of it all.
    let sum: f64 = calls.iter().map(amount).sum();
    assert!((sum * 6.0 - amount(&before["incident"]) * 5.0).abs() < 0.01, "{sum}");
    assert!(calls.is_sorted_by_key(|call| call["started_at"].as_str().unwrap()));

    running.kill();
    running.configure(&configuration("show_numbers = true\n"));
    running.forget_log();
    running.start();
    assert!(wait_until(BOUND, || shown(&running).is_some()), "{}", running.log());
    let mut after = shown(&running).unwrap();
    assert_eq!(after["calls"][0]["number"], "+224655500000");
    for call in after["calls"].as_array_mut().unwrap() {
        call["number"] = "+22465550****".into();
    }
    assert_eq!(after, before);
    assert_eq!(running.stop(), Some(0), "{}", running.log());
}

#[test]
fn what_keeps_the_service_from_seeing_is_listed_with_what_to_do_until_it_is_over() {
    let mut running = Running::prepare(&configuration(""));
    append(&running.path("Master.csv"), "no,record,at,all\n".repeat(30).as_bytes());
    running.start();
    let conditions =
        || get(&running.address(), "/api/v1/conditions")["conditions"].as_array().unwrap().clone();
    let named = |name: &str| conditions().into_iter().find(|one| one["condition"] == name);
    assert!(wait_until(BOUND, || named("unknown_width").is_some()), "{}", running.log());
    let blind = named("unknown_width").unwrap();
    assert_eq!((&blind["subject"], &blind["tenant"]), (&"pbx".into(), &"north".into()));
    assert_eq!((&blind["severity"], &blind["resolved_at"]), (&"critical".into(), &Value::Null));
    assert!(blind["detail_en"].as_str().unwrap().contains("Was the PBX changed?"), "{blind}");
    assert!(blind["detail_ja"].as_str().unwrap().contains("PBX の設定が変わりましたか"), "{blind}");
    let stale = named("stale_rates").unwrap();
    assert_eq!((&stale["severity"], &stale["subject"]), (&"warning".into(), &"".into()));
    assert!(stale["detail_en"].as_str().unwrap().contains("rates.deck"), "{stale}");
    assert_eq!(named("stale_risk_list"), None, "switched off");

    // The share is that of the last records, so the second good ones end it.
    let source = |key: &str| get(&running.address(), "/api/v1/sources")["sources"][0][key].as_u64();
    append(&running.path("Master.csv"), attack::rows(0..400).as_bytes());
    assert!(wait_until(BOUND, || source("records") == Some(400)), "{:?}", source("records"));
    append(&running.path("Master.csv"), (attack::rows(400..800) + &attack::rows(3..5)).as_bytes());
    assert!(wait_until(BOUND, || named("unknown_width").is_none()), "{:?}", conditions());
    assert!(wait_until(BOUND, || source("duplicate") == Some(2)), "{:?}", source("duplicate"));
    assert_eq!((source("rejected"), source("records"), source("late")), (Some(30), Some(802), Some(0)));
    assert_eq!(running.stop(), Some(0), "{}", running.log());
}
