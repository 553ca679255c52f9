//! What a scan tells: the incidents, and an account of everything that was read.
mod files;
mod limits;
mod whom;

pub(crate) use files::{contradiction, no_zone};

use crate::lacking::{self, Lack};
use crate::language::Language;
use crate::scan::{Quarantine, ScanReport};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};
use tollwatch_cdr::EventTime;
use tollwatch_detect::{Engine, Incident, IncidentV1, Measure, STORM_RULE, Scope, ScopeKind, Severity};
use tollwatch_numbering::{DestinationId, Money, RateBasis};
use tollwatch_stats::CallStat;

/// So many numbers that nobody could read are listed.
const MOST_UNCLASSIFIED: usize = 5;
/// So many extensions and trunks are shown to people, the worst of them, and so many incidents of each.
const MOST_SCOPES: usize = 100;
const MOST_INCIDENTS: usize = 20;

/// For people.
pub(crate) fn table(
    out: &mut impl Write,
    engine: &Engine,
    read: &ScanReport,
    language: Language,
    show_numbers: bool,
) -> io::Result<()> {
    let say = Say { engine, language, several_tenants: read.tenants > 1 };
    files::table(out, &read.files, language)?;
    let lacks = lacks(engine, read);
    if !lacks.is_empty() {
        let head =
            language.pick("Rules that these files do not feed:", "これらのファイルでは判定できないルール:");
        writeln!(out, "{head}")?;
    }
    for lack in lacks {
        writeln!(out, "  {}", lack.in_words(language))?;
    }
    let all = engine.incidents();
    // A storm speaks for what is folded into it.
    let incidents: Vec<&Incident> = all.iter().filter(|incident| incident.folded_into.is_none()).collect();
    // What belongs to one extension stands together; who was noticed first comes first.
    let mut scopes: Vec<Vec<&Incident>> = Vec::new();
    let mut known: HashMap<(&str, &Scope), usize> = HashMap::new();
    for incident in &incidents {
        let index = *known.entry((&*incident.tenant, &incident.scope)).or_insert_with(|| {
            scopes.push(Vec::new());
            scopes.len() - 1
        });
        if let Some(of_scope) = scopes.get_mut(index) {
            of_scope.push(incident);
        }
    }
    let all = scopes.len();
    if all > MOST_SCOPES {
        scopes = worst(scopes);
    }
    for of_scope in &scopes {
        say.scope(out, of_scope)?;
    }
    if all > scopes.len() {
        writeln!(out, "\n{}: --incidents FILE, --output json", language.and_more(all - scopes.len()))?;
    }
    if incidents.is_empty() {
        writeln!(out, "\n{}", language.pick("No incidents.", "不正利用の疑いはありませんでした。"))?;
    }
    say.summary(out, show_numbers)?;
    files::rejected(out, read, language)
}

/// What the rules need and the files do not carry.
fn lacks(engine: &Engine, read: &ScanReport) -> Vec<Lack> {
    let files = read.files.iter();
    let sources = files.map(|file| (&*file.source.tenant, file.source.system, file.format, file.carries));
    lacking::of(sources, |tenant| engine.settings_of(tenant).rules())
}

/// The worst of too many to show, in the order in which they were noticed.
fn worst(scopes: Vec<Vec<&Incident>>) -> Vec<Vec<&Incident>> {
    let badness =
        |of_scope: &[&Incident]| of_scope.iter().map(|i| (i.severity, i.exposure, i.attempts)).max();
    let mut order: Vec<usize> = (0..scopes.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(scopes.get(index).and_then(|of_scope| badness(of_scope))));
    let shown: BTreeSet<usize> = order.into_iter().take(MOST_SCOPES).collect();
    let kept = scopes.into_iter().enumerate().filter(|(index, _)| shown.contains(index));
    kept.map(|(_, of_scope)| of_scope).collect()
}

struct Say<'a> {
    engine: &'a Engine,
    language: Language,
    several_tenants: bool,
}

