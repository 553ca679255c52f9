//! Incidents against a slow engine that looks at all calls anew with every record.
use super::{Call, DAY, GUINEA, HOME, NEW_YORK, SIERRA_LEONE, Telling, call, settings_with};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tollwatch_cdr::EventTime;
use tollwatch_detect::{
    DestinationSet, Engine, Incident, Measure, Outcomes, RawDestinations, RawRule, RawThreshold, RawValue,
    ScopeKind, Settings, Severity, When,
};
use tollwatch_numbering::{Form, Money};
use tollwatch_stats::Traits;

/// Friday 13 March 2026, 18:00 in Tokyo: the office closes two hours later.
const EVENING: i64 = 1_773_392_400;
const CLOSING: i64 = EVENING + 2 * 3600;
const DIALLED: [&str; 8] = [
    GUINEA,
    "010224655500002",
    "010224655510001",
    SIERRA_LEONE,
    NEW_YORK,
    "01012125550101",
    "010442071234567",
    PREMIUM_AT_HOME,
];
const PREMIUM_AT_HOME: &str = "0990312345";
/// Ordinary numbers of other countries.
const MORE_COUNTRIES: [&str; 3] = ["01033123456789", "0106512345678", "010861012345678"];

/// A call as the numbering sees it.
#[derive(Clone, Debug)]
struct Truth {
    call: Call<'static>,
    traits: Traits,
    number: u64,
    destination: Option<u16>,
    country: Option<u16>,
    iso2: String,
    cost: i64,
}

impl Truth {
    fn new(call: Call<'static>, settings: &Settings) -> Self {
        let called = settings.plan().normalise(call.dialled.as_bytes(), Form::Dialled);
        let watched = settings.watch(&called).unwrap();
        let number = watched.number.unwrap();
        let row = watched.destination.map(|id| settings.destinations().get(id));
        Self {
            call,
            traits: watched.traits,
            number: number.value(),
            destination: watched.destination.map(|id| id.0),
            country: row.map(tollwatch_numbering::Destination::country),
            iso2: row.map(|row| row.iso2.clone()).unwrap_or_default(),
            cost: settings.rate(Some(number)).charge(call.billable).micros(),
        }
    }

    fn end(&self) -> i64 {
        self.call.start + self.call.seconds
    }

    fn key(&self, scope: ScopeKind) -> String {
        match scope {
            ScopeKind::Extension => self.call.extension.to_owned(),
            ScopeKind::Tenant => "default".to_owned(),
            ScopeKind::Trunk => self.call.trunk.to_owned(),
            ScopeKind::CalledNumber => self.number.to_string(),
            ScopeKind::CalledRange => (self.number / 10_000).to_string(),
            ScopeKind::Country => self.iso2.clone(),
            ScopeKind::SourceAddress => self.call.source_address.to_owned(),
            ScopeKind::Account => self.call.account.to_owned(),
            ScopeKind::Unattributed => unreachable!("every call has an extension"),
        }
    }
}

/// Whether a rule counts a call, among the calls that are known of its key.
fn counts(rule: &RawRule, call: &Truth, of_key: &[&Truth]) -> bool {
    let sets = match &rule.destinations {
        RawDestinations::One(set) => std::slice::from_ref(set),
        RawDestinations::All(sets) => sets,
    };
    let is_in = |set: &DestinationSet| match set {
        DestinationSet::International => call.traits.has(Traits::INTERNATIONAL),
        DestinationSet::HighRisk => call.traits.has(Traits::HIGH_RISK),
        DestinationSet::Premium => call.traits.has(Traits::PREMIUM),
        DestinationSet::NewCountry => {
            let is_earlier = |other: &&Truth| {
                other.traits.has(Traits::INTERNATIONAL)
                    && other.country == call.country
                    && other.call.start < call.call.start
            };
            call.traits.has(Traits::INTERNATIONAL) && !of_key.iter().any(is_earlier)
        }
        _ => unreachable!("not among the rules that are tried"),
    };
    let when = match rule.when {
        When::Always => true,
        When::OffHours => call.call.start >= CLOSING,
        When::BusinessHours => call.call.start < CLOSING,
    };
    let outcome = rule.outcomes == Outcomes::Any || call.call.billable <= 15;
    when && outcome && sets.iter().all(is_in)
}

