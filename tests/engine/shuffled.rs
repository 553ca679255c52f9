//! Records that come late, in any order, raise the same incidents as records that come at once.
use super::{Call, GUINEA, HOME, NEW_YORK, SATURDAY, SIERRA_LEONE, Telling, call, settings_with};
use crate::harness::wire;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::LazyLock;
use tollwatch_detect::{Engine, IncidentV1, RawRule, Severity};

/// No record comes later than this.
const LATENESS: i64 = 1200;
/// Calls begin within so long, and last half as long at most: no rule's longest window has gone by then.
const BURST: i64 = 1800;
const TRUNKS: [&str; 2] = ["trunk", "carrier"];
const EXTENSIONS: [&str; 4] = ["105", "106", "107", "200"];
/// High risk, cheap, and at home; some of one block.
const DIALLED: [&str; 9] = [
    GUINEA,
    "010224655500002",
    SIERRA_LEONE,
    "010232221239999",
    NEW_YORK,
    "01012125550101",
    "010442071234567",
    "0990312345",
    HOME,
];

/// Rules that a record which comes later can only make worse; that is what the property holds for.
const RULES: &str = r#"
rules = [
  { name = "attempts", measure = "attempts", destinations = "high_risk", thresholds = [{ window = "5m", warning = 2, critical = 3 }, { window = "60m", warning = 3, critical = 6 }] },
  { name = "abroad", measure = "attempts", destinations = "international", thresholds = [{ window = "60m", critical = 5 }] },
  { name = "answered", measure = "answered", destinations = "international", thresholds = [{ window = "10m", warning = 2, critical = 4 }, { window = "60m", critical = 8 }] },
  { name = "off_hours", measure = "attempts", destinations = "international", when = "off_hours", thresholds = [{ window = "60m", warning = 3 }] },
  { name = "failed", measure = "failed", destinations = "international", arm_for = "3h", thresholds = [{ window = "60m", arm = 2, warning = 3, critical = 5 }] },
  { name = "numbers", measure = "distinct_numbers", destinations = "international", thresholds = [{ window = "8m", warning = 2 }, { window = "60m", critical = 3 }] },
  { name = "countries", measure = "distinct_countries", destinations = "international", thresholds = [{ window = "6m", warning = 2, critical = 4 }, { window = "60m", critical = 4 }] },
  { name = "scan", measure = "distinct_countries", destinations = "international", outcomes = "failed_or_short", arm_for = "10m", thresholds = [{ window = "60m", arm = 2 }] },
  { name = "neighbours", measure = "neighbouring_numbers", destinations = "international", thresholds = [{ window = "5m", warning = 2 }, { window = "60m", critical = 3 }] },
  { name = "one_range", measure = "calls_in_one_range", destinations = "unusual_country", thresholds = [{ window = "5m", warning = 2, critical = 4 }, { window = "60m", critical = 5 }] },
  { name = "armed", measure = "attempts", destinations = "high_risk", armed = true, thresholds = [{ window = "60m", warning = 1, critical = 3 }] },
  { name = "new_country", measure = "attempts", destinations = "new_country", thresholds = [{ window = "60m", warning = 2, critical = 3 }] },
  { name = "premium", measure = "attempts", destinations = "premium", thresholds = [{ window = "60m", warning = 1, critical = 2 }] },
  { name = "spread", scope = "tenant", measure = "distinct_extensions", destinations = "international", thresholds = [{ window = "5m", warning = 2 }, { window = "60m", critical = 4 }] },
  { name = "country", scope = "country", measure = "attempts", destinations = "international", thresholds = [{ window = "60m", warning = 4 }] },
  { name = "range", scope = "called_range", cross_tenant = true, measure = "distinct_extensions", destinations = "international", thresholds = [{ window = "60m", warning = 2 }] },
  { name = "trunk", scope = "trunk", measure = "attempts", destinations = "high_risk", thresholds = [{ window = "10m", warning = 3 }, { window = "60m", critical = 8 }] },
]
"#;
/// What only a completed call says; a live call that is heard of late lasts longer than it did, until its end is told.
const RULES_OF_COMPLETED_CALLS: &str = r#"
rules = [
  { name = "money", measure = "exposure", destinations = "international", thresholds = [{ window = "10m", warning = 200 }, { window = "60m", warning = 500, critical = 2000 }] },
  { name = "seconds", measure = "billable_time", destinations = "high_risk", thresholds = [{ window = "10m", warning = "5m" }, { window = "60m", critical = "20m" }] },
  { name = "at_once", measure = "concurrent_calls", destinations = "international", thresholds = [{ warning = 2, critical = 4 }] },
  { name = "tenant_at_once", scope = "tenant", measure = "concurrent_calls", destinations = "high_risk", thresholds = [{ warning = 3, critical = 5 }] },
  { name = "long", measure = "longest_call", destinations = "international", thresholds = [{ warning = "5m", critical = "14m" }] },
  { name = "tenant_money", scope = "tenant", measure = "exposure", destinations = "high_risk", thresholds = [{ window = "60m", warning = 1000, critical = 4000 }] },
]
"#;

#[derive(serde::Deserialize)]
struct Rules {
    rules: Vec<RawRule>,
}

