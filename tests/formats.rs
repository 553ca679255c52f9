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

#[test]
fn every_format_has_its_row_where_operators_begin() {
    let page = std::fs::read_to_string(root().join("docs/getting-started.md")).unwrap();
    for format in tollwatch_cdr::Format::all() {
        assert!(page.contains(&format!("`{format}`")), "docs/getting-started.md does not name {format}");
    }
}
