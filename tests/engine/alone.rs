//! What a rule says does not depend on which other rules there are. Those that arm keys are the exception: a rule that
//! waits for armed keys needs them.
use super::{Call, DAY, GUINEA, HOME, NEW_YORK, SATURDAY, SIERRA_LEONE, Telling, call, settings_with};
use proptest::prelude::*;
use std::sync::LazyLock;
use tollwatch::{RawConfig, default_text};
use tollwatch_detect::{AlertReason, Engine, IncidentV1, RawRule, Settings};

/// Beside the rules of the embedded configuration: the scopes and measures that none of them has, with thresholds that a
/// few calls reach.
const MORE: &str = r#"
rules = [
  { name = "asr", measure = "asr", destinations = "high_risk", minimum_attempts = 3, thresholds = [{ window = "60m", warning = 60, critical = 30 }] },
  { name = "acd", measure = "acd", destinations = "high_risk", minimum_attempts = 2, thresholds = [{ window = "60m", warning = "4m", critical = "1m" }] },
  { name = "asr_abroad", measure = "asr", destinations = "international", when = "off_hours", minimum_attempts = 4, thresholds = [{ window = "2h", warning = 50 }] },
  { name = "asr_arms", measure = "asr", destinations = "high_risk", minimum_attempts = 3, arm_for = "2h", thresholds = [{ window = "60m", arm = 40 }] },
  { name = "seconds", measure = "billable_time", destinations = "international", thresholds = [{ window = "60m", warning = "3m", critical = "29m" }] },
  { name = "answered", measure = "answered", destinations = "high_risk", thresholds = [{ window = "30m", warning = 2, critical = 4 }] },
  { name = "long", measure = "longest_call", destinations = "high_risk", thresholds = [{ warning = "77s", critical = "7m" }] },
  { name = "premium_long", measure = "longest_call", destinations = "premium", thresholds = [{ warning = "131s" }] },
  { name = "trunk_asr", scope = "trunk", measure = "asr", destinations = "high_risk", minimum_attempts = 4, thresholds = [{ window = "60m", warning = 70, critical = 40 }] },
  { name = "trunk_calls", scope = "trunk", measure = "attempts", destinations = "international", thresholds = [{ window = "3h", warning = 6 }] },
  { name = "trunk_lines", scope = "trunk", measure = "concurrent_calls", destinations = "high_risk", thresholds = [{ warning = 2, critical = 4 }] },
  { name = "tenant_seconds", scope = "tenant", measure = "billable_time", destinations = "premium", thresholds = [{ window = "60m", warning = "2m" }] },
  { name = "tenant_asr", scope = "tenant", measure = "asr", destinations = "premium", minimum_attempts = 2, thresholds = [{ window = "60m", warning = 60 }] },
  { name = "number_run", scope = "called_number", measure = "same_number_run", destinations = "international", thresholds = [{ window = "60m", warning = 3 }] },
  { name = "range_new", scope = "called_range", measure = "attempts", destinations = ["new_country", "high_risk"], thresholds = [{ window = "24h", warning = 1 }] },
  { name = "country_acd", scope = "country", measure = "acd", destinations = "international", minimum_attempts = 3, thresholds = [{ window = "2h", warning = "2m" }] },
  { name = "country_failed", scope = "country", measure = "failed", destinations = "unusual_country", thresholds = [{ window = "60m", warning = 3, critical = 5 }] },
  { name = "account_calls", scope = "account", measure = "attempts", destinations = "high_risk", thresholds = [{ window = "60m", warning = 3 }] },
  { name = "address_money", scope = "source_address", measure = "exposure", destinations = "international", thresholds = [{ window = "60m", warning = 700, critical = 2000 }] },
  { name = "address_run", scope = "source_address", cross_tenant = true, measure = "distinct_numbers", destinations = "international", thresholds = [{ window = "60m", warning = 2 }] },
]
"#;

#[derive(serde::Deserialize)]
struct Rules {
    rules: Vec<RawRule>,
}

static RULES: LazyLock<Vec<RawRule>> = LazyLock::new(|| {
    let embedded: RawConfig = toml::from_str(default_text()).unwrap();
    [embedded.rules, toml::from_str::<Rules>(MORE).unwrap().rules].concat()
});
static ALL: LazyLock<Settings> = LazyLock::new(|| settings_with(&RULES));
/// Each rule with nothing beside it but what it waits for.
static ALONE: LazyLock<Vec<Settings>> = LazyLock::new(|| {
    let arms = |rule: &RawRule| rule.thresholds.iter().any(|threshold| threshold.arm.is_some());
    let alone = |rule: &RawRule| {
        let needed = RULES.iter().filter(|other| rule.armed && arms(other) && other.scope == rule.scope);
        settings_with(&needed.chain([rule]).cloned().collect::<Vec<_>>())
    };
    RULES.iter().map(alone).collect()
});

