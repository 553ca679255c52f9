//! What keeps the service from seeing calls, or from being heard.
use super::conditions::{Conditions, Detail};
use super::intake::Intake;
use super::outbox::Standing;
use crate::config::{Config, DataDates};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;
use tollwatch_cdr::OffsetCheck;
use tollwatch_detect::{AlertV1, ConditionKindV1, Counters};

/// From this share of records on that cannot be read, a source is not understood.
const REJECTED_PERCENT: u64 = 5;
/// A source that is so far behind for that long is lagging.
const LAG_BYTES: u64 = 64 * 1024 * 1024;
/// A notifier that has not taken an alert for so long is failing.
const UNDELIVERED: TimeDelta = TimeDelta::minutes(10);
/// A source that cannot be read for so long is failing; a moment of that belongs to every rotation.
const UNREADABLE: TimeDelta = TimeDelta::minutes(2);

/// Looks at a source.
pub(super) fn of_source(
    conditions: &mut Conditions,
    intake: &Intake,
    now: DateTime<Utc>,
    offset: i64,
) -> Vec<AlertV1> {
    let (name, tenant) = (intake.name(), &*intake.followed.source.tenant);
    let mut alerts = Vec::new();
    let mut found = |kind, detail| alerts.extend(conditions.found(kind, name, tenant, now, detail));
    let failing = intake.error.as_ref().filter(|_| now.signed_duration_since(intake.since) >= UNREADABLE);
    found(
        ConditionKindV1::SourceFailing,
        failing.map(|error| {
            Detail::new(format!("it cannot be read: {error}"), format!("読み取れません: {error}"))
        }),
    );
    found(ConditionKindV1::SourceSilent, intake.silence(now, offset));
    let lag = intake.counters().lag_bytes;
    found(
        ConditionKindV1::SourceLagging,
        (lag > LAG_BYTES).then(|| {
            let lag = lag / 1_000_000;
            Detail::new(format!("{lag} MB are still to be read"), format!("未読の記録が {lag} MB あります"))
        }),
    );
    let rejected = intake.rejected_percent();
    let shape = intake.tally.by_reason().keys().find(|reason| reason.contains("fields"));
    let is_bad = rejected >= REJECTED_PERCENT;
    found(
        ConditionKindV1::Rejects,
        (is_bad && shape.is_none()).then(|| {
            Detail::new(
                format!("{rejected} % of the last records could not be read; quarantine.jsonl has them"),
                format!("直近の記録の {rejected} % を読み取れません。quarantine.jsonl にあります"),
            )
        }),
    );
    found(
        ConditionKindV1::UnknownWidth,
        shape.filter(|_| is_bad).map(|reason| {
            Detail::new(
                format!(
                    "{rejected} % of the last records have another shape: {reason}. Was the PBX changed?"
                ),
                format!(
                    "直近の記録の {rejected} % は列の数が合いません ({reason})。PBX の設定が変わりましたか"
                ),
            )
        }),
    );
    found(
        ConditionKindV1::ZoneContradiction,
        intake.contradiction().map(|check| {
            let zone = intake.zone();
            let observed = match check {
                OffsetCheck::Contradicts { observed, .. } => observed.to_string(),
                _ => String::new(),
            };
            Detail::new(
                format!("its records are not in {zone}: their ids say {observed}. Windows and business hours are off"),
                format!("記録は {zone} の時刻ではありません (ID によれば {observed})。時間帯の判定がずれます"),
            )
        }),
    );
    alerts
}

/// Looks at a notifier.
pub(super) fn of_notifier(
    conditions: &mut Conditions,
    standing: &Standing,
    now: DateTime<Utc>,
) -> Option<AlertV1> {
    let waits = standing.oldest.filter(|_| standing.last_error.is_some());
    let mut since = [waits, standing.failing_since].into_iter().flatten();
    let is_stuck = since.any(|since| now.signed_duration_since(since) >= UNDELIVERED);
    let why = standing.last_error.as_deref().unwrap_or("");
    let detail = if standing.disabled {
        Some(Detail::new(
            format!("it wants no more alerts ({why}); mend its configuration and reload"),
            format!("通知先が受け取りを拒否しています ({why})。設定を直して再読み込みしてください"),
        ))
    } else if is_stuck || standing.dead > 0 {
        Some(Detail::new(
            format!("{} alerts wait, {} were given up: {why}", standing.pending, standing.dead),
            format!("未配信 {} 件、断念 {} 件: {why}", standing.pending, standing.dead),
        ))
    } else {
        None
    };
    conditions.found(ConditionKindV1::NotifierFailing, &standing.name, "default", now, detail)
}