impl Say<'_> {
    /// One extension or trunk: the whole case in two lines, then what each rule saw.
    fn scope(&self, out: &mut impl Write, incidents: &[&Incident]) -> io::Result<()> {
        let Some(worst) = incidents.iter().max_by_key(|i| (i.exposure, i.attempts)) else { return Ok(()) };
        let Some(first) = incidents.iter().min_by_key(|i| (i.detected_at, i.rule)) else { return Ok(()) };
        let severity = incidents.iter().map(|i| i.severity).max().unwrap_or(Severity::Warning);
        let began = incidents.iter().map(|i| i.first_call_at).min().unwrap_or(first.first_call_at);
        let scope = &first.scope;
        let mut name = whom::name(worst, self.language);
        if self.several_tenants && scope.kind != ScopeKind::Tenant {
            let tenant = plain(&first.tenant);
            name = match self.language {
                Language::English => format!("{name} of {tenant}"),
                Language::Japanese => format!("{tenant} {name}"),
            };
        }
        writeln!(out)?;
        let is_critical = severity == Severity::Critical;
        let (severity, calls) = (self.severity(severity), worst.attempts);
        let (spent, early) = (self.money(worst.exposure), self.money(first.exposure_at_detection));
        let (began, alarm) = (self.local(began), self.local(first.detected_at));
        let places = self.places(worst);
        let delay = first.detected_at.seconds_since(first.first_call_at).max(0);
        match self.language {
            Language::English => writeln!(
                out,
                "{severity}  {name}: {calls} calls, {spent}, to {places}\n  \
                 first call {began}, alarm {alarm}: {delay} s after the first call, {early} spent by then",
            )?,
            Language::Japanese => writeln!(
                out,
                "{severity}  {name}: {calls} 通話、{spent}、宛先 {places}\n  \
                 最初の通話 {began}、警報 {alarm}: 最初の通話から {delay} 秒、その時点の料金 {early}",
            )?,
        }
        if !worst.extensions.is_empty() {
            writeln!(out, "  {}", whom::extensions(worst, self.language))?;
        }
        for incident in incidents.iter().take(MOST_INCIDENTS) {
            writeln!(out, "    {}", self.rule_line(incident))?;
        }
        if incidents.len() > MOST_INCIDENTS {
            writeln!(out, "    {}", self.language.and_more(incidents.len() - MOST_INCIDENTS))?;
        }
        if is_critical {
            writeln!(out, "  {}", whom::what_to_do(scope, self.language))?;
        }
        Ok(())
    }

    fn rule_line(&self, incident: &Incident) -> String {
        let rule = self.engine.settings_of(&incident.tenant).rules().get(incident.rule);
        let threshold = rule.and_then(|rule| rule.thresholds.get(incident.trigger.threshold));
        let measure = rule.map(|rule| rule.measure);
        let value = match measure {
            Some(Measure::Exposure) => self.money(Money::from_micros(incident.trigger.value)),
            Some(Measure::BillableTime | Measure::LongestCall | Measure::Acd) => {
                format!("{} s", incident.trigger.value.abs())
            }
            Some(Measure::Asr) => format!("{} %", incident.trigger.value.abs() / 10),
            _ => incident.trigger.value.to_string(),
        };
        let window = match threshold {
            Some(t) if measure.is_some_and(Measure::has_window) => format!(" / {} min", t.seconds / 60),
            _ => String::new(),
        };
        let on = match (incident.detected_on, self.language) {
            (tollwatch_detect::DetectedOn::Start, Language::English) => "at a call's start",
            (tollwatch_detect::DetectedOn::InProgress, Language::English) => "during a call",
            (tollwatch_detect::DetectedOn::Cdr, Language::English) => "from a finished call's record",
            (tollwatch_detect::DetectedOn::Start, Language::Japanese) => "発信時に検知",
            (tollwatch_detect::DetectedOn::InProgress, Language::Japanese) => "通話中に検知",
            (tollwatch_detect::DetectedOn::Cdr, Language::Japanese) => "通話終了後の記録で検知",
        };
        format!(
            "{:8} {:26} {}  {value}{window}, {on}; {}",
            self.severity(incident.severity),
            rule.map_or(STORM_RULE, |rule| rule.name.as_str()),
            self.local(incident.detected_at),
            self.money(incident.exposure),
        )
    }

    fn severity(&self, severity: Severity) -> &'static str {
        match (severity, self.language) {
            (Severity::Critical, Language::English) => "CRITICAL",
            (Severity::Warning, Language::English) => "WARNING",
            (Severity::Critical, Language::Japanese) => "【緊急】",
            (Severity::Warning, Language::Japanese) => "【注意】",
        }
    }

    fn money(&self, amount: Money) -> String {
        format!("{amount} {}", self.engine.settings().currency())
    }

    /// Local time of the site.
    fn local(&self, at: EventTime) -> String {
        let local = self.engine.settings().calendar().local(at);
        local.map_or_else(|| at.to_string(), |local| local.format("%Y-%m-%d %H:%M:%S").to_string())
    }

    /// The countries most called, in the reader's language.
    fn places(&self, incident: &Incident) -> String {
        let mut calls: BTreeMap<&str, u64> = BTreeMap::new();
        for (&id, &count) in &incident.destinations {
            *calls.entry(self.place(id)).or_default() += count;
        }
        let mut calls: Vec<(&str, u64)> = calls.into_iter().collect();
        calls.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let named: Vec<&str> = calls.iter().take(3).map(|(name, _)| *name).collect();
        let more = if calls.len() > named.len() { " …" } else { "" };
        format!("{}{more}", named.join(self.language.pick(", ", "、")))
    }

    fn place(&self, id: u16) -> &str {
        if id == CallStat::NO_DESTINATION {
            return self.language.pick("numbers that cannot be read", "判別できない番号");
        }
        let row = self.engine.settings().destinations().get(DestinationId(id));
        self.language.pick(&row.name_en, &row.name_ja)
    }

    fn summary(&self, out: &mut impl Write, show_numbers: bool) -> io::Result<()> {
        let counters = self.engine.counters();
        let spent = self.money(counters.exposure);
        let basis = match self.engine.settings().rate(None).basis {
            RateBasis::Deck => self.language.pick("your rate deck", "登録済みの料金表"),
            RateBasis::Indicative => {
                self.language.pick("indicative rates: an estimate", "目安の料金表による概算")
            }
        };
        match self.language {
            Language::English => {
                writeln!(out, "\n{} call records and {} live events", counters.cdrs, counters.call_events)?;
                writeln!(
                    out,
                    "  {} read twice, {} late, {} calls closed for their age",
                    counters.duplicates, counters.late, counters.closed_for_age
                )?;
                writeln!(
                    out,
                    "  {} calls over a trunk; watched: {} (high risk {}, to unreadable numbers {}, without a known extension {})",
                    counters.outbound,
                    counters.watched,
                    counters.high_risk,
                    counters.unclassified,
                    counters.unattributed
                )?;
                writeln!(out, "  watched calls cost {spent} ({basis})")?;
            }
            Language::Japanese => {
                writeln!(out, "\n通話記録 {} 件、ライブイベント {} 件", counters.cdrs, counters.call_events)?;
                writeln!(
                    out,
                    "  重複 {} 件、遅延 {} 件、終了不明のまま打ち切り {} 件",
                    counters.duplicates, counters.late, counters.closed_for_age
                )?;
                writeln!(
                    out,
                    "  外線発信 {} 件、監視対象 {} 件（高リスク {} 件、判別できない番号 {} 件、内線不明 {} 件）",
                    counters.outbound,
                    counters.watched,
                    counters.high_risk,
                    counters.unclassified,
                    counters.unattributed
                )?;
                writeln!(out, "  監視対象の通話料金 {spent}（{basis}）")?;
            }
        }
        for line in limits::lines(&counters, self.language) {
            writeln!(out, "  {line}")?;
        }
        let unclassified = self.engine.unclassified();
        for (number, calls) in unclassified.iter().take(MOST_UNCLASSIFIED) {
            let head = self.language.pick("could not be read", "判別できない番号");
            writeln!(out, "  {head}: {} × {calls}", shown(number, show_numbers))?;
        }
        if unclassified.len() > MOST_UNCLASSIFIED {
            writeln!(out, "  {}", self.language.and_more(unclassified.len() - MOST_UNCLASSIFIED))?;
        }
        Ok(())
    }
}

