//! The check of the configured zone against the ids: rows written by hand, a slow oracle, and captures.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
mod common;
use common::{capture, decode, decode_in_blocks};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tollwatch_cdr::{EventTime, OffsetCheck, Untold, Zone};

/// A row of `cdr_csv` with 18 columns: a leg of a channel created at `epoch`, begun `late` seconds after it, in a
/// PBX whose clock shows `offset` seconds more than UTC.
fn row(epoch: i64, late: i64, offset: i64) -> String {
    let civil = |at: i64| EventTime::from_seconds(at + offset).to_string().replace('T', " ").replace('Z', "");
    let (start, end) = (civil(epoch + late), civil(epoch + late + 30));
    format!(
        "\"\",\"105\",\"0355550100\",\"from-internal\",\"105\",\"PJSIP/105-00000006\",\"PJSIP/trunk-00000007\",\"Dial\",\
         \"PJSIP/0355550100@trunk\",\"{start}\",\"{start}\",\"{end}\",30,30,\"ANSWERED\",\"DOCUMENTATION\",\
         \"{epoch}.0\",\"\"\n"
    )
}

fn check(zone: &str, input: &str) -> OffsetCheck {
    decode("asterisk_cdr_csv", zone, input.as_bytes()).1.offset_check()
}

/// What the check does, slowly: which rows are looked at, and the mode of each stretch of them.
/// (agrees, the contradiction with the most rows).
fn oracle(zone: &str, rows: &[(i64, i64, i64)]) -> (bool, Option<(i64, i64, u64)>) {
    let zone = Zone::parse(zone).unwrap();
    let nearest = |seconds: i64| (seconds as f64 / 900.0 + 1e-9).round() as i64 * 900;
    let mut seen: Vec<(i64, i64)> = Vec::new();
    let mut last = None;
    for (index, &(epoch, late, offset)) in rows.iter().enumerate() {
        if (index >= 256 && index % 64 != 0) || last == Some(epoch) {
            continue;
        }
        last = Some(epoch);
        let observed = nearest(late + offset);
        if (-12 * 3600..=14 * 3600).contains(&observed) {
            seen.push((observed, zone.offset_at(EventTime::from_seconds(epoch))));
        }
    }
    let mut agrees = false;
    let mut against: BTreeMap<(i64, i64), u64> = BTreeMap::new();
    for stretch in seen.chunks(32).filter(|stretch| stretch.len() >= 8) {
        let count = |offset: i64| stretch.iter().filter(|seen| seen.0 == offset && seen.1 != offset).count();
        let right = stretch.iter().filter(|seen| seen.0 == seen.1).count();
        let mut others: Vec<i64> =
            stretch.iter().filter(|seen| seen.0 != seen.1).map(|seen| seen.0).collect();
        others.sort_by_key(|&offset| (stretch.len() - count(offset), offset));
        let wrong = others.first().map_or(0, |&offset| count(offset));
        if right.max(wrong) * 4 >= stretch.len() {
            agrees |= right > wrong;
            if wrong > right {
                for seen in stretch.iter().filter(|seen| seen.0 == others[0] && seen.1 != seen.0) {
                    *against.entry(*seen).or_default() += 1;
                }
            }
        }
    }
    let most = against.into_iter().min_by_key(|((observed, _), rows)| (u64::MAX - rows, *observed));
    (agrees, most.map(|((observed, configured), rows)| (observed, configured, rows)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_check_says_what_the_modes_of_all_stretches_say(
        zone in prop::sample::select(vec!["UTC", "Asia/Tokyo", "Asia/Kathmandu", "America/New_York", "+01:00"]),
        rows in prop::collection::vec(
            // A few seconds around half a year, so that stretches cross the changes of the clock.
            (0..400_i64, prop::sample::select(vec![0, 1, 400, 449, 450, 1000, 4000, 50_000]), prop::sample::select(vec![0, 0, 3600, 20_700, 32_400, -18_000])),
            0..700,
        ),
    ) {
        let rows: Vec<(i64, i64, i64)> =
            rows.into_iter().map(|(at, late, offset)| (1_767_225_600 + at * 40_000, late, offset)).collect();
        let input: String = rows.iter().map(|&(epoch, late, offset)| row(epoch, late, offset)).collect();
        let (agrees, against) = oracle(zone, &rows);
        match (check(zone, &input), against) {
            (OffsetCheck::Contradicts { observed, configured, rows, .. }, Some(against)) => {
                prop_assert_eq!((observed.seconds(), configured.seconds(), rows), against);
            }
            (OffsetCheck::Agrees { .. }, None) => prop_assert!(agrees),
            (OffsetCheck::Unknown { .. }, None) => prop_assert!(!agrees),
            (found, against) => prop_assert!(false, "{:?} {:?}", found, against),
        }
    }

    #[test]
    fn the_true_zone_is_found_right_and_any_other_offset_wrong_although_a_quarter_of_the_legs_are_late(
        quarters in -48..=56_i64,
        other in -48..=56_i64,
        late in prop::collection::vec(prop::option::weighted(0.25, 450..7200_i64), 64..400),
    ) {
        let input: String = late
            .iter()
            .enumerate()
            .map(|(at, late)| row(1_772_906_414 + 60 * at as i64, late.unwrap_or(0), quarters * 900))
            .collect();
        let zone = |quarters: i64| {
            let minutes = quarters.abs() * 15;
            format!("{}{:02}:{:02}", if quarters < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
        };
        let right = check(&zone(quarters), &input);
        prop_assert!(matches!(right, OffsetCheck::Agrees { .. }), "{:?}", right);
        if other != quarters {
            let wrong = check(&zone(other), &input);
            let OffsetCheck::Contradicts { observed, .. } = wrong else { panic!("{wrong:?}") };
            prop_assert_eq!(observed.to_string(), zone(quarters));
        }
    }
}

#[test]
fn the_check_does_not_depend_on_where_blocks_are_cut_or_a_snapshot_lies() {
    let input: String = (0..60).map(|i| row(1_772_906_414 + i, 0, 32_400)).collect();
    let whole = check("UTC", &input);
    assert!(matches!(whole, OffsetCheck::Contradicts { rows: 60, of: 60, .. }), "{whole:?}");
    let mut decoder = common::decoder("asterisk_cdr_csv", "UTC");
    let (mut from, bytes) = (0, input.as_bytes());
    for to in (0..bytes.len()).step_by(777).chain([bytes.len()]) {
        from += decoder.decode(&bytes[from..to], to == bytes.len(), &mut common::Kept::default());
        decoder = serde_json::from_str(&serde_json::to_string(&decoder).unwrap()).unwrap();
    }
    assert_eq!(decoder.offset_check(), whole);
}

#[test]
fn the_epoch_settles_the_hour_that_comes_twice_whatever_the_zone() {
    for (zone, offsets, change) in [
        ("America/New_York", [-14_400, -18_000], 1_762_063_200),
        ("Europe/Berlin", [7200, 3600], 1_792_890_000),
        ("Australia/Lord_Howe", [39_600, 37_800], 1_775_314_800),
    ] {
        // One call a minute, from half an hour before the clock is put back to half an hour behind.
        let epochs: Vec<i64> = (-30..30).map(|minute| change + minute * 60).collect();
        let input: String = epochs
            .iter()
            .map(|&at| row(at, 3, if at + 3 < change { offsets[0] } else { offsets[1] }))
            .collect();
        let mut starts = Vec::new();
        let (_, decoder) = common::for_each_cdr("asterisk_cdr_csv", zone, input.as_bytes(), |_, cdr| {
            starts.push(cdr.started_at.seconds() - 3);
        });
        assert_eq!(starts, epochs, "{zone}");
        assert!(decoder.counters().ambiguous_times > 0, "{zone}");
        assert_eq!(decoder.offset_check(), OffsetCheck::Agrees { rows: 60, agreeing: 60 }, "{zone}");
    }
}

#[test]
fn a_zone_of_quarters_of_an_hour_is_told_exactly() {
    let input: String = (0..20).map(|i| row(1_772_906_414 + i, 0, 20_700)).collect();
    assert_eq!(check("Asia/Kathmandu", &input), OffsetCheck::Agrees { rows: 20, agreeing: 20 });
    let wrong = check("Asia/Kolkata", &input);
    let OffsetCheck::Contradicts { observed, configured, .. } = wrong else { panic!("{wrong:?}") };
    assert_eq!((observed.to_string(), configured.to_string()), ("+05:45".to_owned(), "+05:30".to_owned()));
}

#[test]
fn a_record_without_a_start_takes_it_from_its_end_or_its_id_and_is_kept_if_there_is_neither() {
    let full = row(1_772_906_414, 0, 0);
    let (start, end) = ("\"2026-03-07 18:00:14\"", "\"2026-03-07 18:00:44\"");
    for (start_as, end_as, id_as, started) in [
        ("\"1970-01-01 00:00:14\"", end, "1772906414.0", Some(1_772_906_414)),
        ("\"0000-00-00 00:00:00\"", end, "5.0", Some(1_772_906_414)),
        ("", "", "1772906410.0", Some(1_772_906_410)),
        (start, "", "5.0", Some(1_772_906_414)),
        // A clock that began with the century has gone on for a while.
        ("\"2000-07-09 11:00:00\"", "\"2000-07-09 11:00:30\"", "1772906414.0", Some(1_772_906_414)),
        ("\"1993-03-01 00:00:00\"", "\"1993-03-01 00:00:30\"", "946684800.1", None),
        ("", "\"2000-01-01 00:00:00\"", "5.0", None),
    ] {
        let input = full
            .replace(&format!("{start},{start},{end}"), &format!("{start_as},,{end_as}"))
            .replace("1772906414.0", id_as);
        let mut read = None;
        let (kept, decoder) = common::for_each_cdr("asterisk_cdr_csv", "UTC", input.as_bytes(), |_, cdr| {
            read = Some(cdr.started_at.seconds());
            assert_eq!(cdr.ended_at.seconds_since(cdr.started_at), 30, "{input}");
        });
        assert_eq!(read, started, "{input}");
        assert_eq!(decoder.counters().untrusted_clock, u64::from(started.is_some()), "{input}");
        let why: Vec<&str> = kept.rejected.iter().map(|(_, why, _)| why.as_str()).collect();
        let expected = "field 10 (start): no usable time: the clock of the PBX was not set";
        assert_eq!(why, if started.is_some() { vec![] } else { vec![expected] }, "{input}");
    }
}

#[test]
fn a_live_event_of_a_clock_that_was_not_set_takes_the_second_of_its_channel() {
    let event = |at: &str, id: &str| {
        format!(
            "\"CHAN_START\",\"{at}\",\"\",\"105\",\"\",\"\",\"\",\"102\",\"from-internal\",\"PJSIP/105-1\",\"\",\"\",\"3\",\"\",\"{id}\",\"{id}\",\"\",\"\",\"\",\"\"\n"
        )
    };
    for (at, id, rejected, counted) in [
        ("1970-01-01 00:00:01", "1772906414.0", 0, 1),
        ("5.000001", "1772906414.0", 0, 1),
        ("5.000001", "5.0", 1, 0),
        // 2030 begins like the last century.
        ("1900000000.000001", "1900000000.0", 0, 0),
    ] {
        let (kept, decoder) = decode("asterisk_cel_csv", "UTC", event(at, id).as_bytes());
        assert_eq!(
            (kept.rejected.len(), decoder.counters().untrusted_clock),
            (rejected, counted),
            "{at} {id}"
        );
    }
}

#[test]
fn captures_across_a_change_of_the_clock_agree_with_their_zone_and_with_no_other() {
    for run in ["r8a-dst-fall-NY", "r8b-dst-spring-NY"] {
        for (format, file) in [("asterisk_cdr_csv", "cdr-csv"), ("asterisk_cdr_custom", "cdr-custom")] {
            let Some(input) = capture(&format!("{run}/{file}/Master.csv")) else { return };
            let checked = |zone| decode(format, zone, &input).1.offset_check();
            assert_eq!(
                checked("America/New_York"),
                OffsetCheck::Agrees { rows: 10, agreeing: 10 },
                "{run} {file}"
            );
            for zone in ["UTC", "Asia/Tokyo", "America/Chicago"] {
                assert!(matches!(checked(zone), OffsetCheck::Contradicts { .. }), "{run} {file} {zone}");
            }
            let kept = decode(format, "America/New_York", &input).0;
            assert_eq!(kept, decode_in_blocks(format, "America/New_York", &input, &[999]), "{run} {file}");
        }
    }
}

#[test]
fn captures_without_ids_say_nothing_of_their_zone() {
    let Some(input) = capture("r1-default/cdr-csv/Master.csv") else { return };
    let (_, decoder) = decode("asterisk_cdr_csv", "UTC", &input);
    assert_eq!(decoder.offset_check(), OffsetCheck::Unknown { rows: 0, why: Untold::NoEpochs });
    // Its live events are written in UTC.
    let Some(input) = capture("r1-default/cel-custom/Master.csv") else { return };
    let (_, decoder) = decode("asterisk_cel_csv", "UTC", &input);
    assert_eq!(decoder.offset_check(), OffsetCheck::Unknown { rows: 0, why: Untold::NoCivilTimes });
}