/// A window's value for the rule with regard to one call in it; none where it says nothing. Higher is worse.
fn value(rule: &RawRule, inside: &[&Truth], hand: &Truth) -> Option<i64> {
    let distinct = |values: BTreeSet<u64>| Some(values.len() as i64);
    let answered = inside.iter().filter(|c| c.call.billable > 0).count() as i64;
    let least = i64::from(rule.minimum_attempts.unwrap_or(10));
    let seconds: i64 = inside.iter().map(|c| i64::from(c.call.billable)).sum();
    match rule.measure {
        Measure::Attempts => Some(inside.len() as i64),
        Measure::Answered => Some(answered),
        Measure::Failed => Some(inside.len() as i64 - answered),
        Measure::Asr => (inside.len() as i64 >= least).then(|| -(answered * 1000 / inside.len() as i64)),
        Measure::Acd => (answered >= least).then(|| -(seconds / answered)),
        Measure::BillableTime => Some(seconds),
        Measure::Exposure => Some(inside.iter().map(|c| c.cost).sum()),
        Measure::DistinctNumbers => {
            let same = inside.iter().filter(|c| c.destination == hand.destination);
            distinct(same.map(|c| c.number).collect())
        }
        Measure::DistinctCountries => {
            distinct(inside.iter().filter_map(|c| c.country.map(u64::from)).collect())
        }
        Measure::DistinctExtensions => {
            let same = inside.iter().filter(|c| c.country == hand.country);
            distinct(same.map(|c| c.call.extension.parse().unwrap()).collect())
        }
        Measure::NeighbouringNumbers => {
            let same = inside.iter().filter(|c| c.number / 10_000 == hand.number / 10_000);
            distinct(same.map(|c| c.number).collect())
        }
        Measure::CallsInOneRange => {
            Some(inside.iter().filter(|c| c.number / 10_000 == hand.number / 10_000).count() as i64)
        }
        Measure::SameNumberRun => {
            // The stretch that the newest call of the window ends, if the call at hand is in it.
            let run = inside.iter().rev().take_while(|c| c.number == hand.number);
            let run: Vec<u64> = run.map(|c| c.call.serial).collect();
            run.contains(&hand.call.serial).then_some(run.len() as i64)
        }
        Measure::ConcurrentCalls | Measure::LongestCall => unreachable!("has no window"),
    }
}

/// What the windows that hold a call say: the value, and what the window begins behind.
fn values(rule: &RawRule, seconds: i64, matching: &[&Truth], hand: &Truth) -> Vec<(i64, i64)> {
    if rule.measure == Measure::LongestCall {
        return vec![(i64::from(hand.call.billable), hand.call.start - 1)];
    }
    if rule.measure == Measure::ConcurrentCalls {
        // At every second of the call: how many are up, and since when the oldest of them.
        let up = |second| {
            let all = matching.iter().filter(move |c| c.call.start <= second && second < c.end());
            (all.clone().count() as i64, all.map(|c| c.call.start - 1).min().unwrap_or(second))
        };
        return (hand.call.start..hand.end()).map(up).collect();
    }
    let edges: BTreeSet<i64> = matching.iter().map(|c| c.call.start).collect();
    let holding = edges.range(hand.call.start..hand.call.start + seconds);
    let of_window = |edge: &i64| {
        let is_inside = |c: &&&Truth| c.call.start <= *edge && c.call.start > edge - seconds;
        let inside: Vec<&Truth> = matching.iter().filter(is_inside).copied().collect();
        Some((value(rule, &inside, hand)?, edge - seconds))
    };
    holding.filter_map(of_window).collect()
}

/// An incident as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Expected {
    severity: Severity,
    opened_at: i64,
    detected_at: i64,
    critical_at: Option<i64>,
    window_from: i64,
    first_call_at: i64,
    attempts: u64,
    answered: u64,
    billable_seconds: u64,
    exposure: i64,
}

