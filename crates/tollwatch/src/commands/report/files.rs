//! What a scan tells of each file: how it was read, what was odd, what was rejected.
use crate::language::Language;
use crate::scan::{FileReport, ScanReport};
use crate::zones;
use serde_json::json;
use std::io::{self, Write};
use tollwatch_cdr::{Counters, OffsetCheck, Untold, Zone};

/// So many reasons are shown to people, the most frequent of them.
const MOST_REASONS: usize = 10;

/// For people.
pub(super) fn table(out: &mut impl Write, files: &[FileReport], language: Language) -> io::Result<()> {
    for file in files {
        let rejected = rejects(file);
        write!(out, "{}: {}", file.path.display(), file.format.name())?;
        let [english, japanese] = &file.why;
        if !english.is_empty() {
            write!(out, " ({})", language.pick(english, japanese))?;
        }
        match language {
            Language::English => writeln!(
                out,
                "\n  {} lines with calls or events, {} without, {rejected} rejected",
                file.records, file.passed_over
            )?,
            Language::Japanese => writeln!(
                out,
                "\n  通話・イベント {} 行、対象外 {} 行、読み取り不可 {rejected} 行",
                file.records, file.passed_over
            )?,
        }
        if let Some(line) = zone(file, language) {
            writeln!(out, "  {line}")?;
        }
        for (count, english, japanese) in odd(&file.odd).into_iter().filter(|(count, ..)| *count > 0) {
            writeln!(out, "    {count} × {}", language.pick(english, japanese))?;
        }
        let mut reasons: Vec<(&String, u64)> =
            file.rejected.iter().map(|(why, count)| (why, *count)).collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (reason, count) in reasons.iter().take(MOST_REASONS) {
            writeln!(out, "    {count} × {reason}")?;
        }
        if reasons.len() > MOST_REASONS {
            writeln!(out, "    {}", language.and_more(reasons.len() - MOST_REASONS))?;
        }
        for sample in &file.samples {
            write!(out, "    {}:{} (byte {}): ", file.path.display(), sample.place.line, sample.place.byte)?;
            if let Some((number, name)) = sample.field {
                write!(out, "field {number} {name}: ")?;
            }
            writeln!(out, "{}", sample.reason)?;
        }
        if rejected > file.samples.len() as u64 {
            let more = usize::try_from(rejected).unwrap_or(usize::MAX) - file.samples.len();
            writeln!(out, "    {}", language.and_more(more))?;
        }
        if let Some(error) = &file.error {
            let ended = language.pick("ended early", "途中で読み取りが終了しました");
            writeln!(out, "    {ended}: {error}")?;
        }
    }
    Ok(())
}

/// Where the rejected records are, or how to keep them.
pub(super) fn rejected(out: &mut impl Write, read: &ScanReport, language: Language) -> io::Result<()> {
    let rejected: u64 = read.files.iter().map(rejects).sum();
    match (&read.quarantine, language) {
        (None, _) if rejected == 0 => Ok(()),
        (None, Language::English) => {
            writeln!(
                out,
                "  {rejected} records were rejected; --quarantine FILE keeps them, with the reasons"
            )
        }
        (None, Language::Japanese) => writeln!(
            out,
            "  読み取れなかった記録が {rejected} 件あります。--quarantine FILE を指定すると理由とともに保存します"
        ),
        (Some(kept), Language::English) => {
            writeln!(out, "  {} rejected records are kept in {}", kept.records(), kept.path().display())
        }
        (Some(kept), Language::Japanese) => {
            writeln!(
                out,
                "  読み取れなかった記録 {} 件を {} に保存しました",
                kept.records(),
                kept.path().display()
            )
        }
    }
}

fn rejects(file: &FileReport) -> u64 {
    file.rejected.values().sum()
}