const DIALLED: [&str; 11] = [
    GUINEA,
    GUINEA,
    "010224655500002",
    SIERRA_LEONE,
    "010232221239999",
    NEW_YORK,
    "010442071234567",
    "01033123456789",
    "0106512345678",
    "0990312345",
    "09903",
];

/// A call, how it comes to be known, and how late its CDR is.
#[derive(Clone, Copy, Debug)]
struct Traffic {
    call: Call<'static>,
    live: bool,
    late: i64,
}

/// Calls of an attack, and of others long after it.
fn traffic() -> impl Strategy<Value = Vec<Traffic>> {
    let start = (prop_oneof![4 => Just(0i64), 1 => 1i64..5, 1 => 20i64..100], 0i64..200);
    let length = (prop_oneof![2 => Just(0i64), 1 => 1i64..16, 3 => 16i64..1000], 0i64..40);
    let who = (
        prop::sample::select(&["105", "105", "105", "106", "107"]),
        prop::sample::select(&["trunk", "carrier"]),
        prop::sample::select(&DIALLED),
        prop::sample::select(&["", "sales"]),
        prop::sample::select(&["", "192.0.2.7", "2001:db8::7"]),
    );
    let known = (any::<bool>(), prop_oneof![3 => Just(0i64), 1 => 0i64..3600, 1 => 0i64..40_000]);
    prop::collection::vec((start, length, who, known), 1..50).prop_map(|all| {
        let numbered = (1u64..).zip(all);
        numbered
            .map(|(serial, ((block, grid), (talked, rang), who, (live, late)))| {
                let start = SATURDAY + block * 7200 + grid * 31;
                let (extension, trunk, dialled, account, source_address) = who;
                let (seconds, billable) = (talked + rang, talked as u32);
                let of = Call { seconds, billable, extension, trunk, dialled, ..call(serial, start) };
                Traffic { call: Call { account, source_address, ..of }, live, late }
            })
            .collect()
    })
}

/// An alert, with all that it says of its incident but the number of the rule.
type Told = (String, AlertReason, i64, String);

/// What an engine says of each rule by its name: the incidents, and the alerts on the way.
fn said(settings: &Settings, traffic: &[Traffic]) -> (Vec<IncidentV1>, Vec<Told>) {
    let mut engine = Engine::new(settings.clone());
    let tenant = engine.tenant("default");
    for at in [SATURDAY - 9 * DAY, SATURDAY - 9 * DAY + 60, SATURDAY - 3600] {
        Call { dialled: HOME, ..call(1_000_000 + at as u64, at) }.tell(Telling::Cdr, &mut engine, tenant);
    }
    let mut records: Vec<(i64, &Traffic, Telling)> = Vec::new();
    for one in traffic {
        if one.live {
            records.push((one.call.known_at(Telling::Started), one, Telling::Started));
            if one.call.billable > 0 {
                records.push((one.call.known_at(Telling::Answered), one, Telling::Answered));
            }
            records.push((one.call.known_at(Telling::Ended), one, Telling::Ended));
        }
        records.push((one.call.known_at(Telling::Cdr) + one.late, one, Telling::Cdr));
    }
    records.sort_by_key(|(at, ..)| *at);
    for (_, one, telling) in records {
        one.call.tell(telling, &mut engine, tenant);
    }
    engine.finish();
    let alerts = engine.take_alerts();
    let told = alerts.into_iter().map(|alert| {
        let rule = engine.settings().rules()[alert.incident.rule].name.clone();
        let incident = tollwatch_detect::Incident { rule: 0, ..*alert.incident };
        (rule, alert.reason, alert.at.micros(), format!("{incident:?}"))
    });
    let told = told.collect();
    let incidents = engine.incidents().into_iter();
    (incidents.map(|incident| IncidentV1::new(&incident, engine.settings())).collect(), told)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_rule_says_the_same_alone_as_among_all_others(traffic in traffic()) {
        let (incidents, told) = said(&ALL, &traffic);
        for (rule, alone) in RULES.iter().zip(ALONE.iter()) {
            let (mut alone, mut told_alone) = said(alone, &traffic);
            alone.retain(|incident| incident.rule == rule.name);
            told_alone.retain(|told| told.0 == rule.name);
            let among: Vec<IncidentV1> =
                incidents.iter().filter(|incident| incident.rule == rule.name).cloned().collect();
            let told: Vec<Told> = told.iter().filter(|told| told.0 == rule.name).cloned().collect();
            prop_assert_eq!(among, alone, "{}", rule.name);
            prop_assert_eq!(told, told_alone, "{}", rule.name);
        }
    }
}
