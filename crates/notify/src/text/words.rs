//! Rules, reasons and amounts in words.
use super::Language;
use tollwatch_detect::{AlertReasonV1, ConditionKindV1, ExposureV1, Measure, ScopeV1, Severity, TriggerV1};

/// How bad it is.
pub(super) fn severity(severity: Severity, language: Language) -> &'static str {
    match severity {
        Severity::Warning => language.pick("WARNING", "警告"),
        Severity::Critical => language.pick("CRITICAL", "緊急"),
    }
}

/// Why the alert goes out, at the head of its subject.
pub(super) fn reason(reason: AlertReasonV1, is_about_calls: bool, language: Language) -> &'static str {
    match (reason, is_about_calls) {
        (AlertReasonV1::Opened, true) => language.pick("Suspected toll fraud", "不正通話の疑い"),
        (AlertReasonV1::Opened, false) => language.pick("tollwatch is in trouble", "tollwatch の異常"),
        (AlertReasonV1::Escalated, _) => language.pick("It got worse", "深刻化"),
        (AlertReasonV1::ExposureDoubled, _) => language.pick("The bill has doubled", "被害額が倍増"),
        (AlertReasonV1::Renotified, _) => language.pick("Still going on", "継続中"),
        (AlertReasonV1::Resolved, _) => language.pick("Over", "終息"),
        (AlertReasonV1::Acknowledged, _) => language.pick("Taken up", "対応開始"),
    }
}

/// Whom an incident is about. `value` is clean already.
pub(super) fn whom(scope: &ScopeV1, value: &str, language: Language) -> String {
    let kind = match scope.kind.as_str() {
        "extension" => language.pick("extension", "内線"),
        "tenant" => language.pick("tenant", "テナント"),
        "trunk" => language.pick("trunk", "外線"),
        "called_number" => language.pick("called number", "着信番号"),
        "called_range" => language.pick("called range", "着信番号帯"),
        "country" => language.pick("country", "国"),
        "source_address" => language.pick("source address", "発信元アドレス"),
        "account" => language.pick("account", "アカウント"),
        other => other,
    };
    let unknown =
        if scope.unattributed { language.pick(", extension unknown", "（内線不明）") } else { "" };
    format!("{kind} {value}{unknown}")
}

/// What crossed which threshold.
pub(super) fn rule(trigger: &TriggerV1, currency: &str, language: Language) -> String {
    let amount = |text: &str| match trigger.measure {
        Some(Measure::Exposure) => hundredths(text)
            .map_or_else(|| text.to_owned(), |hundredths| money(hundredths, currency, language)),
        Some(Measure::BillableTime | Measure::LongestCall | Measure::Acd) => {
            text.parse().map_or_else(|_| text.to_owned(), |seconds| duration(seconds, language))
        }
        Some(Measure::Asr) => format!("{text} %"),
        _ => text.to_owned(),
    };
    let (value, threshold) = (amount(&trigger.value), amount(&trigger.threshold));
    let what = match trigger.measure {
        None => language.pick("extensions attacked at once", "同時に攻撃された内線数"),
        Some(Measure::Attempts) => language.pick("calls begun", "発信件数"),
        Some(Measure::Answered) => language.pick("answered calls", "応答件数"),
        Some(Measure::Failed) => language.pick("failed calls", "不応答件数"),
        Some(Measure::Asr) => language.pick("share of calls answered", "応答率"),
        Some(Measure::Acd) => language.pick("average length of a call", "平均通話時間"),
        Some(Measure::BillableTime) => language.pick("talking time", "通話時間"),
        Some(Measure::Exposure) => language.pick("charges", "料金"),
        Some(Measure::ConcurrentCalls) => language.pick("calls at the same time", "同時通話数"),
        Some(Measure::LongestCall) => language.pick("length of one call", "1 通話の長さ"),
        Some(Measure::DistinctNumbers) => language.pick("different numbers called", "異なる着信番号の数"),
        Some(Measure::DistinctCountries) => language.pick("different countries called", "異なる着信国の数"),
        Some(Measure::DistinctExtensions) => {
            language.pick("different extensions that called one country", "同じ国へ発信した内線の数")
        }
        Some(Measure::SameNumberRun) => {
            language.pick("calls in a row to one number", "同じ番号への連続発信件数")
        }
        Some(Measure::NeighbouringNumbers) => {
            language.pick("neighbouring numbers called", "隣り合う着信番号の数")
        }
        Some(Measure::CallsInOneRange) => {
            language.pick("calls into one block of numbers", "同じ番号帯への発信件数")
        }
    };
    let within = trigger.window_seconds.map(|seconds| duration(seconds, language));
    match (language, within) {
        (Language::English, Some(within)) => format!("{what} within {within}: {value} (limit {threshold})"),
        (Language::English, None) => format!("{what}: {value} (limit {threshold})"),
        (Language::Japanese, Some(within)) => format!("{within}以内の{what} {value}（しきい値 {threshold}）"),
        (Language::Japanese, None) => format!("{what} {value}（しきい値 {threshold}）"),
    }
}

/// A length of time in its largest unit that divides it; hours and minutes where it is long and divides badly.
pub(super) fn duration(seconds: i64, language: Language) -> String {
    let (minute, hour) = (language.pick(" min", " 分"), language.pick(" h", " 時間"));
    match seconds {
        s if s != 0 && s % 3600 == 0 => format!("{}{hour}", s / 3600),
        s if s != 0 && s % 60 == 0 && s < 7200 => format!("{}{minute}", s / 60),
        s if s > 3600 => format!("{}{hour} {}{minute}", s / 3600, s % 3600 / 60),
        s if s > 600 => format!("{}{minute}", s / 60),
        s => format!("{s}{}", language.pick(" s", " 秒")),
    }
}

