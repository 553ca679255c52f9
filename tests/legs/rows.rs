//! Rows as a PBX writes them, and who is charged for them.
use crate::attribution::{everything_counts, payers, written};
use crate::harness::{feed, wire};
use std::fmt::Write as _;
use tollwatch_cdr::Format;
use tollwatch_detect::Engine;

/// A row of a call detail record.
#[derive(Clone, Debug)]
pub(super) struct Row {
    channel: &'static str,
    target: &'static str,
    dialled: &'static str,
    calling: &'static str,
    context: &'static str,
    application: &'static str,
    seconds: (i64, i64),
    billable: Option<i64>,
    linked: &'static str,
    account: &'static str,
}

/// `channel` dialled `dialled`, and by `application` (`Dial PJSIP/102,5`) came to `target`; from second to
/// second, with so many billable seconds if it was answered.
pub(super) fn row(
    channel: &'static str,
    target: &'static str,
    dialled: &'static str,
    application: &'static str,
    seconds: (i64, i64),
    billable: Option<i64>,
) -> Row {
    let (calling, context, linked, account) = ("101", "from-internal", "", "");
    Row { channel, target, dialled, calling, context, application, seconds, billable, linked, account }
}

impl Row {
    pub(super) fn calling(self, calling: &'static str) -> Self {
        Self { calling, ..self }
    }
    pub(super) fn context(self, context: &'static str) -> Self {
        Self { context, ..self }
    }
    /// The call's id; only wide rows have one.
    pub(super) fn linked(self, linked: &'static str) -> Self {
        Self { linked, ..self }
    }
    pub(super) fn account(self, account: &'static str) -> Self {
        Self { account, ..self }
    }

    fn write(&self, number: usize, wide: bool, text: &mut String) {
        let (application, data) = self.application.split_once(' ').unwrap_or((self.application, ""));
        let (start, end) = self.seconds;
        let answer =
            self.billable.map(|billable| format!("\"{}\"", clock(end - billable))).unwrap_or_default();
        let outcome = if self.billable.is_some() { "ANSWERED" } else { "NO ANSWER" };
        let texts = [
            self.account,
            self.calling,
            self.dialled,
            self.context,
            "",
            self.channel,
            self.target,
            application,
            data,
        ];
        for field in texts {
            let _ = write!(text, "\"{}\",", field.replace('"', "\"\""));
        }
        let _ = write!(
            text,
            "\"{}\",{answer},\"{}\",{},{},\"{outcome}\",\"DOCUMENTATION\"",
            clock(start),
            clock(end),
            end - start,
            self.billable.unwrap_or(0)
        );
        if wide {
            let _ = write!(text, ",\"1772906400.{number}\",\"\",\"\",\"{}\",{number}", self.linked);
        }
        text.push('\n');
    }
}

fn clock(second: i64) -> String {
    format!("2026-03-08 03:{:02}:{:02}", second / 60, second % 60)
}

fn text(rows: &[Row], wide: bool) -> String {
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        row.write(number, wide, &mut text);
    }
    text
}

/// Reads a log into an engine that takes every call over a trunk for one abroad.
pub(super) fn read(format: Format, text: &str) -> Engine {
    let mut engine = Engine::new(everything_counts());
    feed(&mut engine, "default", format, text.as_bytes(), 64 * 1024, usize::MAX);
    engine.finish();
    engine
}

fn charged_in(format: Format, text: &str) -> String {
    written(&payers(&wire(&read(format, text)), "default"))
}

fn csv() -> Format {
    Format::parse("asterisk_cdr_csv").unwrap()
}

/// Who is charged, by narrow rows.
pub(super) fn narrow(rows: &[Row]) -> String {
    charged_in(csv(), &text(rows, false))
}

/// Who is charged, by wide rows, which have the call's id. That the engine is restarted after each of them
/// changes nothing.
pub(super) fn wide(rows: &[Row]) -> String {
    let text = text(rows, true);
    let found = charged_in(csv(), &text);
    let mut engine = Engine::new(everything_counts());
    for row in text.lines() {
        feed(&mut engine, "default", csv(), row.as_bytes(), 64 * 1024, usize::MAX);
        let snapshot = engine.snapshot().unwrap();
        engine = Engine::new(everything_counts()).restore(&snapshot).unwrap();
    }
    engine.finish();
    assert_eq!(written(&payers(&wire(&engine), "default")), found, "restarted after each row");
    found
}

/// Who is charged, whether or not the rows have the call's id.
pub(super) fn charged(rows: &[Row]) -> String {
    let (narrow, wide) = (narrow(rows), wide(rows));
    assert_eq!(narrow, wide, "the call's id makes no difference here");
    narrow
}

/// The incidents of narrow rows as they go out.
pub(super) fn incidents(rows: &[Row]) -> String {
    crate::harness::lines(&read(csv(), &text(rows, false))).join("\n")
}

/// An event of a channel of the call `1.1`: millisecond, event, number shown, extension, channel, its serial,
/// application with its data, extra.
pub(crate) type Event<'a> = (i64, &'a str, &'a str, &'a str, &'a str, u32, &'a str, &'a str);

/// Who is charged, by live events.
pub(crate) fn heard(events: &[Event<'_>]) -> String {
    charged_in(Format::parse("asterisk_cel_csv").unwrap(), &events_text(events))
}

/// What the defaults make of live events and of narrow rows behind them.
pub(super) fn engine_of(events: &[Event<'_>], rows: &[Row]) -> Engine {
    let mut engine = Engine::new(crate::harness::settings());
    let events = events_text(events);
    for (format, text) in [("asterisk_cel_csv", events), ("asterisk_cdr_csv", text(rows, false))] {
        feed(&mut engine, "default", Format::parse(format).unwrap(), text.as_bytes(), 64 * 1024, usize::MAX);
    }
    engine.finish();
    engine
}

fn events_text(events: &[Event<'_>]) -> String {
    let mut text = String::new();
    for (at, event, number, extension, channel, serial, application, extra) in events {
        let (application, data) = application.split_once(' ').unwrap_or((application, ""));
        let context = if channel.contains("trunk") { "from-trunk" } else { "from-internal" };
        let fields = [
            *event,
            &format!("{}.{:03}000", 1_772_906_400 + at / 1000, at % 1000),
            "",
            number,
            "",
            "",
            "",
            extension,
            context,
            channel,
            application,
            data,
            "3",
            "",
            &format!("1772906400.{serial}"),
            "1772906400.1",
            "",
            "",
            "",
            extra,
        ];
        let fields: Vec<String> =
            fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}