/// Looks at how old the data is that calls are judged by.
pub(super) fn of_data(
    conditions: &mut Conditions,
    config: &Config,
    now: DateTime<Utc>,
) -> impl Iterator<Item = AlertV1> {
    let DataDates { deck, rates_of, risk_list_of } = &config.data;
    let service = &config.service;
    let is_stale = |of: DateTime<Utc>, after: Option<Duration>| {
        let after = after.and_then(|after| TimeDelta::from_std(after).ok());
        after.is_some_and(|after| now.signed_duration_since(of) >= after)
    };
    let rates = is_stale(*rates_of, service.stale_rates_after).then(|| {
        let day = rates_of.date_naive();
        match deck {
            Some(deck) => Detail::new(
                format!(
                    "the rate deck {deck} is of {day}, so amounts of money may be off. Put the carrier's present deck in \
                     its place (or touch it, if it still holds) and reload"
                ),
                format!(
                    "料金表 {deck} は {day} のもので、金額がずれている可能性があります。通信事業者の最新の料金表に\
                     差し替え (まだ有効なら touch し)、再読み込みしてください"
                ),
            ),
            None => Detail::new(
                format!(
                    "the bundled indicative rates are of {day}, so amounts of money may be off. Name your carrier's deck \
                     in rates.deck, or install a newer version"
                ),
                format!(
                    "同梱の目安料金は {day} のもので、金額がずれている可能性があります。rates.deck に通信事業者の\
                     料金表を指定するか、新しい版を入れてください"
                ),
            ),
        }
    });
    let risk = is_stale(*risk_list_of, service.stale_risk_list_after).then(|| {
        let day = risk_list_of.date_naive();
        Detail::new(
            format!(
                "the list of risky destinations is of {day}, and fraud moves on. Install a newer version, or name \
                 prefixes in [[destinations]]"
            ),
            format!(
                "危険な宛先の一覧は {day} のものです。不正利用の宛先は変わります。新しい版を入れるか、[[destinations]] に\
                 追加してください"
            ),
        )
    });
    [(ConditionKindV1::StaleRates, rates), (ConditionKindV1::StaleRiskList, risk)]
        .into_iter()
        .filter_map(move |(kind, detail)| conditions.found(kind, "", "default", now, detail))
}

