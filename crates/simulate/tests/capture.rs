//! What is written here against what a real Asterisk 20.20 wrote, where a capture of one is at hand.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at once, its helpers too"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::{fs, path::PathBuf};

use tollwatch_simulate::{Case, Kind, Scenario, write_ami, write_cdr_csv, write_cel_csv};

fn captured(file: &str) -> Option<String> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/asterisk/r7-attack-3am").join(file);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: there is no capture at {}", path.display());
    }
    text
}

fn case() -> Case {
    let scenario = Scenario::new(7).days(4).attack(Kind::ForwardPumping).attack(Kind::Probe);
    scenario.build().expect("a small office")
}

fn written(write: impl Fn(&Case, &mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut bytes = Vec::new();
    write(&case(), &mut bytes).expect("memory takes it");
    String::from_utf8(bytes).expect("names are ASCII here")
}

/// The fields of a line as they stand, quotes included. A field is text in quotes with inner quotes doubled, or bare.
fn fields(line: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let (mut start, mut is_quoted) = (0, false);
    for (place, byte) in line.bytes().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b',' if !is_quoted => {
                fields.push(&line[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    assert!(!is_quoted, "an open quote: {line}");
    fields.push(&line[start..]);
    fields
}

/// How a field is written: quoted, a bare number, or nothing at all; text in other forms fails.
fn grammar(field: &str) -> &'static str {
    if field.is_empty() {
        "nothing"
    } else if field.bytes().all(|byte| byte.is_ascii_digit()) {
        "number"
    } else {
        let inner = field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).expect(field);
        assert_eq!(inner.matches('"').count(), 2 * inner.matches("\"\"").count(), "{field}");
        "quoted"
    }
}

/// Every form a column takes in a file.
fn columns(text: &str) -> Vec<BTreeSet<&'static str>> {
    let mut forms = Vec::new();
    for line in text.lines() {
        let fields = fields(line);
        forms.resize(fields.len().max(forms.len()), BTreeSet::new());
        for (forms, field) in forms.iter_mut().zip(fields) {
            forms.insert(grammar(field));
        }
    }
    forms
}

#[test]
fn records_are_quoted_column_by_column_as_asterisk_quotes_them() {
    let ours = columns(&written(write_cdr_csv));
    assert_eq!(ours.len(), 18);
    assert_eq!(
        ours[10],
        BTreeSet::from(["nothing", "quoted"]),
        "the time of an answer that may never have come"
    );
    assert_eq!((ours[12].len(), ours[12].contains("number")), (1, true));
    if let Some(text) = captured("cdr-csv/Master.csv") {
        assert_eq!(ours, columns(&text));
    }
}

#[test]
fn rows_carry_the_same_constants_as_asterisk() {
    let Some(text) = captured("cdr-csv/Master.csv") else { return };
    let values = |text: &str, column: usize| -> BTreeSet<String> {
        text.lines().map(|line| fields(line)[column].to_owned()).collect()
    };
    let ours = written(write_cdr_csv);
    for column in [3, 7, 15, 17] {
        assert_eq!(values(&ours, column), values(&text, column), "column {column}");
    }
    assert!(values(&ours, 14).is_subset(&values(&text, 14)), "dispositions");
}

/// A channel's name and the fields of its events.
type Channel<'a> = (&'a str, Vec<Vec<&'a str>>);

/// For each channel of each call, in order of creation: the events it had, and which columns were filled in each. Calls of
/// more channels than a plain or a forwarded one are left out.
fn lives(text: &str) -> BTreeMap<(usize, usize, bool), BTreeSet<Vec<String>>> {
    let mut calls: BTreeMap<&str, Vec<Channel<'_>>> = BTreeMap::new();
    for line in text.lines() {
        let fields = fields(line);
        assert_eq!(fields.len(), 20, "{line}");
        let channels = calls.entry(fields[15]).or_default();
        match channels.iter_mut().find(|(name, _)| *name == fields[9]) {
            Some((_, events)) => events.push(fields),
            None => channels.push((fields[9], vec![fields])),
        }
    }
    let mut lives: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for channels in calls.values().filter(|channels| matches!(channels.len(), 2 | 4)) {
        let is_answered =
            channels.iter().flat_map(|(_, events)| events).any(|fields| fields[0] == "\"ANSWER\"");
        for (place, (name, events)) in channels.iter().enumerate() {
            // Which channel has the last word on the call is chance, and so is which peer was still in the bridge.
            let life = events.iter().filter(|fields| fields[0] != "\"LINKEDID_END\"").map(|fields| {
                let filled: String = [3, 4, 5, 6, 7, 8, 10, 11, 12, 14, 15, 19]
                    .map(|column| if fields[column] == "\"\"" { '-' } else { 'x' })
                    .iter()
                    .collect();
                format!("{} {filled} {}", fields[0], fields[10])
            });
            // A trunk has no caller id of its own and no `h` in its context: its channels are compared with trunks only.
            let kind = format!("trunk {} local {}", name.contains("trunk"), name.contains("Local"));
            let life: Vec<String> = std::iter::once(kind).chain(life).collect();
            lives.entry((channels.len(), place, is_answered)).or_default().insert(life);
        }
    }
    lives
}

#[test]
fn every_channel_lives_through_the_events_of_a_real_one() {
    let ours = lives(&written(write_cel_csv));
    assert_eq!(ours.len(), 8, "two channels answered and not, four answered: {:?}", ours.keys());
    let Some(text) = captured("cel-custom/Master.csv") else { return };
    let theirs = lives(&text);
    let mut compared = 0;
    for (key, lives) in &ours {
        for life in lives {
            // The capture has no unanswered call to a phone; all other channels must be found in it.
            let is_to_phone = key.0 == 2 && !key.2 && (life[0].contains("trunk true") == (key.1 == 0));
            let is_between_phones = key.1 == 1 && life[0].contains("trunk false");
            if !key.2 && (is_to_phone || is_between_phones) {
                continue;
            }
            assert!(
                theirs.get(key).is_some_and(|theirs| theirs.contains(life)),
                "{key:?}\nours   {life:#?}\ntheirs {:#?}",
                theirs.get(key)
            );
            compared += 1;
        }
    }
    assert!(compared >= 8, "{compared} lives compared");
}

/// The keys of each kind of event, in every order in which they come.
fn keys(text: &str) -> BTreeMap<String, BTreeSet<Vec<String>>> {
    let mut kinds: BTreeMap<String, BTreeSet<Vec<String>>> = BTreeMap::new();
    for packet in text.split("\r\n\r\n").filter(|packet| packet.starts_with("Event: ")) {
        let pairs = packet.split("\r\n").filter_map(|line| line.split_once(':'));
        let keys = pairs.clone().map(|(key, _)| key.to_owned()).collect();
        let kind = pairs.map(|(_, value)| value.trim().to_owned()).next().expect("it starts so");
        kinds.entry(kind).or_default().insert(keys);
    }
    kinds
}

#[test]
fn events_of_the_manager_interface_have_the_keys_that_asterisk_gives_them() {
    let ours = keys(&written(write_ami));
    assert_eq!(ours.len(), 7);
    assert!(ours.values().all(|orders| orders.len() == 1), "{ours:?}");
    let Some(text) = captured("ami_raw.txt") else { return };
    let theirs = keys(&text);
    for (kind, orders) in ours {
        let mut orders = orders.into_iter();
        let own = orders.next().expect("one");
        // A site may have more columns put behind a call record.
        let is_like =
            |other: &Vec<String>| if kind == "Cdr" { other.starts_with(&own) } else { *other == own };
        assert!(theirs[&kind].iter().any(is_like), "{kind}: {own:?}, but {:?}", theirs[&kind]);
    }
}
