//! The allow-list: numbers that certain extensions call for a known reason.
use super::raw::{Problem, RawAllowed};
use crate::calendar::Calendar;
use chrono::NaiveDate;
use std::collections::BTreeSet;
use tollwatch_cdr::EventTime;

/// The allow-list, checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowed(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    /// Digits that an allowed number begins with.
    prefixes: Vec<String>,
    /// Empty for all extensions.
    extensions: BTreeSet<String>,
    until: Option<NaiveDate>,
}

impl Allowed {
    pub(super) fn validate(raw: &[RawAllowed], problems: &mut Vec<Problem>) -> Self {
        let mut entries = Vec::new();
        for (index, entry) in raw.iter().enumerate() {
            let place = |key: &str| format!("allow[{index}].{key}");
            if entry.numbers.is_empty() {
                problems.push(Problem::new(
                    place("numbers"),
                    "nothing is allowed".to_owned(),
                    "such as [\"+442071234567\"]; what an extension may call is never everything",
                ));
            }
            let prefixes = entry.numbers.iter().filter_map(|number| {
                let digits = number.strip_prefix('+').filter(|digits| {
                    (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
                });
                if digits.is_none() {
                    problems.push(Problem::new(
                        place("numbers"),
                        format!("`{number}` is no number"),
                        "a plus sign, the country code and at least one more digit",
                    ));
                }
                digits.map(str::to_owned)
            });
            let prefixes = prefixes.collect();
            if entry.reason.trim().is_empty() {
                problems.push(Problem::new(
                    place("reason"),
                    "empty".to_owned(),
                    "say who asked for it and why: it is a hole in the watch",
                ));
            }
            let until = entry.until.as_deref().and_then(|day| {
                let date = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok();
                if date.is_none() {
                    problems.push(Problem::new(place("until"), format!("`{day}` is no date"), "YYYY-MM-DD"));
                }
                date
            });
            let extensions = entry.extensions.iter().cloned().collect();
            entries.push(Entry { prefixes, extensions, until });
        }
        Self(entries)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `extension` (none where nobody is known) may call `number` at that instant; 0 is a number
    /// nobody could read.
    pub(crate) fn holds(
        &self,
        extension: Option<&str>,
        number: u64,
        at: EventTime,
        calendar: &Calendar,
    ) -> bool {
        if self.0.is_empty() || number == 0 {
            return false;
        }
        let digits = number.to_string();
        self.0.iter().any(|entry| {
            let whose = entry.extensions.is_empty()
                || extension.is_some_and(|extension| entry.extensions.contains(extension));
            let when =
                entry.until.is_none_or(|until| calendar.local(at).is_some_and(|local| local.date() <= until));
            whose && when && entry.prefixes.iter().any(|prefix| digits.starts_with(prefix.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::BusinessHours;

    #[test]
    fn a_number_is_allowed_to_whom_and_until_when_the_entry_says() {
        let mut problems = Vec::new();
        let raw = [RawAllowed {
            numbers: vec!["+4420712345".to_owned(), "+882160001".to_owned()],
            extensions: vec!["105".to_owned()],
            until: Some("2026-03-08".to_owned()),
            reason: "branch office".to_owned(),
        }];
        let allowed = Allowed::validate(&raw, &mut problems);
        let hours = BusinessHours {
            days: Some(vec!["mon".to_owned()]),
            from: Some("08:00".to_owned()),
            to: Some("20:00".to_owned()),
            ..BusinessHours::default()
        };
        let calendar = Calendar::validate(&hours, "JP", "Asia/Tokyo", &mut problems);
        assert_eq!(problems, []);
        let holds = |extension, number: &str, at: i64| {
            allowed.holds(extension, number.parse().unwrap(), EventTime::from_seconds(at), &calendar)
        };
        // Sunday 8 March 2026, 23:59:59 in Tokyo.
        let last = 1_772_981_999;
        assert!(holds(Some("105"), "442071234567", last));
        assert!(holds(Some("105"), "88216000123", last));
        assert!(!holds(Some("105"), "442071234567", last + 1), "a day late");
        assert!(!holds(Some("106"), "442071234567", last), "another extension");
        assert!(!holds(None, "442071234567", last), "nobody known");
        assert!(!holds(Some("105"), "442071299999", last), "another number");
    }

    #[test]
    fn every_fault_of_the_list_is_named() {
        let raw = [
            RawAllowed { numbers: vec![], extensions: vec![], until: None, reason: "x".to_owned() },
            RawAllowed {
                numbers: vec!["0442071234567".to_owned(), "+44".to_owned()],
                extensions: vec![],
                until: Some("soon".to_owned()),
                reason: " ".to_owned(),
            },
        ];
        let mut problems = Vec::new();
        Allowed::validate(&raw, &mut problems);
        let places: Vec<&str> = problems.iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(
            places,
            ["allow[0].numbers", "allow[1].numbers", "allow[1].numbers", "allow[1].reason", "allow[1].until"]
        );
    }
}
