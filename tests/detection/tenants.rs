//! What differs for one customer: its dial plan, its hours, its rules.
use super::{MINUTE, MONDAY, TUESDAY, about, of_rule, scan};
use crate::harness::wire;
use tollwatch_detect::{IncidentV1, Severity};

const CONFIG: &str = r#"
[[tenants]]
name = "north"
timezone = "America/New_York"
dial_plan = { country = "US" }
business_hours = { days = ["mon", "tue", "wed", "thu", "fri"], from = "09:00", to = "17:00" }

[[tenants.rules]]
name = "high_risk_burst"
measure = "attempts"
destinations = "high_risk"
thresholds = [{ window = "24h", critical = 1 }]

[[tenants.rules]]
name = "any_call"
measure = "attempts"
destinations = "international"
thresholds = [{ window = "60m", warning = 2 }]

[[tenants]]
name = "south"
disabled_rules = ["high_risk_burst"]

[[tenants.allow]]
numbers = ["+33123456789"]
reason = "head office"
"#;

fn record(tenant: &str, start: i64, dialled: &str) -> String {
    let (start, end) = (MONDAY + start, MONDAY + start + 30);
    format!(
        r#"{{"type":"cdr","tenant":"{tenant}","started_at":{start},"ended_at":{end},"billable_seconds":30,"outcome":"answered","extension":"105","trunk":"carrier","dialled":"{dialled}"}}"#
    ) + "\n"
}

fn of_tenant(incidents: &[IncidentV1], tenant: &str) -> Vec<String> {
    let mut rules: Vec<String> =
        incidents.iter().filter(|incident| incident.tenant == tenant).map(|i| i.rule.clone()).collect();
    rules.sort();
    rules
}

#[test]
fn a_tenant_has_its_own_numbers_hours_and_rules_and_the_others_have_the_common_ones() {
    // Tuesday morning in Tokyo, Monday evening in New York. Each dials Guinea as one does where it is.
    let one = [record("", TUESDAY, "010224655500001"), record("north", TUESDAY, "011224655500001")].concat();
    let engine = scan(CONFIG, &[&one]);
    let found = wire(&engine);
    assert_eq!(of_tenant(&found, "default"), [""; 0], "one call in business hours");
    assert_eq!(of_tenant(&found, "north"), ["high_risk_burst", "off_hours_high_risk"]);
    let burst = &of_rule(&engine, "high_risk_burst")[0];
    assert_eq!((burst.severity, &*burst.destinations[0].country), (Severity::Critical, "GN"));

    // What is a call abroad in Tokyo is none in New York, and the other way round.
    let home =
        |tenant, dialled| (0..3).map(|i| record(tenant, TUESDAY + i * MINUTE, dialled)).collect::<String>();
    let (tokyo, new_york) = ("01181355550100", "2125550100");
    let calls = [home("north", new_york), home("north", tokyo)].concat();
    let engine = scan(CONFIG, &[&calls]);
    assert_eq!(engine.counters().watched, 3);
    assert_eq!(about(&engine, "any_call"), ["105"]);
    assert_eq!(of_rule(&engine, "any_call")[0].destinations[0].country, "JP");
    let calls = home("", "0355550100");
    assert_eq!(scan(CONFIG, &[&calls]).counters().watched, 0);
}

#[test]
fn a_rule_that_is_off_for_one_tenant_is_on_for_the_others() {
    let burst =
        |tenant| (0..5).map(|i| record(tenant, TUESDAY + i * MINUTE, "010224655500001")).collect::<String>();
    let engine = scan(CONFIG, &[&[burst(""), burst("south"), burst("west")].concat()]);
    let found = wire(&engine);
    let common = of_tenant(&found, "default");
    assert!(common.contains(&"high_risk_burst".to_owned()), "{common:?}");
    assert_eq!(of_tenant(&found, "west"), common, "who has no table of its own has what all have");
    let south = of_tenant(&found, "south");
    assert!(!south.is_empty() && !south.contains(&"any_call".to_owned()), "{south:?}");
    let missing: Vec<&String> = common.iter().filter(|rule| !south.contains(rule)).collect();
    assert_eq!(missing, ["high_risk_burst"]);
}

#[test]
fn a_number_that_one_tenant_allows_is_watched_for_the_others() {
    let many =
        |tenant| (0..25).map(|i| record(tenant, TUESDAY + i * MINUTE, "01033123456789")).collect::<String>();
    let engine = scan(CONFIG, &[&[many(""), many("south")].concat()]);
    assert_eq!(engine.counters().allowed, 25);
    let tenants: Vec<String> =
        of_rule(&engine, "international_attempts").into_iter().map(|incident| incident.tenant).collect();
    assert_eq!(tenants, ["default"]);
}