/// The slow engine: what one rule finds, by key, in calls that come to be known in this order.
fn expected(rule: &RawRule, calls: &[Truth]) -> BTreeMap<String, Expected> {
    let mut all: BTreeMap<String, Expected> = BTreeMap::new();
    let keys: BTreeSet<String> = calls.iter().map(|c| c.key(rule.scope)).collect();
    for key in keys.into_iter().filter(|key| !key.is_empty()) {
        let mut known: Vec<&Truth> = Vec::new();
        for call in calls.iter().filter(|c| c.key(rule.scope) == key) {
            let at = known.partition_point(|c| c.call.start <= call.call.start);
            known.insert(at, call);
            if !counts(rule, call, &known) {
                continue;
            }
            let matching: Vec<&Truth> = known.iter().filter(|c| counts(rule, c, &known)).copied().collect();
            for threshold in &rule.thresholds {
                let [warning, critical] = [&threshold.warning, &threshold.critical]
                    .map(|limit| limit.as_ref().map(|limit| number(rule.measure, limit)));
                let seconds = threshold
                    .window
                    .as_deref()
                    .map_or(0, |window| tollwatch_detect::parse_duration(window).unwrap());
                for (value, from) in values(rule, seconds, &matching, call) {
                    let is_critical = critical.is_some_and(|limit| value >= limit);
                    if !is_critical && warning.is_none_or(|limit| value < limit) {
                        continue;
                    }
                    let incident = all.entry(key.clone()).or_insert(Expected {
                        severity: Severity::Warning,
                        opened_at: call.call.start,
                        detected_at: call.end(),
                        critical_at: None,
                        window_from: from,
                        first_call_at: i64::MAX,
                        attempts: 0,
                        answered: 0,
                        billable_seconds: 0,
                        exposure: 0,
                    });
                    incident.window_from = incident.window_from.min(from);
                    if is_critical && incident.severity == Severity::Warning {
                        incident.severity = Severity::Critical;
                        incident.critical_at = Some(call.end());
                    }
                }
            }
        }
        if let Some(incident) = all.get_mut(&key) {
            for call in
                known.iter().filter(|c| counts(rule, c, &known) && c.call.start > incident.window_from)
            {
                incident.first_call_at = incident.first_call_at.min(call.call.start);
                incident.attempts += 1;
                incident.answered += u64::from(call.call.billable > 0);
                incident.billable_seconds += u64::from(call.call.billable);
                incident.exposure += call.cost;
            }
        }
    }
    all
}

/// A limit in the unit of the measure, negated where low is bad.
fn number(measure: Measure, limit: &RawValue) -> i64 {
    match (measure, limit) {
        (Measure::Exposure, RawValue::Number(units)) => Money::from_units(*units).micros(),
        (Measure::Asr, RawValue::Number(percent)) => -percent * 10,
        (Measure::Acd, RawValue::Text(text)) => -tollwatch_detect::parse_duration(text).unwrap(),
        (_, RawValue::Text(text)) => tollwatch_detect::parse_duration(text).unwrap(),
        (_, RawValue::Number(count)) => *count,
    }
}

const MEASURES: [Measure; 15] = [
    Measure::Attempts,
    Measure::Answered,
    Measure::Failed,
    Measure::Asr,
    Measure::Acd,
    Measure::BillableTime,
    Measure::Exposure,
    Measure::ConcurrentCalls,
    Measure::LongestCall,
    Measure::DistinctNumbers,
    Measure::DistinctCountries,
    Measure::DistinctExtensions,
    Measure::SameNumberRun,
    Measure::NeighbouringNumbers,
    Measure::CallsInOneRange,
];

/// Whether low values are the bad ones. Where a key has calls that such a rule does not count, windows end at them too,
/// and a window that is looked at for another call may be worse; so these rules are tried with calls that all count.
fn is_ratio(measure: Measure) -> bool {
    matches!(measure, Measure::Asr | Measure::Acd)
}

/// A limit as the configuration says it: the `step`-th of those that the calls of a test can reach.
fn limit(measure: Measure, step: i64) -> RawValue {
    match measure {
        Measure::BillableTime | Measure::LongestCall | Measure::Acd => {
            RawValue::Text(format!("{}s", step * 97))
        }
        Measure::Exposure => RawValue::Number(step * 170),
        Measure::Asr => RawValue::Number(step * 9),
        _ => RawValue::Number(step),
    }
}

fn threshold(measure: Measure) -> impl Strategy<Value = RawThreshold> {
    (prop::sample::select(&["90s", "10m", "47m", "2h"]), 1i64..8, 0i64..4, 0u8..3).prop_map(
        move |(window, step, more, which)| {
            let (mild, severe) = if is_ratio(measure) { (step + more, step) } else { (step, step + more) };
            let has_window = !matches!(measure, Measure::ConcurrentCalls | Measure::LongestCall);
            RawThreshold {
                window: has_window.then(|| window.to_owned()),
                arm: None,
                warning: (which != 0).then(|| limit(measure, mild)),
                critical: (which != 1).then(|| limit(measure, severe)),
            }
        },
    )
}

