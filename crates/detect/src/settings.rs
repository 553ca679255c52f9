//! What the engine runs on: rules, dial plan, destinations, rates, hours; checked before it starts.
mod allowed;
mod raw;
mod scope_rules;

pub(crate) use allowed::Allowed;
pub use raw::{Problem, RawAllowed, RawDetection, RawLimits};
pub(crate) use scope_rules::{Limit, ScopeRules};

use crate::calendar::{BusinessHours, Calendar};
use crate::reconfigure::RuleNames;
use crate::rule::{RawRule, RawValue, Rule, parse_duration};
use crate::scope::ScopeKind;
use std::sync::Arc;
use tollwatch_cdr::Zone;
use tollwatch_numbering::{
    Called, CalledClass, Destination, DestinationClass, DestinationId, Destinations, DialPlan, E164, Money,
    Rate, RateDeck,
};
use tollwatch_stats::{CallStat, Traits};

/// Everything that [`Settings::new`] checks and puts together.
#[derive(Clone, Debug)]
pub struct Detection<'a> {
    /// Numbers of the engine itself.
    pub raw: &'a RawDetection,
    /// How much is kept.
    pub limits: RawLimits,
    /// ISO 3166 code of the country the PBX stands in.
    pub home_country: &'a str,
    /// When the office is open.
    pub business_hours: &'a BusinessHours,
    /// IANA name of the site's zone.
    pub timezone: &'a str,
    /// Numbers that may be called.
    pub allow: &'a [RawAllowed],
    /// The rules, in the order of their configuration.
    pub rules: &'a [RawRule],
}

/// What the engine runs on, for one tenant or for all.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) rules: Vec<Rule>,
    /// By rule: when its incidents are settled; none for a rule whose incidents never are.
    pub(crate) settling: Vec<Option<Settling>>,
    /// The rules of each kind of scope, by [`ScopeKind::rules_index`].
    scopes: Vec<ScopeRules>,
    /// The same for rules that count over all tenants.
    across: Vec<ScopeRules>,
    /// Kinds of scope that rules ask for beside that of the extension, and whether over all tenants.
    beside: Vec<(ScopeKind, bool)>,
    pub(crate) plan: DialPlan,
    destinations: Arc<Destinations>,
    deck: Arc<RateDeck>,
    pub(crate) calendar: Calendar,
    pub(crate) allowed: Allowed,
    pub(crate) currency: String,
    home: String,
    pub(crate) limits: RawLimits,
    pub(crate) new_country_seconds: i64,
    pub(crate) usual_country_days: u32,
    pub(crate) learning_seconds: i64,
    pub(crate) short_call_seconds: u32,
    expensive_per_minute: Money,
    pub(crate) longest_open_seconds: i64,
    pub(crate) storm_extensions: usize,
    pub(crate) storm_seconds: i64,
    pub(crate) lateness_seconds: i64,
}

/// When nothing that a window says would change an incident any more: see [`Rule::settling`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settling {
    /// There is more to come than a warning.
    pub can_rise: bool,
    /// The longest of the rule's windows, in seconds.
    pub longest_window: i64,
}

/// A call that the rules watch, as the numbering sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Kind of call, without what depends on the hour and the key.
    pub traits: Traits,
    /// Called number, if it could be read.
    pub number: Option<E164>,
    /// Row of the destination table.
    pub destination: Option<DestinationId>,
}

