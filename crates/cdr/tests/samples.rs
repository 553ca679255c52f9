//! Public sample files of the Asterisk family, FreePBX and billing imports: every row is accounted for. Skipped, with
//! a word, where they are not beside the repository.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
mod common;
use common::{Calls, cdrs_of, define};
use std::path::PathBuf;
use tollwatch_cdr::{Detection, Outcome, detect};

/// The bytes of a sample, read as its own first rows say it is.
fn sample(path: &str, format: &str, zone: &str) -> Option<Calls> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/samples"));
    let path = root.join(path);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            println!("skipped: {}: {error}", path.display());
            return None;
        }
    };
    let detected = detect(&bytes);
    let found = matches!(&detected, Detection::Found { format: found, .. } if found.name() == format);
    assert!(found, "{}: {detected:?}", path.display());
    Some(cdrs_of(define(format), zone, &bytes))
}

/// Records, passed over, and why the others were rejected.
fn counts(calls: &Calls) -> (usize, usize, Vec<&str>) {
    (calls.rows.len() + calls.events.len(), calls.passed_over, calls.why())
}

/// Answered calls and their billable seconds.
fn charged(calls: &Calls) -> (usize, u32) {
    let answered = calls.rows.iter().filter(|row| row.outcome == Outcome::Answered);
    (answered.clone().count(), answered.map(|row| row.billable).sum())
}

#[test]
fn every_row_of_the_master_csv_samples_is_a_call() {
    let folder = "asterisk-cdr-csv";
    let read = |file: &str| sample(&format!("{folder}/{file}"), "asterisk_cdr_csv", "UTC");
    let Some(good) = read("testsuite-good.csv") else { return };
    assert_eq!(counts(&good), (5, 0, vec![]));
    // Seven billed seconds in a call of five are what the PBX says, and an answer time alone is no answer.
    assert_eq!(good.rows.iter().map(|row| row.billable).collect::<Vec<_>>(), [5, 7, 0, 0, 0]);
    assert_eq!(charged(&good), (2, 12));

    let Some(cut) = read("testsuite-buggy-unterminated.csv") else { return };
    // Cut behind all that matters.
    assert_eq!((counts(&cut), cut.counters.cut_off), ((1, 0, vec![]), 1));
    assert_eq!((cut.rows[0].started, cut.rows[0].billable), (1_231_977_075, 5));

    let Some(apps) = read("master-18col-apps.csv") else { return };
    assert_eq!(counts(&apps), (105, 0, vec![]));
    // Five rows with an answer and seconds say BUSY or NO ANSWER.
    assert_eq!((charged(&apps), apps.counters.answered_against_disposition), ((99, 2609), 5));

    let Some(motif) = read("master-outbound-motif-local.csv") else { return };
    assert_eq!((counts(&motif), motif.counters.without_parties), ((139, 0, vec![]), 0));
    let prefixed = motif.rows.iter().find(|row| row.dialled == "812485550100").unwrap();
    assert_eq!((prefixed.sent.as_str(), prefixed.origin.as_deref()), ("12485550100", Some("123654987")));
    assert_eq!((prefixed.started, prefixed.billable), (1_474_034_521, 6));
    // Wall clock in GMT: no start is before its channel's id.
    for row in &motif.rows {
        let created: i64 = row.call_id.split('.').next().unwrap().parse().unwrap();
        assert!(row.started >= created, "{row:?}");
    }
}

#[test]
fn every_row_of_the_cdr_custom_sample_is_a_call_in_the_local_zone() {
    let path = "asterisk-cdr-custom/master-custom-19col.csv";
    let Some(read) = sample(path, "asterisk_cdr_custom", "Etc/GMT-3") else { return };
    assert_eq!(counts(&read), (14, 0, vec![]));
    let first = &read.rows[0];
    assert_eq!((first.started, first.answered, first.billable), (1_690_325_492, Some(1_690_325_510), 13));
    assert_eq!(
        (first.dialled.as_str(), first.origin.as_deref(), first.call_id.as_str()),
        ("6789", Some("client1"), "1690325492.2")
    );
}

#[test]
fn every_row_of_the_event_log_from_before_asterisk_12_is_read() {
    let Some(read) = sample("asterisk-cel/CELMaster1-legacy-pre12.csv", "asterisk_cel_csv", "UTC") else {
        return;
    };
    // One leg: begun, answered, ended; bridges and ends of channels say nothing of it.
    assert_eq!(counts(&read), (3, 13, vec![]));
    assert!(read.events[2].contains("Ended"), "{}", read.events[2]);
}

