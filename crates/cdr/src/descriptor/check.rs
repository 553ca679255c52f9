//! From what a descriptor says to a plan: all that is wrong is found at once.
use super::fault::{DescriptorError, DescriptorFault};
use super::plan::{ABSENT, Choice, Columns, Forms, Layout, Name, Numbers, Plan};
use super::raw::{
    AnsweredBy, Header, Names, Quotes, RawDescriptor, RawFields, RawLines, RawPassOver, RawText, RawTime,
    ReaderKind, Shape,
};
use crate::civil::{TimeForm, TimeForms};
use crate::describe::{Description, Setting, Text};
use crate::{Outcome, Zone};

/// Names of the columns that the tracker of channel events looks at.
const EVENT_COLUMNS: [&str; 12] = [
    "eventtype",
    "eventtime",
    "cidnum",
    "exten",
    "context",
    "channame",
    "appname",
    "appdata",
    "accountcode",
    "uniqueid",
    "linkedid",
    "eventextra",
];

#[derive(Default)]
struct Faults(Vec<DescriptorFault>);

impl Faults {
    fn add(&mut self, place: impl Into<String>, what: impl Into<String>, hint: impl Into<String>) {
        self.0.push(DescriptorFault { place: place.into(), what: what.into(), hint: hint.into() });
    }
}

/// Checks and compiles.
pub(super) fn compile(raw: &RawDescriptor, text: &str) -> Result<Plan, DescriptorError> {
    let mut faults = Faults::default();
    let RawDescriptor { name, reader, dialect, lines, fields, .. } = raw;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || !name.bytes().all(plain) {
        faults.add("name", format!("{name:?} is no name"), "lower-case letters, digits and _");
    }
    let zone = match raw.zone.as_str() {
        "source" => None,
        zone => {
            Zone::parse(zone).map_err(|error| faults.add("zone", error.to_string(), "or \"source\"")).ok()
        }
    };
    let delimiters = delimiters(lines, &mut faults);
    let mut names = Interned { names: Vec::new(), closed: is_closed(lines) };
    for name in lines.columns.iter().chain(lines.behind.iter().flat_map(|behind| &behind.columns)) {
        names.declare(name);
    }
    twice(&lines.columns, &mut faults);
    let mut sources = sources(fields, *reader, &mut names, &mut faults);
    sources.pass_over = pass_over(lines, &mut names, &mut faults);
    let forms = forms(fields, &mut faults);
    if *reader == ReaderKind::Columns {
        complete(fields, &mut faults);
    }
    if (*reader == ReaderKind::AsteriskAmi) != (lines.shape == Shape::Packets) {
        faults.add(
            "lines.shape",
            "the reader `asterisk_ami` and the shape `packets` belong together",
            "both, or neither",
        );
    }
    for (name, spellings) in &raw.spellings {
        match names.names.iter_mut().find(|known| known.name == *name) {
            Some(known) => known.spellings.clone_from(spellings),
            None => faults.add(
                format!("spellings.{name}"),
                "no column has this name",
                "a name that `fields` uses",
            ),
        }
    }
    let overflow = lines.overflow.as_ref().and_then(|name| {
        let at = names.names.iter().position(|known| known.name == *name);
        if at.is_none() {
            faults.add("lines.overflow", format!("{name:?} is none of the columns"), "a name that is used");
        }
        at
    });
    let layouts = layouts(lines, &sources, &forms, &names.names, &mut faults);
    let description = description(raw, &mut faults);
    let numbers = numbers(raw, &mut faults);
    if !faults.0.is_empty() {
        return Err(DescriptorError { faults: faults.0 });
    }
    let any = |choice: &Choice| choice.iter().copied().filter(|&name| name != ABSENT).collect::<Vec<_>>();
    let begin = if sources.started == ABSENT { sources.ended } else { sources.started };
    let needed = match reader {
        ReaderKind::Columns => {
            vec![
                vec![begin],
                any(&[sources.duration, sources.billable, sources.ended]),
                any(&sources.dialled),
            ]
        }
        ReaderKind::AsteriskCel => sources.events.iter().map(|&name| vec![name]).collect(),
        ReaderKind::AsteriskAmi | ReaderKind::Tollwatch => Vec::new(),
    };
    Ok(Plan {
        name: name.clone(),
        text: text.to_owned(),
        reader: *reader,
        dialect: *dialect,
        spreadsheet: raw.spreadsheet,
        gives_way: raw.gives_way,
        zone,
        description,
        shape: lines.shape,
        delimiters,
        quotes: lines.quotes,
        trim: lines.trim,
        header: lines.header,
        type_line: lines.type_line,
        skip: lines.skip.clone(),
        pass_over: lines.pass_over.iter().map(|rows| rows.holds.clone()).collect(),
        names: names.names,
        expected: widths(&layouts),
        layouts,
        overflow,
        sources,
        needed,
        forms,
        numbers,
    })
}

