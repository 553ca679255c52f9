//! What can be said of rows that are in no known format.
use super::Score;
use crate::descriptor::{ABSENT, Header, Shape};
use crate::header;
use crate::{Format, RejectReason};

/// What the first line is, and which format is nearest and why it is not it, in English and Japanese.
pub(super) fn in_words(sample: &[u8], scores: &[(Format, Score)]) -> [String; 2] {
    let wide = scores
        .iter()
        .find_map(|(_, score)| score.why.as_ref().filter(|why| why.reason == RejectReason::Utf16));
    if let Some(hint) = wide.map(|why| why.reason.hint()) {
        return [
            format!("it is in UTF-16 ({}).", hint.english),
            format!("UTF-16 です ({})。", hint.japanese),
        ];
    }
    let sample = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample);
    let mut lines = sample.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii);
    let Some(line) = lines.find(|line| !line.is_empty()) else {
        return ["there are none.".to_owned(), "行がありません。".to_owned()];
    };
    let fields = fields(line);
    let (columns, header) = (fields.len(), as_header(&fields));
    let mut english = format!("{columns} columns");
    let mut japanese = format!("{columns} 列");
    if let Some(header) = &header {
        english = format!("{english} ({header})");
        japanese = format!("{japanese} ({header})");
    }
    let nearest = by_row(scores).or_else(|| by_header(&fields, scores)).or_else(|| by_width(columns, scores));
    match nearest {
        Some([near, nah]) => [format!("{english}; {near}."), format!("{japanese}。{nah}。")],
        None => [format!("{english}."), format!("{japanese}。")],
    }
}

/// The values of a line, cut at the delimiter that it holds most of.
fn fields(line: &[u8]) -> Vec<&[u8]> {
    let count = |delimiter: u8| memchr::memchr_iter(delimiter, line).count();
    let delimiter = [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|&delimiter| count(delimiter));
    let (mut fields, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, &byte) in line.iter().enumerate() {
        quoted ^= byte == b'"';
        if Some(byte) == delimiter && !quoted {
            fields.push(line.get(start..at).unwrap_or_default());
            start = at + 1;
        }
    }
    fields.push(line.get(start..).unwrap_or_default());
    fields.into_iter().map(|field| field.trim_ascii().trim_ascii_start()).map(unquoted).collect()
}

fn unquoted(field: &[u8]) -> &[u8] {
    field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(field)
}

/// The first names of a header; none if the line may hold a call, which is nobody else's business.
fn as_header(fields: &[&[u8]]) -> Option<String> {
    let is_name = |field: &&[u8]| {
        field.first().is_some_and(u8::is_ascii_alphabetic)
            && field.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b' '))
    };
    if fields.len() < 2 || !fields.iter().all(is_name) {
        return None;
    }
    let names: Vec<_> = fields.iter().take(6).map(|field| String::from_utf8_lossy(field)).collect();
    let more = if fields.len() > 6 { ", …" } else { "" };
    Some(format!("{}{more}", names.join(", ")))
}

/// A format whose columns the rows name, but whose fields are bad.
fn by_row(scores: &[(Format, Score)]) -> Option<[String; 2]> {
    let named = |format: &Format| {
        let plan = format.plan();
        plan.header != Header::None && plan.shape == Shape::Separated
    };
    scores.iter().filter(|(format, _)| named(format)).find_map(|(format, score)| but(*format, score))
}

/// A format, and the field of its first row that is bad.
fn but(format: Format, score: &Score) -> Option<[String; 2]> {
    let why = score.why.as_ref()?;
    let (_, name) = why.field?;
    let hint = why.reason.hint();
    Some([
        format!("nearest is {format}, but {name}: {} ({})", why.reason, hint.english),
        format!("最も近い形式は {format} ですが、{name}: {} ({})", why.reason, hint.japanese),
    ])
}

/// The format that knows most of the columns that the first line names, and one that it lacks.
fn by_header(fields: &[&[u8]], scores: &[(Format, Score)]) -> Option<[String; 2]> {
    let known = scores.iter().filter_map(|&(format, _)| {
        let plan = format.plan();
        if plan.header == Header::None || plan.shape == Shape::Json {
            return None;
        }
        let positions = header::positions(plan, fields.iter().copied());
        let lacking = header::lacking(plan, &positions)?;
        Some((positions.iter().flatten().count(), !plan.gives_way, format, lacking))
    });
    let (found, _, format, lacking) = known.max_by_key(|&(found, particular, ..)| (found, particular))?;
    (found >= 2).then(|| {
        [
            format!("nearest: {format} lacks the column {lacking}"),
            format!("最も近い形式 {format} に必要な列 {lacking} がありません"),
        ]
    })
}

/// The format whose widths are nearest.
fn by_width(columns: usize, scores: &[(Format, Score)]) -> Option<[String; 2]> {
    if columns < 2 {
        return None;
    }
    let distance = |format: Format| {
        let widths = format.plan().layouts.iter().map(|layout| {
            // Where columns without a name may follow, those that have one are what it usually has.
            let named = layout.positions.iter().filter(|position| **position != ABSENT).count();
            columns.abs_diff(columns.clamp(layout.narrowest, layout.widest.min(named).max(layout.narrowest)))
        });
        widths.min()
    };
    let separated = scores.iter().filter(|(format, _)| format.plan().shape == Shape::Separated);
    let near = separated.filter_map(|(format, score)| Some((distance(*format)?, *format, score)));
    let (distance, format, score) = near.min_by_key(|near| near.0)?;
    if distance == 0
        && let Some(but) = but(format, score)
    {
        return Some(but);
    }
    let expected = &format.plan().expected;
    Some([
        format!("by width the nearest is {format}: {format} has {expected}"),
        format!("列数が最も近い形式は {format} ({expected}) です"),
    ])
}