/// A text that comes from a PBX, without what a terminal or a reader may be tricked with.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_graphic() || c.is_alphanumeric() || c == ' ' { c } else { '\u{fffd}' })
        .collect()
}

/// A dialled string as it may be shown: without control characters, and with its tail hidden unless asked for.
fn shown(number: &[u8], in_full: bool) -> String {
    let text: String = plain(&String::from_utf8_lossy(number)).chars().take(40).collect();
    if in_full {
        return text;
    }
    let keep = text.chars().count().saturating_sub(4);
    text.chars().enumerate().map(|(i, c)| if i < keep { c } else { '*' }).collect()
}

/// What a scan has found. Written one by one: together they would take as much memory again.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) incidents: &'a [Incident],
}

impl<'a> Found<'a> {
    pub(crate) fn on_the_wire(self) -> impl Iterator<Item = IncidentV1> + 'a {
        let Self { engine, incidents } = self;
        incidents.iter().map(|incident| IncidentV1::new(incident, engine.settings_of(&incident.tenant)))
    }
}

impl serde::Serialize for Found<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.on_the_wire())
    }
}

/// What programs get.
#[derive(serde::Serialize)]
struct Document<'a> {
    incidents: Found<'a>,
    summary: serde_json::Value,
}

/// For programs.
pub(crate) fn json(
    out: &mut impl Write,
    found: Found<'_>,
    read: &ScanReport,
    language: Language,
    show_numbers: bool,
) -> anyhow::Result<()> {
    let engine = found.engine;
    let counters = engine.counters();
    let files: Vec<serde_json::Value> = read.files.iter().map(|file| files::json(file, language)).collect();
    let unclassified: Vec<serde_json::Value> = engine
        .unclassified()
        .iter()
        .take(MOST_UNCLASSIFIED)
        .map(|(number, calls)| json!({ "number": shown(number, show_numbers), "calls": calls }))
        .collect();
    let document = Document {
        incidents: found,
        summary: json!({
            "files": files,
            "rules_without_data": lacks(engine, read),
            "quarantined": read.quarantine.as_ref().map(Quarantine::records),
            "cdrs": counters.cdrs,
            "call_events": counters.call_events,
            "duplicates": counters.duplicates,
            "late": counters.late,
            "closed_for_age": counters.closed_for_age,
            "unsettled": counters.unsettled,
            "outbound": counters.outbound,
            "watched": counters.watched,
            "high_risk": counters.high_risk,
            "unclassified": counters.unclassified,
            "unattributed": counters.unattributed,
            "unclassified_numbers": unclassified,
            "noticed": limits::document(&counters),
            "exposure": {
                "amount": counters.exposure.to_string(),
                "currency": engine.settings().currency(),
                "rates": match engine.settings().rate(None).basis {
                    RateBasis::Deck => "deck",
                    RateBasis::Indicative => "indicative",
                },
            },
        }),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)?;
    Ok(())
}