/// The zone, and what the records say of it; none where no zone matters.
fn zone(file: &FileReport, language: Language) -> Option<String> {
    let zone = file.zone;
    Some(match (file.offset, language) {
        (OffsetCheck::Unknown { why: Untold::NoCivilTimes, .. }, _) => return None,
        (OffsetCheck::Unknown { why, .. }, Language::English) => {
            format!("time zone {zone}; whether that is right cannot be told: {}", untold(why, language))
        }
        (OffsetCheck::Unknown { why, .. }, Language::Japanese) => {
            format!("タイムゾーン {zone}（正しいかどうかは確認できません: {}）", untold(why, language))
        }
        (OffsetCheck::Agrees { rows, agreeing }, Language::English) => {
            let found = if file.zone_is_found { ", told from the records" } else { "" };
            format!("time zone {zone}{found}; the ids agree ({agreeing} of {rows} compared)")
        }
        (OffsetCheck::Agrees { rows, agreeing }, Language::Japanese) => {
            let found = if file.zone_is_found { "（記録から判定）" } else { "" };
            format!("タイムゾーン {zone}{found}、ID の時刻と一致（比較 {rows} 件中 {agreeing} 件）")
        }
        (OffsetCheck::Contradicts { observed, configured, rows, of, .. }, Language::English) => {
            format!(
                "TIME ZONE {zone} IS NOT THAT OF THE RECORDS: UTC{observed}, not UTC{configured} ({rows} of {of} compared)"
            )
        }
        (OffsetCheck::Contradicts { observed, configured, rows, of, .. }, Language::Japanese) => {
            format!(
                "【要確認】タイムゾーン {zone} は記録と矛盾しています: UTC{configured} ではなく UTC{observed}（比較 {of} 件中 {rows} 件）"
            )
        }
    })
}

/// Why nothing can be said of a zone.
fn untold(why: Untold, language: Language) -> &'static str {
    match why {
        Untold::NoCivilTimes => language.pick("no record has a local time", "現地時刻の記録がありません"),
        Untold::NoEpochs => {
            language.pick("the records have no ids with a time", "記録に時刻を含む ID がありません")
        }
        Untold::TooFewRows => language.pick("too few records", "記録が少なすぎます"),
        Untold::Tied => language.pick("the records show several offsets", "記録が複数の時差を示しています"),
    }
}

/// Why the zone of a file cannot be told from it, and what to do.
pub(crate) fn no_zone(why: Untold, language: Language) -> String {
    let why = untold(why, language);
    match language {
        Language::English => format!(
            "timezone = \"auto\", and its records do not tell the zone: {why}; \
             name it with --timezone or timezone in [site] or [[sources]], such as Asia/Tokyo, \
             or let the PBX write unique ids (cdr.conf: loguniqueid=yes)"
        ),
        Language::Japanese => format!(
            "timezone = \"auto\" ですが、記録からタイムゾーンを判定できません: {why}。\
             --timezone または [site]・[[sources]] の timezone で指定するか（例 Asia/Tokyo）、\
             PBX に一意の ID を記録させてください（cdr.conf: loguniqueid=yes）"
        ),
    }
}

/// The warning for a file whose records contradict its zone: what that means, and what to write.
pub(crate) fn contradiction(file: &FileReport, country: &str, language: Language) -> Option<String> {
    let OffsetCheck::Contradicts { observed, configured, rows, of, agreeing, from, until } = file.offset
    else {
        return None;
    };
    let fits = |zone: &Zone| [from, until].iter().all(|&at| zone.offset_at(at) == observed.seconds());
    let write = match zones::the_one_of(zones::of_country(country).filter(fits)) {
        Some(zone) => zone.to_string(),
        None if agreeing > 0 => language.pick("Area/City", "地域/都市").to_owned(),
        None if observed.seconds() == 0 => "UTC".to_owned(),
        None => observed.to_string(),
    };
    let (path, zone) = (file.path.display(), file.zone);
    Some(match language {
        Language::English => format!(
            "{path}: the time zone {zone} is not that of the records: in {rows} of {of} that were compared their ids say \
             UTC{observed}, where that zone has UTC{configured} ({from} to {until}). Their calls count at the wrong \
             time. Write timezone = \"{write}\" into [[sources]] for these files (in [site] it moves the business hours \
             too), or give --timezone {write}; an IANA name such as Europe/Berlin knows summer time, an offset does not"
        ),
        Language::Japanese => format!(
            "{path}: タイムゾーン {zone} は記録と矛盾しています。比較した {of} 件中 {rows} 件の ID は UTC{observed} を示しますが、\
             設定では UTC{configured} です（{from} から {until}）。このままでは通話の時刻がずれます。\
             該当ファイルの [[sources]] に timezone = \"{write}\" と書くか（[site] に書くと営業時間も変わります）、\
             --timezone {write} を指定してください。\
             夏時間のある地域では時差ではなく IANA 名（例 Europe/Berlin）を指定してください"
        ),
    })
}

