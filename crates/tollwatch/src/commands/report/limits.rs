//! What the engine counted that nobody should have to look for: limits that were met, clocks that were wrong.
use crate::language::Language;
use tollwatch_detect::Counters;

/// What is not zero, in words, each with its number.
pub(super) fn lines(counters: &Counters, language: Language) -> Vec<String> {
    rows(counters)
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, _, english, japanese)| format!("{count} × {}", language.pick(english, japanese)))
        .collect()
}

/// The same for programs, zeros too.
pub(super) fn document(counters: &Counters) -> serde_json::Map<String, serde_json::Value> {
    rows(counters).into_iter().map(|(count, key, ..)| (key.to_owned(), count.into())).collect()
}

fn rows(counters: &Counters) -> [(u64, &'static str, &'static str, &'static str); 13] {
    [
        (
            counters.keys_let_go,
            "keys_let_go",
            "an extension or another key forgotten: limits.keys or limits.calls was met",
            "内線などのキーを忘却（limits.keys または limits.calls の上限）",
        ),
        (
            counters.legs_forgotten_early,
            "legs_forgotten_early",
            "legs of calls forgotten early: limits.legs was met",
            "通話の区間を早期に忘却（limits.legs の上限）",
        ),
        (
            counters.records_forgotten_early,
            "records_forgotten_early",
            "records forgotten early, so that repeated ones may count twice: limits.records was met",
            "記録を早期に忘却、重複を二重に数える可能性あり（limits.records の上限）",
        ),
        (
            counters.waited_too_many,
            "waited_too_many",
            "a call booked under its trunk early, since too many records came while it waited for another",
            "関連する記録を待つ間に記録が多すぎたため早期に外線に計上した通話",
        ),
        (
            counters.incidents_not_kept,
            "incidents_not_kept",
            "an incident that was over and is not shown: limits.incidents was met",
            "終了済みの事案で表示対象外（limits.incidents の上限）",
        ),
        (
            counters.extensions_not_named,
            "extensions_not_named",
            "an extension left out of a storm's list: as many as it names cost more",
            "一斉発生の事案の一覧に載らない内線（料金がより高い内線で上限）",
        ),
        (
            counters.incidents_not_folded,
            "incidents_not_folded",
            "an incident of a storm that does not say so: limits.incidents was met",
            "一斉発生の事案に属するが、そう表示されない事案（limits.incidents の上限）",
        ),
        (
            counters.trunks_not_learned,
            "trunks_not_learned",
            "a call over a trunk whose name was not learned, since there were too many names",
            "名前が多すぎるため学習しなかった外線の通話",
        ),
        (
            counters.tenants_turned_away,
            "tenants_turned_away",
            "a record of a tenant too many, taken for its source's: limits.tenants was met",
            "テナントが多すぎるため入力元のテナントに計上した記録（limits.tenants の上限）",
        ),
        (
            counters.alerts_folded,
            "alerts_folded",
            "an alert about one extension that a storm speaks for",
            "一斉発生の事案にまとめた内線別の警報",
        ),
        (
            counters.untrusted_clock,
            "ahead_of_all_others",
            "a record dated more than a day ahead of all others: a clock that is wrong",
            "他の記録より 1 日以上先の日時（時計の誤り）",
        ),
        (
            counters.forwarding_codes,
            "forwarding_codes",
            "a code dialled that forwards an extension to an expensive number",
            "高額な番号への転送設定コードの発信",
        ),
        (counters.allowed, "allowed", "a call to a number on the allow-list", "許可リストの番号への通話"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_happened_is_told_and_programs_are_told_all() {
        let counters = Counters { keys_let_go: 3, ..Counters::default() };
        let lines = lines(&counters, Language::English);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("3 × ") && lines[0].contains("limits.keys"), "{lines:?}");
        let document = document(&counters);
        assert_eq!(document.len(), 13);
        assert_eq!(document["keys_let_go"], 3);
    }
}
