//! `scan --quarantine`: what could not be read is kept, byte for byte.
use crate::command_line::{file, row, text, tollwatch};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Good and bad rows in turn; the bad ones, by themselves, behind them.
fn damaged() -> (Vec<u8>, Vec<u8>) {
    let good = row(0, "0355550100", 60);
    let bad: [Vec<u8>; 5] = [
        b"\"\",\"105\"\n".to_vec(),
        row(1, "0355550100", 60).replace("2026-03-08 03:00:01", "2026-13-08 03:00:01").into_bytes(),
        // A caller's name in another encoding, and no clock.
        [
            b"\"\",\"105\",\"0355550100\",\"x\",\"Jos\xe9\",\"PJSIP/105-1\",\"PJSIP/trunk-1\",\"Dial\",\"\","
                .to_vec(),
            b"\"1970-01-01 00:00:01\",,\"1970-01-01 00:00:09\",8,0,\"NO ANSWER\",\"DOCUMENTATION\"\r\n"
                .to_vec(),
        ]
        .concat(),
        row(2, "0355550100", 60).replace(",60,60,", ",sixty,60,").into_bytes(),
        // The last line was being written.
        b"\"\",\"105\",\"03555".to_vec(),
    ];
    let mut input = Vec::new();
    for bad in &bad {
        input.extend_from_slice(good.as_bytes());
        input.extend_from_slice(bad);
    }
    (input, bad.concat())
}

fn kept(path: &Path) -> (Vec<serde_json::Value>, Vec<u8>) {
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut bytes = Vec::new();
    for line in &lines {
        match (line["bytes"].as_str(), line["bytes_base64"].as_str()) {
            (Some(text), None) => bytes.extend_from_slice(text.as_bytes()),
            (None, Some(coded)) => bytes.extend(BASE64_STANDARD.decode(coded).unwrap()),
            _ => panic!("either is there: {line}"),
        }
    }
    (lines, bytes)
}

#[test]
fn the_bytes_of_the_quarantine_are_exactly_the_rejected_ones() {
    let folder = tempfile::tempdir().unwrap();
    let (input, bad) = damaged();
    let path = folder.path().join("Master.csv");
    std::fs::write(&path, &input).unwrap();
    let quarantine = folder.path().join("q.jsonl");
    // It was there before, and anybody could read it.
    std::fs::write(&quarantine, "older\n".repeat(1000)).unwrap();
    let done =
        tollwatch(&["scan", "--quarantine", &quarantine.display().to_string(), &path.display().to_string()]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let told = text(&done.stdout);
    assert!(told.contains("5 rejected records are kept in"), "{told}");
    let (lines, bytes) = kept(&quarantine);
    assert_eq!(bytes, bad);
    for line in &lines {
        let at = line["byte"].as_u64().unwrap() as usize;
        let written =
            line["bytes"].as_str().map_or(&b"\"\",\"105\",\"0355550100\",\"x\",\"Jos\xe9"[..], str::as_bytes);
        assert!(input[at..].starts_with(written), "{line}");
        assert_eq!(line["file"], path.display().to_string(), "{line}");
        assert_eq!(line["format"], "asterisk_cdr_csv", "{line}");
        assert!(!line["hint"].as_str().unwrap().is_empty(), "{line}");
    }
    assert_eq!(lines[1]["field"], serde_json::json!({ "number": 10, "name": "start" }));
    assert_eq!(lines[1]["line"], 4);
    assert_eq!(lines[2]["reason"], "no usable time: the clock of the PBX was not set");
    assert!(lines[2]["bytes_base64"].is_string(), "{}", lines[2]);
    let schema = std::fs::read(crate::harness::root().join("schemas/quarantine.v1.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&schema).unwrap();
    for line in &lines {
        for required in schema["required"].as_array().unwrap() {
            assert!(line.get(required.as_str().unwrap()).is_some(), "{required} is missing in {line}");
        }
        for name in line.as_object().unwrap().keys() {
            assert!(schema["properties"].get(name).is_some(), "{name} is not in the schema");
        }
    }
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&quarantine).unwrap());
        assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    }
}