fn rules(text: &str) -> Vec<RawRule> {
    toml::from_str::<Rules>(text).unwrap().rules
}

static ANY: LazyLock<Vec<RawRule>> = LazyLock::new(|| rules(RULES));
static ALL: LazyLock<Vec<RawRule>> =
    LazyLock::new(|| [rules(RULES), rules(RULES_OF_COMPLETED_CALLS)].concat());

/// A call, how it comes to be known, and how much later than at once.
#[derive(Clone, Copy, Debug)]
struct Traffic {
    call: Call<'static>,
    forwarded: bool,
    live: bool,
    second_first: bool,
    late: i64,
}

/// Calls of a few bursts, hours apart.
fn traffic(bursts: i64, live: bool) -> impl Strategy<Value = Vec<Traffic>> {
    let shape = (0..bursts, 0..BURST, 1..BURST / 2, 0i64..20, 0..=LATENESS);
    let who =
        (prop::sample::select(&EXTENSIONS), prop::sample::select(&TRUNKS), prop::sample::select(&DIALLED));
    let kind = (0u8..10, any::<bool>(), any::<bool>());
    prop::collection::vec((shape, who, kind), 1..40).prop_map(move |all| {
        // Two first calls to a country at one instant are both new, until an earlier one turns up: none begin together.
        let mut starts = BTreeSet::new();
        let numbered = (1u64..).zip(all);
        numbered
            .filter(|(_, ((burst, at, ..), ..))| starts.insert((*burst, *at)))
            .map(|(serial, ((burst, at, talked, rang, late), (extension, trunk, dialled), kind))| {
                let start = SATURDAY + burst * 6 * 3600 + at;
                // Of ten calls three fail and two are short.
                let billable = match kind.0 {
                    0..3 => 0,
                    3 | 4 => talked % 16,
                    _ => talked,
                };
                let call = Call {
                    start,
                    seconds: billable + rang,
                    billable: billable as u32,
                    extension,
                    trunk,
                    dialled,
                    ..call(serial, start)
                };
                let forwarded = kind.0 == 9 && dialled != HOME;
                Traffic { call, forwarded, live: live && kind.1 && !forwarded, second_first: kind.2, late }
            })
            .collect()
    })
}

/// What is the same for all orders of an incident's records. When it was detected, and so its id, is not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    rule: String,
    scope: (String, String),
    first_call_at: String,
    severity: Severity,
    attempts: u64,
    answered: u64,
    billable_seconds: u64,
    exposure: String,
    destinations: Vec<(String, u64)>,
    extensions: Vec<String>,
}

impl Found {
    fn new(incident: IncidentV1) -> Self {
        Self {
            rule: incident.rule,
            scope: (incident.scope.kind, incident.scope.value),
            first_call_at: incident.first_call_at,
            severity: incident.severity,
            attempts: incident.attempts,
            answered: incident.answered,
            billable_seconds: incident.billable_seconds,
            exposure: incident.exposure.amount,
            destinations: incident.destinations.into_iter().map(|to| (to.prefix, to.calls)).collect(),
            extensions: incident.extensions,
        }
    }
}

/// What is found if records come at once, or as late as the traffic says.
fn found(rules: &[RawRule], traffic: &[Traffic], late: bool) -> Vec<Found> {
    let mut engine = Engine::new(settings_with(rules));
    let tenant = engine.tenant("default");
    // With two records that agree time begins, and the learning of countries.
    for at in [SATURDAY - 7200, SATURDAY - 3600] {
        Call { dialled: HOME, ..call(at as u64, at) }.tell(Telling::Cdr, &mut engine, tenant);
    }
    let mut records: Vec<(i64, &Traffic, Telling)> = Vec::new();
    for one in traffic {
        let mut put = |telling| {
            records.push((one.call.known_at(telling) + if late { one.late } else { 0 }, one, telling));
        };
        if one.live {
            put(Telling::Started);
            if one.call.billable > 0 {
                put(Telling::Answered);
            }
            put(Telling::Ended);
        }
        put(Telling::Cdr);
    }
    records.sort_by_key(|(at, ..)| *at);
    for (_, one, telling) in records {
        if one.forwarded {
            one.call.tell_forwarded(one.second_first, &mut engine, tenant);
        } else {
            one.call.tell(telling, &mut engine, tenant);
        }
    }
    engine.finish();
    let mut found: Vec<Found> = wire(&engine).into_iter().map(Found::new).collect();
    found.sort();
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn records_that_come_late_raise_the_incidents_of_records_that_come_at_once(traffic in traffic(1, false)) {
        prop_assert_eq!(found(&ALL, &traffic, true), found(&ALL, &traffic, false));
    }

    #[test]
    fn an_attack_that_comes_late_after_another_was_over_is_a_new_one_in_any_order(traffic in traffic(3, false)) {
        prop_assert_eq!(found(&ALL, &traffic, true), found(&ALL, &traffic, false));
    }

    #[test]
    fn calls_that_are_heard_of_live_and_late_raise_the_same_incidents(traffic in traffic(1, true)) {
        prop_assert_eq!(found(&ANY, &traffic, true), found(&ANY, &traffic, false));
    }
}