fn rule() -> impl Strategy<Value = RawRule> {
    let abroad = RawDestinations::One(DestinationSet::International);
    let sets = vec![
        abroad.clone(),
        RawDestinations::One(DestinationSet::HighRisk),
        RawDestinations::One(DestinationSet::Premium),
        RawDestinations::One(DestinationSet::NewCountry),
        RawDestinations::All(vec![DestinationSet::HighRisk, DestinationSet::NewCountry]),
    ];
    let kind = (
        prop_oneof![Just(ScopeKind::Extension), prop::sample::select(&ScopeKind::ALL)],
        prop_oneof![2 => Just(abroad.clone()), 3 => prop::sample::select(sets.clone())],
        prop_oneof![3 => Just(When::Always), 1 => Just(When::OffHours), 1 => Just(When::BusinessHours)],
        prop_oneof![3 => Just(Outcomes::Any), 1 => Just(Outcomes::FailedOrShort)],
        1u32..4,
    );
    (prop::sample::select(&MEASURES), kind).prop_flat_map(move |(measure, kind)| {
        let abroad = abroad.clone();
        prop::collection::vec(threshold(measure), 1..3).prop_map(move |thresholds| {
            let (scope, destinations, when, outcomes, least) = kind.clone();
            let has_extensions = measure == Measure::DistinctExtensions && scope == ScopeKind::Extension;
            let scope = if has_extensions { ScopeKind::Tenant } else { scope };
            let (destinations, when, outcomes) = if is_ratio(measure) {
                (abroad.clone(), When::Always, Outcomes::Any)
            } else {
                (destinations, when, outcomes)
            };
            RawRule {
                name: "tried".to_owned(),
                enabled: true,
                scope,
                cross_tenant: false,
                measure,
                destinations,
                when,
                outcomes,
                armed: false,
                arm_for: None,
                minimum_attempts: is_ratio(measure).then_some(least),
                thresholds,
            }
        })
    })
}

/// Calls in the order in which they come to be known. Starts are on a coarse grid, so that some begin together.
fn calls() -> impl Strategy<Value = Vec<Call<'static>>> {
    let dialled: Vec<&str> = DIALLED.into_iter().chain(MORE_COUNTRIES).collect();
    let who = (
        prop::sample::select(&["105", "105", "106", "107"]),
        prop::sample::select(&["trunk", "carrier"]),
        prop_oneof![prop::sample::select(dialled), prop::sample::select(&[GUINEA, "010224655500002"])],
        prop::sample::select(&["", "sales", "support"]),
        prop::sample::select(&["", "192.0.2.7", "2001:db8::7"]),
    );
    let one = (0i64..200, prop_oneof![Just(0i64), 1i64..16, 16i64..900], 0i64..30, who);
    prop::collection::vec(one, 1..40).prop_map(|all| {
        let numbered = (1u64..).zip(all);
        numbered
            .map(|(serial, (grid, talked, rang, (extension, trunk, dialled, account, source_address)))| {
                let start = EVENING + grid * 67;
                let (seconds, billable) = (talked + rang, talked as u32);
                Call {
                    start,
                    seconds,
                    billable,
                    extension,
                    trunk,
                    dialled,
                    account,
                    source_address,
                    ..call(serial, start)
                }
            })
            .collect()
    })
}

fn of_engine(incident: &Incident) -> Expected {
    Expected {
        severity: incident.severity,
        opened_at: incident.opened_at.seconds(),
        detected_at: incident.detected_at.seconds(),
        critical_at: incident.critical_at.map(EventTime::seconds),
        // An instant before a second, where the oracle counts whole seconds.
        window_from: incident.window_from.seconds(),
        // A call that proves to be of another kind leaves an incident, which may be empty then.
        first_call_at: if incident.attempts == 0 { i64::MAX } else { incident.first_call_at.seconds() },
        attempts: incident.attempts,
        answered: incident.answered,
        billable_seconds: incident.billable_seconds,
        exposure: incident.exposure.micros(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn which_incidents_there_are_when_they_open_and_what_they_hold_is_what_a_slow_engine_says(
        rule in rule(), mut calls in calls(),
    ) {
        let settings = settings_with(std::slice::from_ref(&rule));
        if is_ratio(rule.measure) {
            calls.retain(|call| call.dialled != PREMIUM_AT_HOME);
        }
        if rule.measure == Measure::SameNumberRun {
            // Which of two that begin together is first, only the engine knows.
            let mut starts = BTreeSet::new();
            calls.retain(|call| starts.insert(call.start));
        }
        let truths: Vec<Truth> = calls.iter().map(|call| Truth::new(*call, &settings)).collect();
        let expected = expected(&rule, &truths);
        let mut engine = Engine::new(settings);
        let tenant = engine.tenant("default");
        // With two records that agree time begins, and the learning of countries. All others come in one lump, hours late:
        // the clock is where it will be at their end, and nothing is over.
        for at in [EVENING - 120, EVENING - 60, EVENING + DAY / 4] {
            Call { dialled: HOME, ..call(at as u64, at) }.tell(Telling::Cdr, &mut engine, tenant);
        }
        for call in &calls {
            call.tell(Telling::Cdr, &mut engine, tenant);
        }
        engine.finish();
        let found: BTreeMap<String, Expected> =
            engine.incidents().iter().map(|i| (i.scope.value.to_string(), of_engine(i))).collect();
        prop_assert_eq!(found, expected, "{:#?}", rule);
    }
}