/// Everything that was odd and read all the same, in words.
fn odd(counters: &Counters) -> [(u64, &'static str, &'static str); 13] {
    let &Counters {
        ambiguous_times,
        nonexistent_times,
        ended_by_duration,
        ended_by_clock,
        ended_at_start,
        answered_against_disposition,
        billable_against_times,
        without_parties,
        marked_numbers,
        untrusted_clock,
        cut_off,
        at_session_limit,
        forgotten_channels,
    } = counters;
    [
        (
            ambiguous_times,
            "a time that came twice, as the clock was put back; read by what else the record says",
            "時計を戻したため 2 回ある時刻（記録の他の項目から判断）",
        ),
        (
            nonexistent_times,
            "a time that never came, as the clock was put forward; moved forward with it",
            "時計を進めたため存在しない時刻（進めた後の時刻として扱いました）",
        ),
        (
            ended_by_duration,
            "an end that contradicts the duration; ended by the duration",
            "終了時刻と通話時間の矛盾（通話時間を採用）",
        ),
        (ended_by_clock, "no believable duration; ended when printed", "通話時間が不正（終了時刻を採用）"),
        (
            ended_at_start,
            "an end before the start; ended at once",
            "開始より前の終了時刻（長さ 0 として扱いました）",
        ),
        (
            answered_against_disposition,
            "answered, though the disposition says otherwise",
            "応答なしと記録されているが実際には応答した通話",
        ),
        (
            billable_against_times,
            "more billable seconds than from answer to end; charged from answer to end",
            "応答から終了までより長い課金秒数（応答から終了までとして扱いました）",
        ),
        (
            without_parties,
            "neither a calling nor a called party; passed over",
            "発信者も着信者もない記録（対象外としました）",
        ),
        (
            marked_numbers,
            "a called number with marks of the PBX in it; read without them",
            "PBX の記号が付いた着信番号（記号を除いて読みました）",
        ),
        (
            untrusted_clock,
            "a clock that was not set; timed by the rest of the record",
            "PBX の時計が未設定（記録の他の項目から時刻を補完）",
        ),
        (
            cut_off,
            "cut off by the PBX behind all that matters; read all the same",
            "途中で切れているが必要な項目は読み取れた記録",
        ),
        (
            at_session_limit,
            "as long as a session timer allows, so of unknown length; counted as a minute",
            "セッションタイマーの上限と同じ長さで実際の長さが不明な通話（1 分として扱いました）",
        ),
        (
            forgotten_channels,
            "a channel that was forgotten, as too many were up",
            "同時接続が多すぎて追跡できなかったチャネル",
        ),
    ]
}

/// For programs.
pub(super) fn json(file: &FileReport, language: Language) -> serde_json::Value {
    let [english, japanese] = &file.why;
    let check = match file.offset {
        OffsetCheck::Unknown { rows, why } => json!({ "verdict": "unknown", "why": why, "compared": rows }),
        OffsetCheck::Agrees { rows, agreeing } => {
            json!({ "verdict": "agrees", "compared": rows, "agreeing": agreeing })
        }
        OffsetCheck::Contradicts { observed, configured, rows, of, agreeing, from, until } => json!({
            "verdict": "contradicts",
            "observed": observed.to_string(),
            "configured": configured.to_string(),
            "rows": rows,
            "compared": of,
            "agreeing": agreeing,
            "from": from.to_string(),
            "until": until.to_string(),
        }),
    };
    let mut odd = json!(file.odd);
    if let Some(odd) = odd.as_object_mut() {
        odd.retain(|_, count| count.as_u64() != Some(0));
    }
    json!({
        "file": file.path.display().to_string(),
        "format": file.format.name(),
        "why": language.pick(english, japanese),
        "timezone": { "name": file.zone.to_string(), "auto": file.zone_is_found, "check": check },
        "records": file.records,
        "passed_over": file.passed_over,
        "odd": odd,
        "rejected": file.rejected,
        "rejects": file.samples.iter().map(|sample| json!({
            "line": sample.place.line,
            "byte": sample.place.byte,
            "field": sample.field.map(|(number, _)| number),
            "name": sample.field.map(|(_, name)| name),
            "reason": sample.reason,
        })).collect::<Vec<_>>(),
        "error": file.error,
    })
}
