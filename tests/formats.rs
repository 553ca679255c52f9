//! Formats as the command takes them: by name, by an operator's own descriptor, by their first rows.
use crate::harness::root;
use std::process::{Command, Output};

fn scan(folder: &tempfile::TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tollwatch"))
        .arg("scan")
        .args(arguments)
        .current_dir(folder.path())
        .env("LC_ALL", "C")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A PBX that nobody else has: bars, hours for durations, the day first.
const OWN: &str = r#"
name = "our_pbx"

[operator]
path = "calls.txt"
reads = { english = "Our PBX.", japanese = "自社の PBX。" }
switch_on = { english = "Nothing.", japanese = "不要。" }
blind_to = { english = "Much.", japanese = "多く。" }

[lines]
delimiter = "|"
trim = true
skip = ["*"]
columns = ["day", "extension", "line", "number", "lasted"]

[fields]
started_at = { column = "day", forms = ["%d.%m.%Y %H:%M:%S"] }
billable = { column = "lasted", unit = "clock" }
answered_by = "billable_seconds"
extension = "extension"
trunk = "line"
dialled = "number"
"#;

fn calls() -> String {
    let row =
        |minute: u32| format!("08.03.2026 03:{minute:02}:00 | 105 | carrier | 010232221234567 | 0:00:32\n");
    format!("* monthly list\n{}", (0..4).map(row).collect::<String>())
}

#[test]
fn an_operators_own_descriptor_finds_the_abuse_in_a_pbx_that_nobody_else_has() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("our.toml"), OWN).unwrap();
    std::fs::write(folder.path().join("calls.txt"), calls()).unwrap();
    let done = scan(&folder, &["--format", "./our.toml", "calls.txt"]);
    let out = text(&done.stdout);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(
        out.contains("our_pbx") && out.contains("4 lines with calls or events, 1 without, 0 rejected"),
        "{out}"
    );
    assert!(out.contains("CRITICAL  extension 105: 4 calls"), "{out}");
}

#[test]
fn a_descriptor_that_is_wrong_is_told_all_its_faults_and_nothing_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let bad = OWN.replace("delimiter = \"|\"", "delimiter = \"||\"").replace("\"number\"\n", "\"no\"\n");
    std::fs::write(folder.path().join("our.toml"), bad).unwrap();
    std::fs::write(folder.path().join("calls.txt"), calls()).unwrap();
    let done = scan(&folder, &["--format", "our.toml", "calls.txt"]);
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("lines.delimiter:") && said.contains("fields.dialled:"), "{said}");
}

#[test]
fn dates_without_an_order_are_asked_for_and_read_as_the_operator_says() {
    let folder = tempfile::tempdir().unwrap();
    let row = |minute: u32| format!("8/3/26 3:{minute:02},105,010232221234567,40,32,ANSWERED\n");
    let rows: String = (0..4).map(row).collect();
    let export = format!("calldate,src,dst,duration,billsec,disposition\n{rows}");
    std::fs::write(folder.path().join("export.csv"), export).unwrap();
    let done = scan(&folder, &["export.csv"]);
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(
        said.contains("6 columns") && said.contains("freepbx_export") && said.contains("--date-order"),
        "{said}"
    );
    let done = scan(&folder, &["--date-order", "day-first", "--incidents", "incidents.jsonl", "export.csv"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let incidents = std::fs::read_to_string(folder.path().join("incidents.jsonl")).unwrap();
    // Three in the morning of the 8th of March in Japan.
    assert!(incidents.contains("\"first_call_at\":\"2026-03-07T18:00:00Z\""), "{incidents}");
}

/// Rules that need more than numbers and times.
const DEMANDING: &str = r#"
[[rules]]
name = "by_address"
scope = "source_address"
measure = "attempts"
destinations = "international"
thresholds = [{ window = "1h", warning = 5 }]

[[rules]]
name = "by_account"
scope = "account"
measure = "attempts"
destinations = "international"
thresholds = [{ window = "1h", warning = 5 }]

[[rules]]
name = "many_at_once"
measure = "concurrent_calls"
destinations = "international"
thresholds = [{ warning = 5 }]

[[rules]]
name = "forwarding"
measure = "attempts"
destinations = "forwarding"
thresholds = [{ window = "1h", warning = 1 }]
"#;

#[test]
fn rules_that_a_source_does_not_feed_are_named_by_check_and_by_scan() {
    // B12
    let folder = tempfile::tempdir().unwrap();
    let command = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_tollwatch"))
            .args(arguments)
            .current_dir(folder.path())
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", text(&done.stderr));
        text(&done.stdout)
    };
    let source = |format: &str| format!("[[sources]]\nfiles = [\"{format}*\"]\nformat = \"{format}\"\n");
    let config = |formats: &[&str]| {
        let sources: String = formats.iter().map(|format| source(format)).collect();
        std::fs::write(folder.path().join("c.toml"), format!("{sources}{DEMANDING}")).unwrap();
    };
    config(&["asterisk_cdr_csv"]);
    let said = command(&["check", "-c", "c.toml"]);
    assert!(
        said.contains(
            "by_address: never, since this needs source addresses, which asterisk_cdr_csv does not carry"
        ),
        "{said}"
    );
    assert!(said.contains("many_at_once: only once a call is over"), "{said}");
    assert!(!said.contains("by_account") && !said.contains("forwarding"), "{said}");
    let said = command(&["check", "-c", "c.toml", "--language", "ja"]);
    assert!(
        said.contains("by_address") && said.contains("発信元アドレス") && said.contains("作動しません"),
        "{said}"
    );
    // Live events of the same PBX make up for what records lack.
    config(&["asterisk_cdr_csv", "asterisk_cel_csv"]);
    let said = command(&["check", "-c", "c.toml"]);
    assert!(said.contains("by_address") && !said.contains("many_at_once"), "{said}");
    config(&["tollwatch_jsonl"]);
    assert!(!command(&["check", "-c", "c.toml"]).contains("do not feed"));
    config(&["freeswitch_cdr_csv"]);
    assert!(command(&["check", "-c", "c.toml"]).contains("forwarding: never"));

    // A scan knows the columns of the file at hand.
    let rows =
        "calldate,src,dst,duration,billsec,disposition\n2026-03-08 10:00:00,105,0355550100,40,32,ANSWERED\n";
    std::fs::write(folder.path().join("freepbx_export.csv"), rows).unwrap();
    config(&[]);
    let said = command(&["scan", "-c", "c.toml", "freepbx_export.csv"]);
    for rule in ["by_address: never", "by_account: never", "forwarding: never", "many_at_once: only once"] {
        assert!(said.contains(rule), "{rule}: {said}");
    }
    let rows = rows.replace("dst,", "dst,accountcode,").replace("0355550100,", "0355550100,sales,");
    std::fs::write(folder.path().join("freepbx_export.csv"), rows).unwrap();
    let said = command(&["scan", "-c", "c.toml", "--output", "json", "freepbx_export.csv"]);
    let document: serde_json::Value = serde_json::from_str(&said).unwrap();
    let lacking = document["summary"]["rules_without_data"].to_string();
    assert!(lacking.contains("source_addresses") && lacking.contains("by_address"), "{lacking}");
    assert!(!lacking.contains("by_account"), "{lacking}");
}

#[test]
fn every_format_has_its_row_where_operators_begin() {
    let page = std::fs::read_to_string(root().join("docs/getting-started.md")).unwrap();
    for format in tollwatch_cdr::Format::all() {
        assert!(page.contains(&format!("`{format}`")), "docs/getting-started.md does not name {format}");
    }
}