/// What trouble the service is in.
pub(super) fn condition(kind: ConditionKindV1, language: Language) -> &'static str {
    let (english, japanese) = match kind {
        ConditionKindV1::SourceSilent => ("a source of call records is silent", "通話記録が届いていません"),
        ConditionKindV1::SourceLagging => ("call records come late", "通話記録が遅れて届いています"),
        ConditionKindV1::SourceFailing => {
            ("a source of call records cannot be read", "通話記録を読み込めません")
        }
        ConditionKindV1::RecordsUnread => {
            ("some call records were lost before they could be read", "一部の通話記録を読み込めませんでした")
        }
        ConditionKindV1::Rejects => {
            ("many call records cannot be understood", "解釈できない通話記録が増えています")
        }
        ConditionKindV1::UnknownWidth => {
            ("call records have an unknown number of columns", "通話記録の列数が想定と異なります")
        }
        ConditionKindV1::ClockContradiction => {
            ("the clock of a PBX seems wrong", "PBX の時計がずれている可能性があります")
        }
        ConditionKindV1::ZoneContradiction => {
            ("the time zone of a source seems wrong", "通話記録の時間帯の設定が誤っている可能性があります")
        }
        ConditionKindV1::StaleRates => ("the rate deck is old", "料金表が古くなっています"),
        ConditionKindV1::StaleRiskList => {
            ("the list of risky destinations is old", "高リスク宛先の一覧が古くなっています")
        }
        ConditionKindV1::LimitMet => ("a limit of memory was met", "メモリーの上限に達しました"),
        ConditionKindV1::NotifierFailing => {
            ("alerts do not get through to a notifier", "通知先にアラートが届いていません")
        }
        ConditionKindV1::CheckpointFailing => ("the state cannot be saved", "状態を保存できません"),
        ConditionKindV1::DiskFull => ("the disk is full", "ディスクの空きがありません"),
        ConditionKindV1::ReloadRefused => {
            ("a changed configuration was refused", "変更された設定は適用されていません")
        }
    };
    language.pick(english, japanese)
}

/// An amount on the wire, in hundredths.
pub(super) fn hundredths(amount: &str) -> Option<i128> {
    let (units, cents) = amount.split_once('.')?;
    if cents.len() != 2 {
        return None;
    }
    format!("{units}{cents}").parse().ok()
}

/// The amount of an exposure.
pub(super) fn spent(exposure: &ExposureV1, language: Language) -> String {
    hundredths(&exposure.amount).map_or_else(
        || format!("{} {}", exposure.currency, exposure.amount),
        |hundredths| money(hundredths, &exposure.currency, language),
    )
}

/// An amount as people write it: thousands apart, and no hundredths of a yen.
pub(super) fn money(hundredths: i128, currency: &str, language: Language) -> String {
    let has_cents = !matches!(currency, "JPY" | "KRW" | "VND" | "CLP" | "ISK");
    // Yen are rounded to the nearest one.
    let magnitude = hundredths.unsigned_abs() + if has_cents { 0 } else { 50 };
    let digits = (magnitude / 100).to_string();
    let mut amount = String::from(if hundredths < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            amount.push(',');
        }
        amount.push(digit);
    }
    if has_cents {
        amount = format!("{amount}.{:02}", magnitude % 100);
    }
    match (language, currency) {
        (Language::Japanese, "JPY") => format!("{amount}円"),
        _ => format!("{currency} {amount}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{English, Japanese};

    #[test]
    fn amounts_are_written_as_people_write_them() {
        assert_eq!(money(255_000_000, "JPY", Japanese), "2,550,000円");
        assert_eq!(money(123_456, "JPY", English), "JPY 1,235");
        assert_eq!(money(123_456, "EUR", Japanese), "EUR 1,234.56");
        assert_eq!(money(5, "EUR", English), "EUR 0.05");
        assert_eq!(money(99_999, "EUR", English), "EUR 999.99");
        assert_eq!(hundredths("-1.50"), Some(-150));
        assert_eq!(hundredths("1.5"), None);
    }

    #[test]
    fn a_trigger_reads_as_a_sentence_in_both_languages() {
        let trigger = |measure, window_seconds, value: &str, threshold: &str| TriggerV1 {
            measure,
            window_seconds,
            value: value.to_owned(),
            threshold: threshold.to_owned(),
        };
        let calls = trigger(Some(Measure::Attempts), Some(300), "41", "20");
        assert_eq!(rule(&calls, "JPY", English), "calls begun within 5 min: 41 (limit 20)");
        assert_eq!(rule(&calls, "JPY", Japanese), "5 分以内の発信件数 41（しきい値 20）");
        let money = trigger(Some(Measure::Exposure), Some(86_400), "12000.00", "10000.00");
        assert_eq!(rule(&money, "JPY", Japanese), "24 時間以内の料金 12,000円（しきい値 10,000円）");
        let long = trigger(Some(Measure::LongestCall), None, "5430", "3600");
        assert_eq!(rule(&long, "JPY", English), "length of one call: 1 h 30 min (limit 1 h)");
        let storm = trigger(None, None, "7", "5");
        assert_eq!(rule(&storm, "JPY", English), "extensions attacked at once: 7 (limit 5)");
    }
}
