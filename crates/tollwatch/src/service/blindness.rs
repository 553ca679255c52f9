//! What keeps the service from seeing calls, or from being heard.
use super::conditions::{Conditions, Detail};
use super::intake::Intake;
use super::outbox::Standing;
use chrono::{DateTime, TimeDelta, Utc};
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
    intake: &mut Intake,
    now: DateTime<Utc>,
    offset: i64,
) -> Vec<AlertV1> {
    let unread = intake.unread(now);
    let intake = &*intake;
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
    found(ConditionKindV1::RecordsUnread, unread);
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
                format!("直近の記録の {rejected} % は形が違います: {reason}。PBX の設定が変わりましたか"),
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
    let stuck = standing
        .oldest
        .filter(|oldest| now.signed_duration_since(*oldest) >= UNDELIVERED && standing.last_error.is_some());
    let why = standing.last_error.as_deref().unwrap_or("");
    let detail = if standing.disabled {
        Some(Detail::new(
            format!("it wants no more alerts ({why}); mend its configuration and reload"),
            format!("通知先が受け取りを拒否しています ({why})。設定を直して再読み込みしてください"),
        ))
    } else if stuck.is_some() || standing.dead > 0 {
        Some(Detail::new(
            format!("{} alerts wait, {} were given up: {why}", standing.pending, standing.dead),
            format!("未配信 {} 件、断念 {} 件: {why}", standing.pending, standing.dead),
        ))
    } else {
        None
    };
    conditions.found(ConditionKindV1::NotifierFailing, &standing.name, "default", now, detail)
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