/// Looks at the engine.
pub(super) fn of_engine(
    conditions: &mut Conditions,
    counters: &Counters,
    before: &Counters,
    now: DateTime<Utc>,
) -> Vec<AlertV1> {
    let mut alerts = Vec::new();
    let grown = counters.untrusted_clock > before.untrusted_clock;
    let holds = conditions.holds(ConditionKindV1::ClockContradiction, "");
    let clock = Detail::new(
        "records stand more than a day ahead of all others: a PBX's clock is wrong",
        "ほかの記録より一日以上先の時刻の記録があります。PBX の時計を確認してください",
    );
    // Once it was seen, it stands until a day has passed without more; the next look finds that.
    let clock = (grown || holds && counters.untrusted_clock != before.untrusted_clock).then_some(clock);
    alerts.extend(conditions.found(ConditionKindV1::ClockContradiction, "", "default", now, clock));
    let forgotten = |counters: &Counters| {
        counters.keys_let_go + counters.legs_forgotten_early + counters.records_forgotten_early
    };
    let limit = (forgotten(counters) > forgotten(before)).then(|| {
        Detail::new(
            "a limit of [limits] was met: what matters least is forgotten early. Is somebody flooding the PBX?",
            "[limits] の上限に達し、重要度の低い情報から忘れています。大量の発信がありませんか",
        )
    });
    alerts.extend(conditions.found(ConditionKindV1::LimitMet, "", "default", now, limit));
    alerts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Overrides;
    use tollwatch_detect::{AboutV1, AlertReasonV1, ConditionV1};

    fn config(rest: &str) -> Config {
        Config::from_text(rest, "test.toml", None, &Overrides::default()).unwrap()
    }

    /// What is said of the data so many days after it was made.
    fn told(conditions: &mut Conditions, config: &Config, days: i64) -> Vec<(AlertReasonV1, ConditionV1)> {
        let now = config.data.rates_of.max(config.data.risk_list_of) + TimeDelta::days(days);
        let told = of_data(conditions, config, now).map(|alert| match alert.about {
            AboutV1::Service(condition) => (alert.reason, condition),
            AboutV1::Calls(_) => panic!("about calls"),
        });
        told.collect()
    }

    fn kinds(told: &[(AlertReasonV1, ConditionV1)]) -> Vec<(AlertReasonV1, ConditionKindV1)> {
        told.iter().map(|(reason, condition)| (*reason, condition.condition)).collect()
    }

    use AlertReasonV1::{Opened, Resolved};
    use ConditionKindV1::{StaleRates, StaleRiskList};

    #[test]
    fn data_is_stale_after_the_days_that_are_configured_and_says_so_once_in_both_languages() {
        let (config, mut conditions) = (config(""), Conditions::default());
        let between = (config.data.risk_list_of - config.data.rates_of).num_days();
        assert!(between > 0, "the list of risks is the newer of the two");
        assert_eq!(told(&mut conditions, &config, 399 - between), []);
        let rates = told(&mut conditions, &config, 400 - between);
        assert_eq!(kinds(&rates), [(Opened, StaleRates)]);
        assert!(rates[0].1.detail_en.contains("rates.deck"), "{:?}", rates[0]);
        assert!(rates[0].1.detail_ja.contains("rates.deck に通信事業者の料金表を指定"), "{:?}", rates[0]);
        let day = config.data.rates_of.date_naive().to_string();
        assert!(rates[0].1.detail_en.contains(&day) && rates[0].1.detail_ja.contains(&day));
        assert_eq!(kinds(&told(&mut conditions, &config, 400)), [(Opened, StaleRiskList)]);
        assert_eq!(told(&mut conditions, &config, 401), []);
        let over = told(&mut conditions, &config, 1);
        assert_eq!(
            kinds(&over),
            [(Resolved, StaleRates), (Resolved, StaleRiskList)],
            "newer data was installed"
        );
    }

    #[test]
    fn what_is_never_stale_is_never_told_of() {
        let config = config("[service]\nstale_rates_after = \"never\"\nstale_risk_list_after = \"10d\"\n");
        assert_eq!(kinds(&told(&mut Conditions::default(), &config, 4000)), [(Opened, StaleRiskList)]);
    }

    #[test]
    fn a_deck_is_as_old_as_its_newest_rate_unless_somebody_has_put_it_there_since() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deck.csv");
        std::fs::write(&path, "prefix,rate,effective date\n224,100,2020-01-01\n").unwrap();
        let text = "[rates]\ndeck = \"deck.csv\"\n";
        let rates_of = |written: &str| {
            let written: DateTime<Utc> = written.parse().unwrap();
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(written.into()).unwrap();
            let config = Config::from_text(text, "test.toml", Some(folder.path()), &Overrides::default());
            let config = config.unwrap();
            let now = config.data.rates_of + TimeDelta::days(400);
            let stale = of_data(&mut Conditions::default(), &config, now).next().unwrap();
            let AboutV1::Service(condition) = stale.about else { panic!("about calls") };
            assert!(condition.detail_en.contains(&path.display().to_string()), "{condition:?}");
            config.data.rates_of.date_naive().to_string()
        };
        assert_eq!(rates_of("2019-05-05T00:00:00Z"), "2020-01-01");
        assert_eq!(rates_of("2024-05-05T00:00:00Z"), "2024-05-05");
    }

    fn standing(oldest: Option<i64>, failing: Option<i64>, has_failed: bool) -> Standing {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        Standing {
            name: "am".to_owned(),
            pending: usize::from(oldest.is_some()),
            oldest: oldest.map(at),
            failing_since: failing.map(at),
            dead: 0,
            disabled: false,
            last_error: has_failed.then(|| "status 503".to_owned()),
        }
    }

    #[test]
    fn a_notifier_fails_when_it_takes_nothing_for_ten_minutes_be_it_new_or_sent_again() {
        let now = DateTime::from_timestamp(1_000, 0).unwrap();
        for (standing, fails) in [
            (standing(None, None, false), false),
            (standing(Some(400), None, false), false),
            (standing(Some(401), None, true), false),
            (standing(Some(400), None, true), true),
            (standing(None, Some(401), true), false),
            (standing(None, Some(400), true), true),
            (standing(Some(999), Some(400), true), true),
        ] {
            let told = of_notifier(&mut Conditions::default(), &standing, now);
            assert_eq!(told.is_some(), fails, "{standing:?}");
        }
    }
}