/// Only columns that are listed can be used: nothing else says where a column stands.
fn is_closed(lines: &RawLines) -> bool {
    lines.shape == Shape::Separated && lines.header != Header::Required
}

fn delimiters(lines: &RawLines, faults: &mut Faults) -> Vec<u8> {
    let mut delimiters = Vec::new();
    for text in lines.delimiter.as_slice() {
        match *text.as_bytes() {
            [byte] if !matches!(byte, b'"' | b'\n' | b'\r' | b'\\') => delimiters.push(byte),
            _ => faults.add(
                "lines.delimiter",
                format!("{text:?} is no delimiter"),
                "one byte, as \",\" or \"\\t\"",
            ),
        }
    }
    if delimiters.is_empty() {
        delimiters.push(b',');
    }
    if delimiters.len() > 1 && lines.header == Header::None {
        faults.add("lines.delimiter", "nothing tells which of several it is", "a header, or one delimiter");
    }
    delimiters
}

fn twice(columns: &[String], faults: &mut Faults) {
    for (number, name) in columns.iter().enumerate() {
        if columns.iter().take(number).any(|before| before == name) {
            faults.add(
                format!("lines.columns.{number}"),
                format!("{name:?} stands there twice"),
                "another name",
            );
        }
    }
}

/// The columns that say of rows that they are passed over.
fn pass_over(lines: &RawLines, names: &mut Interned, faults: &mut Faults) -> Vec<usize> {
    let column = |(at, rows): (usize, &RawPassOver)| {
        let place = format!("lines.pass_over[{at}]");
        if rows.holds.is_empty() {
            faults.add(format!("{place}.holds"), "an empty list", "what stands in the column of such rows");
        }
        names.number(&format!("{place}.column"), &rows.column, faults)
    };
    lines.pass_over.iter().enumerate().map(column).collect()
}

/// Names of columns, each with its number.
struct Interned {
    names: Vec<Name>,
    closed: bool,
}

impl Interned {
    fn declare(&mut self, name: &str) -> usize {
        let known = self.names.iter().position(|known| known.name == name);
        known.unwrap_or_else(|| {
            self.names.push(Name { name: name.to_owned(), spellings: Vec::new() });
            self.names.len() - 1
        })
    }

    fn number(&mut self, place: &str, name: &str, faults: &mut Faults) -> usize {
        if self.closed && !self.names.iter().any(|known| known.name == name) {
            faults.add(place, format!("no column is named {name:?}"), "one of `lines.columns`");
            return ABSENT;
        }
        self.declare(name)
    }

    fn one(&mut self, place: &str, name: Option<&String>, faults: &mut Faults) -> usize {
        name.map_or(ABSENT, |name| self.number(&format!("fields.{place}"), name, faults))
    }

    fn several<const N: usize>(&mut self, place: &str, names: &[String], faults: &mut Faults) -> [usize; N] {
        let place = format!("fields.{place}");
        if names.len() > N {
            faults.add(&place, format!("{} columns", names.len()), format!("{N} at most"));
        }
        let mut numbers = [ABSENT; N];
        for (number, name) in numbers.iter_mut().zip(names) {
            *number = self.number(&place, name, faults);
        }
        numbers
    }
}

