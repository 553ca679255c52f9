//! One attack breaks many rules. A person is called for the first of them, when it gets worse, and when all is over.
//!
//! Machines (a webhook, a file, Alertmanager) are told of every incident; people (a pager, a chat, a mailbox) of the case:
//! all incidents of one extension, trunk or tenant that go on at the same time.
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tollwatch_detect::{AboutV1, AlertReasonV1, AlertV1, Severity};

/// Who is to hear of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// Notifiers that are told of every incident.
    Machines,
    /// Notifiers that are told of the case.
    People,
    /// Both.
    All,
}

/// What a case is about: tenant, kind of scope, its name.
type About = (String, String, String);

/// The cases that go on. Part of the checkpoint.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Grouping {
    #[serde(with = "as_list")]
    cases: BTreeMap<About, Case>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Case {
    /// Incidents that go on.
    open: BTreeSet<String>,
    /// Incidents that people were told of, with the alert that says that one is over.
    told: BTreeMap<String, Option<AlertV1>>,
    /// The last of them.
    lead: String,
    severity: Option<Severity>,
    /// Exposure of the last alert to people, in hundredths of the currency.
    exposure: i64,
}

impl Grouping {
    /// Which alerts go out because of this one, and to whom.
    pub(super) fn tell(&mut self, alert: AlertV1) -> Vec<(AlertV1, Audience)> {
        let AboutV1::Calls(incident) = &alert.about else { return vec![(alert, Audience::All)] };
        let about = (incident.tenant.clone(), incident.scope.kind.clone(), incident.scope.value.clone());
        let id = incident.incident_id.clone();
        let exposure = hundredths(&incident.exposure.amount);
        let case = self.cases.entry(about.clone()).or_default();
        let is_news = match alert.reason {
            AlertReasonV1::Opened | AlertReasonV1::Escalated => {
                case.open.insert(id.clone());
                Some(alert.severity) > case.severity
            }
            AlertReasonV1::ExposureDoubled => exposure >= case.exposure.saturating_mul(2).max(1),
            AlertReasonV1::Renotified => case.lead == id,
            AlertReasonV1::Acknowledged => case.told.contains_key(&id),
            AlertReasonV1::Resolved => {
                case.open.remove(&id);
                if let Some(over) = case.told.get_mut(&id) {
                    *over = Some(alert.clone());
                }
                let mut out = vec![(alert, Audience::Machines)];
                if case.open.is_empty() {
                    let told = self.cases.remove(&about).map(|case| case.told).unwrap_or_default();
                    out.extend(told.into_values().flatten().map(|over| (over, Audience::People)));
                }
                return out;
            }
        };
        if is_news {
            case.severity = case.severity.max(Some(alert.severity));
            case.exposure = case.exposure.max(exposure);
            case.told.entry(id.clone()).or_default();
            case.lead = id;
        }
        vec![(alert, if is_news { Audience::All } else { Audience::Machines })]
    }
}

fn hundredths(amount: &str) -> i64 {
    amount.replace('.', "").parse().unwrap_or(0)
}

/// JSON has no keys of three parts.
mod as_list {
    use super::{About, BTreeMap, Case};
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        cases: &BTreeMap<About, Case>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(cases)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<About, Case>, D::Error> {
        Ok(Vec::<(About, Case)>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AlertReasonV1::{Escalated, ExposureDoubled, Opened, Renotified, Resolved};
    use tollwatch_detect::IncidentV1;

    fn alert(id: &str, extension: &str, reason: AlertReasonV1, severity: Severity, amount: &str) -> AlertV1 {
        let (sample, _) = tollwatch_notify::sample_alerts().into_iter().find(|(alert, _)| {
            matches!(&alert.about, AboutV1::Calls(incident) if incident.scope.kind == "extension")
        }).unwrap();
        let AboutV1::Calls(incident) = sample.about else { panic!("not about calls") };
        let mut incident: IncidentV1 = *incident;
        incident.incident_id = id.to_owned();
        incident.scope.value = extension.to_owned();
        incident.severity = severity;
        incident.exposure.amount = amount.to_owned();
        AlertV1::of_incident(reason, "2026-03-07T18:00:00Z".to_owned(), incident)
    }

    /// Reason and incident of what people are told.
    fn people(grouping: &mut Grouping, alert: AlertV1) -> Vec<(AlertReasonV1, String)> {
        let told = grouping.tell(alert).into_iter().filter(|(_, to)| *to != Audience::Machines);
        told.map(|(alert, _)| (alert.reason, alert.incident_id().to_owned())).collect()
    }

    use Severity::{Critical, Warning};

    #[test]
    fn one_attack_calls_a_person_for_the_first_rule_and_when_it_gets_worse_and_when_all_is_over() {
        let mut grouping = Grouping::default();
        let mut told =
            |id, reason, severity, amount| people(&mut grouping, alert(id, "105", reason, severity, amount));
        assert_eq!(told("a", Opened, Warning, "175.00"), [(Opened, "a".to_owned())]);
        assert_eq!(told("b", Opened, Warning, "175.00"), []);
        assert_eq!(told("c", Opened, Critical, "350.00"), [(Opened, "c".to_owned())]);
        assert_eq!(told("a", Escalated, Critical, "350.00"), []);
        assert_eq!(
            told("b", ExposureDoubled, Warning, "400.00"),
            [],
            "of what was told last, it is not the double"
        );
        assert_eq!(told("b", ExposureDoubled, Warning, "700.00"), [(ExposureDoubled, "b".to_owned())]);
        assert_eq!(told("c", Renotified, Critical, "700.00"), []);
        assert_eq!(told("b", Renotified, Critical, "700.00"), [(Renotified, "b".to_owned())]);
        assert_eq!(told("a", Resolved, Critical, "700.00"), []);
        assert_eq!(told("c", Resolved, Critical, "700.00"), []);
        let over = ["a", "b", "c"].map(|id| (Resolved, id.to_owned()));
        assert_eq!(told("b", Resolved, Warning, "700.00"), over, "each that a person was called for");
        assert_eq!(
            told("d", Opened, Warning, "175.00"),
            [(Opened, "d".to_owned())],
            "the next case is another"
        );
    }

    #[test]
    fn the_attack_on_another_extension_is_another_case() {
        let mut grouping = Grouping::default();
        assert_eq!(people(&mut grouping, alert("a", "105", Opened, Critical, "1.00")).len(), 1);
        assert_eq!(people(&mut grouping, alert("b", "106", Opened, Critical, "1.00")).len(), 1);
    }

    #[test]
    fn machines_are_told_of_everything_once() {
        let mut grouping = Grouping::default();
        let mut machines = 0;
        for (id, reason) in [("a", Opened), ("b", Opened), ("b", Resolved), ("a", Resolved)] {
            let told = grouping.tell(alert(id, "105", reason, Warning, "1.00"));
            machines += told.iter().filter(|(_, to)| *to != Audience::People).count();
        }
        assert_eq!(machines, 4);
    }

    #[test]
    fn it_is_kept_and_read_back() {
        let mut grouping = Grouping::default();
        people(&mut grouping, alert("a", "105", Opened, Critical, "1.00"));
        let kept = serde_json::to_vec(&grouping).unwrap();
        let mut again: Grouping = serde_json::from_slice(&kept).unwrap();
        assert_eq!(people(&mut again, alert("b", "105", Opened, Critical, "1.00")), []);
    }
}
