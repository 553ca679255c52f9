//! What the engine runs on: rules, dial plan, destinations, rates, hours; checked before it starts.
use crate::calendar::{BusinessHours, Calendar};
use crate::rule::{RawRule, Rule, parse_duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use tollwatch_cdr::{EventTime, Zone};
use tollwatch_numbering::{
    Called, CalledClass, Destination, DestinationId, Destinations, DialPlan, E164, Money, Rate, RateDeck,
};
use tollwatch_stats::{CallStat, Traits, WindowSpec};

/// A fault in the configuration: where it stands, what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, as a TOML path (`rules[2].thresholds[0].window`).
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

impl Problem {
    /// A fault at a key.
    pub fn new(place: String, problem: String, hint: &str) -> Self {
        Self { place, problem, hint: hint.to_owned() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.place, self.problem, self.hint)
    }
}

/// The part of the configuration that belongs to detection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct RawDetection {
    /// A country not called for so many days is new to an extension.
    pub new_country_days: u32,
    /// New countries are told apart only after so many days of records.
    pub learning_days: u32,
    /// A live call without an end is taken for over after this long.
    pub longest_open_call: String,
}

/// Everything that [`Settings::new`] checks and puts together.
#[derive(Clone, Debug)]
pub struct Detection<'a> {
    /// Numbers of the engine itself.
    pub raw: &'a RawDetection,
    /// ISO 3166 code of the country the PBX stands in.
    pub home_country: &'a str,
    /// When the office is open.
    pub business_hours: &'a BusinessHours,
    /// IANA name of the site's zone.
    pub timezone: &'a str,
    /// The rules, in the order of their configuration.
    pub rules: &'a [RawRule],
}

/// What the engine runs on.
#[derive(Debug)]
pub struct Settings {
    pub(crate) rules: Vec<Rule>,
    pub(crate) specs: Vec<WindowSpec>,
    /// For each spec the (rule, threshold) pairs that it serves.
    pub(crate) by_spec: Vec<Vec<(usize, usize)>>,
    pub(crate) plan: DialPlan,
    destinations: Destinations,
    deck: RateDeck,
    pub(crate) calendar: Calendar,
    pub(crate) currency: String,
    home: String,
    pub(crate) new_country_seconds: i64,
    pub(crate) learning_seconds: i64,
    pub(crate) longest_open_seconds: i64,
    /// How far back the windows are kept, from the tenant's newest event time.
    pub(crate) retention_seconds: i64,
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
        destinations: Destinations,
        deck: RateDeck,
        currency: &str,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let raw = detection.raw;
        let calendar = Calendar::validate(detection.business_hours, detection.timezone, &mut problems);
        let mut specs = Vec::new();
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
            let rule = Rule::validate(raw_rule, &place, &mut specs, &mut problems);
            if raw_rule.enabled {
                rules.push(rule);
            }
        }
        let longest_open_seconds = parse_duration(&raw.longest_open_call).unwrap_or_else(|| {
            problems.push(Problem::new(
                "detection.longest_open_call".to_owned(),
                format!("`{}` is no duration", raw.longest_open_call),
                "such as \"12h\"",
            ));
            0
        });
        if raw.new_country_days == 0 || raw.new_country_days > 3650 {
            problems.push(Problem::new(
                "detection.new_country_days".to_owned(),
                format!("{} days is out of range", raw.new_country_days),
                "1 to 3650",
            ));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let by_spec = (0..specs.len())
            .map(|spec| {
                let served = |rule: &Rule| rule.measure.is_total();
                rules
                    .iter()
                    .enumerate()
                    .filter(|(_, rule)| served(rule))
                    .flat_map(|(r, rule)| {
                        let fits = move |(t, threshold): (usize, &crate::rule::Threshold)| {
                            (threshold.spec == spec).then_some((r, t))
                        };
                        rule.thresholds.iter().enumerate().filter_map(fits)
                    })
                    .collect()
            })
            .collect();
        let longest_window = specs.iter().map(|spec| spec.seconds).max().unwrap_or(3600);
        Ok(Self {
            home: detection.home_country.to_owned(),
            rules,
            specs,
            by_spec,
            plan,
            destinations,
            deck,
            calendar,
            currency: currency.to_owned(),
            new_country_seconds: i64::from(raw.new_country_days) * 86_400,
            learning_seconds: i64::from(raw.learning_days) * 86_400,
            longest_open_seconds,
            retention_seconds: longest_window + longest_open_seconds.max(86_400),
        })
    }

    /// The rules, in the order of the configuration.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
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
        let premium = row.is_some_and(Destination::is_premium);
        let mut traits = Traits::ANY;
        if abroad {
            traits = traits.with(Traits::INTERNATIONAL);
        }
        if premium {
            traits = traits.with(Traits::PREMIUM);
        }
        if abroad
            && (premium || row.is_some_and(|row| row.is_satellite() || row.tier.is_some_and(|t| t <= 2)))
        {
            traits = traits.with(Traits::HIGH_RISK);
        }
        (abroad || premium).then_some(Watched { traits, number: called.number, destination })
    }

    /// The rate of a number, or the one for numbers that nobody could read.
    pub fn rate(&self, number: Option<E164>) -> &Rate {
        number.and_then(|number| self.deck.rate(number)).unwrap_or_else(|| self.deck.default_rate())
    }

    pub(crate) fn charge(&self, number: u64, billable_seconds: u32) -> Money {
        self.rate(E164::from_value(number)).charge(billable_seconds)
    }

    /// Country of a destination, for telling countries apart; none for numbers nobody could read.
    pub(crate) fn country(&self, destination: u16) -> Option<u16> {
        (destination != CallStat::NO_DESTINATION)
            .then(|| self.destinations.get(DestinationId(destination)).country())
    }

    /// A fingerprint of the rules, so that a snapshot is not continued under other windows.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in format!("{:?}{:?}", self.rules, self.specs).bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hash
    }

    pub(crate) fn is_off_hours(&self, at: EventTime) -> bool {
        self.calendar.is_off_hours(at)
    }
}