/// The numbers of the names, in the places of positions.
fn sources(fields: &RawFields, reader: ReaderKind, names: &mut Interned, faults: &mut Faults) -> Columns {
    let mut events = [ABSENT; 12];
    if reader == ReaderKind::AsteriskCel {
        for (event, name) in events.iter_mut().zip(EVENT_COLUMNS) {
            *event = names.number("lines.columns", name, faults);
        }
    }
    let mut one = |place: &str, name: Option<&String>| names.one(place, name, faults);
    let time = |time: &'_ Option<RawTime>| time.as_ref().map(|time| time.column.clone());
    let (started, answered, ended) = (
        one("started_at.column", time(&fields.started_at).as_ref()),
        one("answered_at.column", time(&fields.answered_at).as_ref()),
        one("ended_at.column", time(&fields.ended_at).as_ref()),
    );
    let duration = one("duration.column", fields.duration.as_ref().map(|duration| &duration.column));
    let billable = one("billable.column", fields.billable.as_ref().map(|duration| &duration.column));
    let outcome = one("outcome.column", fields.outcome.as_ref().map(|outcome| &outcome.column));
    let direction = one("direction.column", fields.direction.as_ref().map(|direction| &direction.column));
    let created_in = one("created_in", fields.created_in.as_ref());
    let channel = one("channel", fields.channel.as_ref());
    let target_channel = one("target_channel", fields.target_channel.as_ref());
    let context = one("context", fields.context.as_ref());
    let application = one("application", fields.application.as_ref());
    let data = one("data", fields.data.as_ref());
    let identity_where =
        one("identity.where_present", fields.identity.as_ref().map(|identity| &identity.where_present));
    let mut choice = |place: &str, columns: &Names| names.several(place, columns.as_slice(), faults);
    Columns {
        started,
        answered,
        ended,
        duration,
        billable,
        outcome,
        direction,
        created_in,
        channel,
        target_channel,
        context,
        application,
        data,
        identity_where,
        calling: choice("calling", &fields.calling),
        dialled: choice("dialled", &fields.dialled),
        sent: choice("sent", &fields.sent),
        rang: choice("rang", &fields.rang),
        extension: choice("extension", &fields.extension),
        diverter: choice("diverter", &fields.diverter),
        trunk: choice("trunk", &fields.trunk),
        account: choice("account", &fields.account),
        source_address: choice("source_address", &fields.source_address),
        tenant: choice("tenant", &fields.tenant),
        call_id: choice("call_id", &fields.call_id),
        leg_id: choice("leg_id", &fields.leg_id),
        identity: fields
            .identity
            .as_ref()
            .map_or([ABSENT; 4], |identity| names.several("identity.columns", &identity.columns, faults)),
        events,
        pass_over: Vec::new(),
        answered_by: match &fields.outcome {
            Some(outcome) if outcome.cause => AnsweredBy::BillableSeconds,
            _ => AnsweredBy::Outcome,
        },
        texts: Vec::new(),
    }
}

/// Without these nothing can be said of a call.
fn complete(fields: &RawFields, faults: &mut Faults) {
    if fields.dialled.as_slice().is_empty() {
        faults.add("fields.dialled", "no column holds the number that was dialled", "`dialled = \"dst\"`");
    }
    if fields.calling.as_slice().is_empty()
        && fields.extension.as_slice().is_empty()
        && fields.channel.is_none()
    {
        faults.add("fields.extension", "no column says who called", "`extension`, `calling` or `channel`");
    }
    let lasts = fields.duration.is_some() || fields.billable.is_some();
    match (&fields.started_at, &fields.ended_at) {
        (None, None) => faults.add("fields.started_at", "no column says when", "`started_at`, or `ended_at`"),
        (None, Some(_)) | (Some(_), None) if !lasts => {
            faults.add("fields.duration", "nothing says how long calls last", "`duration` or `billable`");
        }
        _ => {}
    }
}