#[test]
fn of_the_rows_from_kafka_only_the_one_without_its_head_is_lost() {
    let path = "asterisk-kafka/topic_asterisk_truncated_first_line.csv";
    let Some(read) = sample(path, "asterisk_cdr_csv", "Asia/Krasnoyarsk") else { return };
    assert_eq!(counts(&read), (9, 0, vec!["a quoted field is not closed"]));
    assert_eq!((read.rejected[0].place.line, read.rejected[0].place.byte), (1, 0));
    let [local, trunk] = &read.rows[..2] else { panic!() };
    assert_eq!((local.started, trunk.started), (1_536_293_101, 1_536_293_120));
    assert_eq!((local.call_id.as_str(), trunk.call_id.as_str()), ("1536293101.12458", "1536293101.12458"));
    assert_eq!((trunk.billable, trunk.legs[1].as_str()), (183, "OOH323/avayaG700-1919"));
}

#[test]
fn every_row_of_the_freepbx_exports_is_a_call() {
    let path = "freepbx-export/cdr__1504541678pbx.example.test.csv";
    let Some(read) = sample(path, "freepbx_export", "Europe/Lisbon") else { return };
    assert_eq!((counts(&read), charged(&read)), ((69, 1, vec![]), (61, 7026)));
    let first = &read.rows[0];
    // In the second its channel was created in; answered four seconds before its end.
    assert_eq!(
        (first.started, first.answered, first.ended),
        (1_504_531_178, Some(1_504_531_183), 1_504_531_187)
    );
    assert_eq!((first.origin.as_deref(), first.dialled.as_str()), (Some("109"), "112"));

    let path = "freepbx-export/cdr_new-CR-only-6col.csv";
    let Some(read) = sample(path, "freepbx_export", "UTC") else { return };
    assert_eq!(
        (counts(&read), read.rows.iter().map(|row| row.billable).sum::<u32>()),
        ((25, 1, vec![]), 4352)
    );
    // 24/08/17 is the 24th of August.
    let second = &read.rows[1];
    assert_eq!((second.started, second.ended, second.billable), (1_503_566_880, 1_503_567_211, 328));
    assert_eq!((second.calling.as_str(), second.dialled.as_str()), ("4003", "300000001"));
}

#[test]
fn every_row_of_the_billing_imports_is_accounted_for() {
    let Some(read) = sample("billing-imports/CDRImport-2015-10-26.csv", "cdr_stats_csv", "UTC") else {
        return;
    };
    assert_eq!((counts(&read), charged(&read)), ((5, 1, vec![]), (5, 110)));
    let first = &read.rows[0];
    assert_eq!((first.started, first.ended, first.account.as_str()), (1_445_429_590, 1_445_429_645, "1000"));
    assert_eq!((first.dialled.as_str(), first.calling.as_str()), ("+34798000122", "904000140"));

    let Some(read) = sample("billing-imports/import_cdr_comma_space.txt", "cdr_stats_epoch_csv", "UTC")
    else {
        return;
    };
    assert_eq!((counts(&read), charged(&read)), ((5, 0, vec![]), (5, 154)));
    let third = &read.rows[2];
    assert_eq!((third.dialled.as_str(), third.source_address.as_str()), ("0032135940", "192.168.1.21"));
    assert_eq!((third.started, third.ended, third.from_outside), (1_327_521_966, 1_327_521_989, true));

    let path = "billing-imports/import_voipcall_report_truncated_last_row.txt";
    let Some(read) = sample(path, "voip_report_csv", "UTC") else { return };
    assert_eq!((counts(&read), charged(&read)), ((9, 0, vec!["6 fields where 7 belong"]), (3, 50)));
    assert_eq!((read.rejected[0].place.line, read.rows[1].outcome), (10, Outcome::Busy));
}

#[test]
fn every_row_of_the_samples_of_other_pbxs_is_accounted_for() {
    let Some(read) = sample("cucm/cdr_133col_bib_recording.txt", "cisco_cucm_cdr", "UTC") else { return };
    // Two legs of phones to a recorder.
    assert_eq!((counts(&read), charged(&read)), ((1, 4, vec![]), (1, 11)));
    assert_eq!((read.rows[0].origin.as_deref(), read.rows[0].ended), (Some("5035550194"), 1_744_993_941));
    let Some(read) = sample("cucm/sample_cdr_no_header_string_types.txt", "cisco_cucm_cdr", "UTC") else {
        return;
    };
    assert_eq!((counts(&read), charged(&read)), ((1, 1, vec![]), (1, 60)));
    assert_eq!(read.rows[0].dialled, "9712628803");

    let path = "vendor-doc/freeswitch_docs_master_prefix_scan.csv";
    let Some(read) = sample(path, "freeswitch_cdr_csv", "UTC") else { return };
    assert_eq!((counts(&read), charged(&read)), ((5, 0, vec![]), (0, 0)));
    let Some(read) = sample("freeswitch-csv/Master-excel-resaved.csv", "freeswitch_cdr_csv", "Asia/Taipei")
    else {
        return;
    };
    assert_eq!((read.rows.len(), read.rejected.len()), (10, 0), "{:?}", read.rejected);
}