impl Settings {
    /// Checks all parts; all faults at once.
    pub fn new(
        detection: &Detection<'_>,
        plan: DialPlan,
        destinations: Arc<Destinations>,
        deck: Arc<RateDeck>,
        currency: &str,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let raw = detection.raw;
        let calendar = Calendar::validate(
            detection.business_hours,
            detection.home_country,
            detection.timezone,
            &mut problems,
        );
        let allowed = Allowed::validate(detection.allow, &mut problems);
        let mut rules: Vec<Rule> = Vec::new();
        for (i, raw_rule) in detection.rules.iter().enumerate() {
            let place = format!("rules[{i}]");
            if detection.rules.iter().take(i).any(|other| other.name == raw_rule.name) {
                problems.push(Problem::new(
                    format!("{place}.name"),
                    format!("`{}` is taken already", raw_rule.name),
                    "rule names are unique",
                ));
            }
            let rule = Rule::validate(raw_rule, &place, &mut problems);
            if raw_rule.enabled {
                rules.push(rule);
            }
        }
        let mut numbers = Numbers { problems: &mut problems };
        let longest_open_seconds = numbers.duration("longest_open_call", &raw.longest_open_call);
        let lateness_seconds = numbers.duration("allowed_lateness", &raw.allowed_lateness);
        let short_call_seconds = numbers.duration("short_call", &raw.short_call) as u32;
        let storm_seconds = numbers.duration("storm_within", &raw.storm_within);
        let expensive_per_minute = numbers.money("expensive_per_minute", &raw.expensive_per_minute);
        numbers.range("new_country_days", raw.new_country_days, 1..=3650);
        numbers.range("usual_country_days", raw.usual_country_days, 1..=28);
        numbers.range("storm_extensions", raw.storm_extensions, 2..=100_000);
        let limits = detection.limits;
        for (key, value) in [
            ("keys", limits.keys),
            ("calls", limits.calls),
            ("legs", limits.legs),
            ("records", limits.records),
            ("incidents", limits.incidents),
        ] {
            if value < 1000 {
                problems.push(Problem::new(
                    format!("limits.{key}"),
                    format!("{value} is too few to detect anything by"),
                    "at least 1000",
                ));
            }
        }
        if limits.tenants == 0 {
            problems.push(Problem::new(
                "limits.tenants".to_owned(),
                "no record could name a tenant".to_owned(),
                "at least 1",
            ));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let of_all = |cross_tenant: bool, rules: &mut [Rule]| -> Vec<ScopeRules> {
            ScopeKind::ALL.into_iter().map(|kind| ScopeRules::new(kind, cross_tenant, rules)).collect()
        };
        let (scopes, across) = (of_all(false, &mut rules), of_all(true, &mut rules));
        let asked = |all: &[ScopeRules], across| -> Vec<(ScopeKind, bool)> {
            let beside = ScopeKind::ALL.into_iter().zip(all).filter(|(_, rules)| !rules.rules.is_empty());
            beside.map(|(kind, _)| (kind, across)).filter(|(kind, _)| *kind != ScopeKind::Extension).collect()
        };
        Ok(Self {
            beside: [asked(&scopes, false), asked(&across, true)].concat(),
            scopes,
            across,
            settling: rules.iter().map(Rule::settling).collect(),
            rules,
            plan,
            destinations,
            deck,
            calendar,
            allowed,
            currency: currency.to_owned(),
            home: detection.home_country.to_owned(),
            limits,
            new_country_seconds: i64::from(raw.new_country_days) * 86_400,
            usual_country_days: raw.usual_country_days,
            learning_seconds: i64::from(raw.learning_days) * 86_400,
            short_call_seconds,
            expensive_per_minute,
            longest_open_seconds,
            storm_extensions: raw.storm_extensions as usize,
            storm_seconds,
            lateness_seconds: lateness_seconds.max(longest_open_seconds),
        })
    }

    /// The rules, in the order of the configuration.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
    pub(crate) fn rule_names(&self) -> RuleNames {
        self.rules.iter().map(|rule| rule.name.clone()).collect()
    }
    /// The destination table.
    pub fn destinations(&self) -> &Destinations {
        &self.destinations
    }
    /// The dial plan.
    pub fn plan(&self) -> &DialPlan {
        &self.plan
    }
    /// ISO 3166 code of the country the PBX stands in.
    pub fn home_country(&self) -> &str {
        &self.home
    }
    /// Currency of all money.
    pub fn currency(&self) -> &str {
        &self.currency
    }
    /// Sets the zone of the site's clock, where it is found out only from the records.
    pub fn set_zone(&mut self, zone: Zone) {
        self.calendar.zone = zone;
    }
    /// When the office is open.
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The rules that watch keys of a kind, of one tenant or over all of them.
    pub(crate) fn scope(&self, kind: ScopeKind, across: bool) -> &ScopeRules {
        let all = if across { &self.across } else { &self.scopes };
        all.get(kind.rules_index()).unwrap_or(ScopeRules::none())
    }

    /// The kinds of scope that rules ask for beside that of the extension, each with whether over all tenants.
    pub(crate) fn scopes_beside(&self) -> &[(ScopeKind, bool)] {
        &self.beside
    }

    /// How far back a key's calls are kept, from the tenant's newest event time.
    pub(crate) fn retention_seconds(&self, rules: &ScopeRules) -> i64 {
        rules.longest_window + self.lateness_seconds
    }

    /// What the rules think of a called number; `None` for calls they do not watch: inside the house, at
    /// home at ordinary rates, short codes.
    pub fn watch(&self, called: &Called) -> Option<Watched> {
        let destination = called.number.and_then(|number| self.destinations.lookup(number));
        let row = destination.map(|id| self.destinations.get(id));
        let abroad = match called.class {
            CalledClass::International | CalledClass::National => {
                row.map_or(called.class == CalledClass::International, |row| row.iso2 != self.home)
            }
            CalledClass::Unknown => {
                return Some(Watched {
                    traits: Traits::INTERNATIONAL.with(Traits::UNKNOWN),
                    number: None,
                    destination: None,
                });
            }
            _ => return None,
        };
        if !abroad && !row.is_some_and(Destination::is_premium) {
            return None;
        }
        let traits = self.traits_of(called.number, row, abroad);
        Some(Watched { traits, number: called.number, destination })
    }

    /// Bits that follow from the number alone.
    pub(crate) const OF_THE_NUMBER: Traits = Traits::INTERNATIONAL
        .with(Traits::PREMIUM)
        .with(Traits::SATELLITE)
        .with(Traits::SPECIAL_RANGE)
        .with(Traits::HIGH_RISK)
        .with(Traits::EXPENSIVE);

    /// Where a number goes that was watched before, and what follows from it.
    pub(crate) fn kind_of(&self, number: Option<E164>) -> (Option<DestinationId>, Traits) {
        let destination = number.and_then(|number| self.destinations.lookup(number));
        let row = destination.map(|id| self.destinations.get(id));
        let abroad = row.is_none_or(|row| row.iso2 != self.home);
        (destination, self.traits_of(number, row, abroad))
    }

    fn traits_of(&self, number: Option<E164>, row: Option<&Destination>, abroad: bool) -> Traits {
        let premium = row.is_some_and(Destination::is_premium);
        let satellite = row.is_some_and(Destination::is_satellite);
        let special = premium || row.is_some_and(|row| row.class == DestinationClass::Shared);
        let tier_says = row.is_some_and(|row| row.tier.is_some_and(|tier| tier <= 2));
        let expensive = self.rate(number).per_minute >= self.expensive_per_minute;
        let mut traits = Traits::ANY;
        for (is_so, of_kind) in [
            (abroad, Traits::INTERNATIONAL),
            (premium, Traits::PREMIUM),
            (satellite, Traits::SATELLITE),
            (abroad && special, Traits::SPECIAL_RANGE),
            (abroad && (premium || satellite || tier_says), Traits::HIGH_RISK),
            (expensive, Traits::EXPENSIVE),
        ] {
            if is_so {
                traits = traits.with(of_kind);
            }
        }
        traits
    }

    /// What a code dialled on a telephone sets up, if it forwards calls to a number that the rules watch.
    pub fn watch_forwarding(&self, called: &Called) -> Option<Watched> {
        let number = called.number.filter(|_| called.class == CalledClass::FeatureCode)?;
        let target = Called { class: CalledClass::International, ..*called };
        let watched = self.watch(&Called { number: Some(number), ..target })?;
        Some(Watched { traits: Traits::FORWARDING_CODE, ..watched })
    }

    /// The rate of a number, or the one for numbers that nobody could read.
    pub fn rate(&self, number: Option<E164>) -> &Rate {
        number.and_then(|number| self.deck.rate(number)).unwrap_or_else(|| self.deck.default_rate())
    }

    pub(crate) fn charge(&self, number: u64, billable_seconds: u32) -> Money {
        self.rate(E164::from_value(number)).charge(billable_seconds)
    }

    /// The row of a destination; none for numbers nobody could read.
    pub(crate) fn destination(&self, destination: u16) -> Option<&Destination> {
        (destination != CallStat::NO_DESTINATION).then(|| self.destinations.get(DestinationId(destination)))
    }

    /// A fingerprint of what windows and keys are made by, so that a snapshot is not continued under another.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in format!("{:?}", self.rules).bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hash
    }
}