fn time_forms(place: &str, raw: Option<&RawTime>, faults: &mut Faults) -> TimeForms {
    let mut forms = Vec::new();
    for form in raw.map_or(&[][..], |raw| &raw.forms) {
        match TimeForm::parse(form) {
            Ok(form) => forms.push(form),
            Err(what) => faults.add(
                format!("fields.{place}.forms"),
                format!("{form:?}: {what}"),
                "iso, rfc3339, h323, epoch_seconds, epoch_milliseconds, epoch_microseconds or a pattern of %Y %y %m %d %b %H %I %p %M %S %f",
            ),
        }
    }
    TimeForms::new(forms, raw.map(|raw| raw.never.clone()).unwrap_or_default())
}

fn forms(fields: &RawFields, faults: &mut Faults) -> Forms {
    let mut outcomes: Vec<(String, Outcome)> = Vec::new();
    if let Some(raw) = &fields.outcome {
        let all = [
            (&raw.answered, Outcome::Answered),
            (&raw.no_answer, Outcome::NoAnswer),
            (&raw.busy, Outcome::Busy),
        ];
        for (spelling, outcome) in
            all.into_iter().flat_map(|(all, outcome)| all.iter().map(move |s| (s, outcome)))
        {
            if outcomes.iter().any(|known| known.0.eq_ignore_ascii_case(spelling)) {
                faults.add("fields.outcome", format!("{spelling:?} means two things"), "one of them");
            }
            outcomes.push((spelling.clone(), outcome));
        }
        if raw.cause && !raw.answered.is_empty() {
            let hint = "leave out `answered`, or `cause`";
            faults.add("fields.outcome.answered", "a cause says of no call that it was answered", hint);
        } else if !raw.cause && raw.answered.is_empty() {
            let hint = "what stands there for one, or `cause = true`";
            faults.add("fields.outcome.answered", "nothing says that a call was answered", hint);
        }
    }
    let direction = fields.direction.as_ref();
    Forms {
        started: time_forms("started_at", fields.started_at.as_ref(), faults),
        answered: time_forms("answered_at", fields.answered_at.as_ref(), faults),
        ended: time_forms("ended_at", fields.ended_at.as_ref(), faults),
        duration: fields.duration.as_ref().map(|duration| duration.unit).unwrap_or_default(),
        billable: fields.billable.as_ref().map(|duration| duration.unit).unwrap_or_default(),
        answered_by: fields.answered_by,
        outcomes,
        outcome_is_cause: fields.outcome.as_ref().is_some_and(|outcome| outcome.cause),
        inbound: direction.map(|direction| direction.inbound.clone()).unwrap_or_default(),
        internal: direction.map(|direction| direction.internal.clone()).unwrap_or_default(),
    }
}