#[test]
fn what_is_rejected_of_several_files_and_of_a_pipe_is_kept_too() {
    let folder = tempfile::tempdir().unwrap();
    let (input, bad) = damaged();
    let path = folder.path().join("Master.csv");
    std::fs::write(&path, &input).unwrap();
    let quarantine = folder.path().join("q.jsonl");
    let mut child = Command::new(env!("CARGO_BIN_EXE_tollwatch"))
        .args(["scan", "--output", "json", "--quarantine"])
        .args([&quarantine, &path, Path::new("-")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let done = child.wait_with_output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["summary"]["quarantined"], 10, "{report:#}");
    let (lines, _) = kept(&quarantine);
    for name in [path.display().to_string(), "-".to_owned()] {
        let of_file = lines.iter().filter(|line| line["file"] == name.as_str());
        let bytes: Vec<u8> = of_file
            .flat_map(|line| match line["bytes"].as_str() {
                Some(text) => text.as_bytes().to_vec(),
                None => BASE64_STANDARD.decode(line["bytes_base64"].as_str().unwrap()).unwrap(),
            })
            .collect();
        assert_eq!(bytes, bad, "{name}");
    }
}

#[test]
fn no_output_overwrites_an_input_or_another_output() {
    let folder = tempfile::tempdir().unwrap();
    let content = row(0, "0355550100", 60);
    let input = file(&folder, "Master.csv", &content);
    let again = folder.path().join("again.csv");
    std::fs::hard_link(&input, &again).unwrap();
    let config = file(&folder, "site.toml", "");
    let (again, out) = (again.display().to_string(), folder.path().join("out").display().to_string());
    for outputs in [
        ["--quarantine", &input, "--incidents", &out],
        ["--quarantine", &again, "--incidents", &out],
        ["--quarantine", &out, "--incidents", &again],
        ["--quarantine", &out, "--incidents", &out],
        ["--quarantine", &config, "--incidents", &out],
        ["--quarantine", "/nowhere/at/all", "--incidents", &out],
    ] {
        let done = tollwatch(&[&["scan", "-c", &config][..], &outputs, &[&input]].concat());
        assert_eq!(done.status.code(), Some(2), "{outputs:?}");
        assert_eq!(std::fs::read_to_string(&input).unwrap(), content, "{outputs:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_quarantine_that_cannot_be_written_spoils_no_report_and_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Master.csv");
    std::fs::write(&path, damaged().0).unwrap();
    let done = tollwatch(&["scan", "--quarantine", "/dev/full", &path.display().to_string()]);
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stdout).contains("5 call records"), "{}", text(&done.stdout));
    assert!(text(&done.stderr).contains("--quarantine /dev/full: No space left"), "{}", text(&done.stderr));
}

#[test]
fn a_scan_with_rejected_records_says_how_to_keep_them() {
    let folder = tempfile::tempdir().unwrap();
    let good = row(0, "0355550100", 60);
    let bad = file(&folder, "bad.csv", &format!("{good}{good}\"\",\"105\"\n"));
    let told = text(&tollwatch(&["scan", &bad]).stdout);
    assert!(told.contains("1 records were rejected; --quarantine FILE"), "{told}");
    let told = text(&tollwatch(&["scan", "--language", "ja", &bad]).stdout);
    assert!(told.contains("--quarantine FILE を指定すると"), "{told}");
    let good = file(&folder, "good.csv", &good);
    let told = text(&tollwatch(&["scan", &good]).stdout);
    assert!(!told.contains("quarantine"), "{told}");
}

#[test]
fn a_file_of_any_damage_has_a_report_that_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let damage: Vec<String> =
        (1..200).map(|width| "x,".repeat(width % 14 + 22 * (width % 90)) + "\n").collect();
    let damage = damage.concat();
    let path = file(&folder, "Master.csv", &format!("{}{damage}", row(0, "0355550100", 60)));
    let told = text(&tollwatch(&["scan", "--format", "asterisk_cdr_csv", &path]).stdout);
    assert!(told.lines().count() < 40, "{told}");
    assert_eq!(told.matches("\n    and ").count(), 2, "more reasons and more records: {told}");
}