/// Reads the numbers of `[detection]`.
struct Numbers<'a> {
    problems: &'a mut Vec<Problem>,
}

impl Numbers<'_> {
    fn duration(&mut self, key: &str, text: &str) -> i64 {
        parse_duration(text).filter(|seconds| *seconds <= 31 * 86_400).unwrap_or_else(|| {
            self.problems.push(Problem::new(
                format!("detection.{key}"),
                format!("`{text}` is no duration"),
                "such as \"12h\", at most 31d",
            ));
            0
        })
    }

    fn money(&mut self, key: &str, raw: &RawValue) -> Money {
        let money = match raw {
            RawValue::Number(units) => Some(Money::from_units(*units)),
            RawValue::Text(text) => text.parse::<Money>().ok(),
        };
        money.filter(|money| *money > Money::ZERO).unwrap_or_else(|| {
            self.problems.push(Problem::new(
                format!("detection.{key}"),
                "no amount of money".to_owned(),
                "such as 100 or \"0.75\"",
            ));
            Money::ZERO
        })
    }

    fn range(&mut self, key: &str, value: u32, range: std::ops::RangeInclusive<u32>) {
        if !range.contains(&value) {
            self.problems.push(Problem::new(
                format!("detection.{key}"),
                format!("{value} is out of range"),
                &format!("{} to {}", range.start(), range.end()),
            ));
        }
    }
}