/// Where columns stand by their order.
fn layouts(
    lines: &RawLines,
    sources: &Columns,
    forms: &Forms,
    names: &[Name],
    faults: &mut Faults,
) -> Vec<Layout> {
    let by_key = matches!(lines.shape, Shape::Json | Shape::Packets);
    if lines.header == Header::Required || by_key {
        if !lines.behind.is_empty() || lines.further_columns || lines.width_min.is_some() {
            faults.add("lines", "columns are found by name", "no `behind`, `further_columns`, `width_min`");
        }
        return by_key
            .then(|| Layout {
                narrowest: 0,
                widest: usize::MAX,
                id: None,
                positions: (0..names.len()).collect(),
                columns: sources.at(forms.answered_by, |name| name),
            })
            .into_iter()
            .collect();
    }
    if lines.columns.is_empty() {
        faults.add(
            "lines.columns",
            "nothing says which column is which",
            "their names, or `header = \"required\"`",
        );
    }
    let number = |name: &String| names.iter().position(|known| known.name == *name);
    let base: Vec<Option<usize>> = lines.columns.iter().map(number).collect();
    let of = |columns: &[Option<usize>], narrowest: usize, id: Option<usize>| {
        let position = |name| columns.iter().position(|column| *column == Some(name)).unwrap_or(ABSENT);
        Layout {
            narrowest,
            widest: if lines.further_columns { usize::MAX } else { columns.len() },
            id,
            positions: (0..names.len()).map(position).collect(),
            columns: sources.at(forms.answered_by, position),
        }
    };
    if lines.behind.is_empty() {
        return vec![of(&base, lines.width_min.unwrap_or(base.len()), None)];
    }
    let mut layouts = Vec::new();
    for (at, behind) in lines.behind.iter().enumerate() {
        let columns: Vec<_> = base.iter().copied().chain(behind.columns.iter().map(number)).collect();
        let id = behind.id.as_ref().and_then(|id| {
            let place = behind.columns.iter().position(|column| column == id).map(|at| base.len() + at);
            if place.is_none() {
                faults.add(
                    format!("lines.behind.{at}.id"),
                    format!("{id:?} is none of its columns"),
                    "one of them",
                );
            }
            place
        });
        layouts.push(of(&columns, columns.len(), id));
    }
    layouts
}

/// The widths of rows, in words.
fn widths(layouts: &[Layout]) -> String {
    let narrowest = layouts.iter().map(|layout| layout.narrowest).min().unwrap_or_default();
    let widest = layouts.iter().map(|layout| layout.widest).max().unwrap_or_default();
    match widest {
        usize::MAX => format!("{narrowest} or more"),
        widest if widest == narrowest => narrowest.to_string(),
        widest => format!("{narrowest} to {widest}"),
    }
}

fn numbers(raw: &RawDescriptor, faults: &mut Faults) -> Numbers {
    let ascii = |letter: char| u8::try_from(letter).ok().filter(u8::is_ascii);
    let mut replace = Vec::new();
    for (&from, &to) in &raw.numbers.replace {
        match (ascii(from), ascii(to)) {
            (Some(from), Some(to)) => replace.push((from, to)),
            _ => faults.add("numbers.replace", format!("{from:?} = {to:?}"), "ASCII for ASCII"),
        }
    }
    if !raw.numbers.strip.is_ascii() || raw.numbers.strip.bytes().any(|byte| byte.is_ascii_digit()) {
        faults.add(
            "numbers.strip",
            "digits and letters beyond ASCII mark nothing",
            "bytes such as `?` or `X`",
        );
    }
    if raw.numbers.drop.iter().any(String::is_empty) {
        faults.add("numbers.drop", "an empty word", "words such as `Ext.`");
    }
    let (drop, strip) = (raw.numbers.drop.clone(), raw.numbers.strip.clone().into_bytes());
    Numbers { nothing: drop.is_empty() && strip.is_empty() && replace.is_empty(), drop, strip, replace }
}

fn description(raw: &RawDescriptor, faults: &mut Faults) -> Description {
    if raw.lines.shape == Shape::Json && raw.lines.quotes != Quotes::Doubled {
        faults.add("lines.quotes", "JSON has its own", "leave it out");
    }
    let mut text = |place: &str, text: &RawText| {
        for (language, words) in [("english", &text.english), ("japanese", &text.japanese)] {
            if words.trim().is_empty() {
                faults.add(format!("operator.{place}.{language}"), "is empty", "a sentence for operators");
            }
        }
        // Lines are broken for the file's reader; Japanese has no blanks between sentences.
        Text {
            english: text.english.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned(),
            japanese: text.japanese.lines().map(str::trim).collect(),
        }
    };
    let operator = &raw.operator;
    Description {
        reads: text("reads", &operator.reads),
        path: operator.path.clone(),
        settings: operator
            .settings
            .iter()
            .map(|setting| Setting { file: setting.file.clone(), lines: setting.lines.trim_end().to_owned() })
            .collect(),
        switch_on: text("switch_on", &operator.switch_on),
        blind_to: text("blind_to", &operator.blind_to),
    }
}
