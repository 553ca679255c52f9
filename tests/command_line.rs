//! The command as people and programs call it.
use crate::harness::root;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

pub(crate) fn tollwatch(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tollwatch"))
        .args(arguments)
        .current_dir(root())
        .env("LC_ALL", "C")
        .output()
        .unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A row as Asterisk writes it; `second` tells its time and its channels apart.
pub(crate) fn row(second: u32, dialled: &str, seconds: u32) -> String {
    let at = |offset: u32| {
        let s = second + offset;
        format!("2026-03-08 03:{:02}:{:02}", s / 60, s % 60)
    };
    format!(
        "\"\",\"105\",\"{dialled}\",\"from-internal\",\"\"\"Doe, J\"\" <105>\",\"PJSIP/105-{second:08x}\",\"PJSIP/trunk-{second:08x}\",\
         \"Dial\",\"PJSIP/{dialled}@trunk,30\",\"{}\",\"{}\",\"{}\",{seconds},{seconds},\"ANSWERED\",\"DOCUMENTATION\",\"17729064{second:02}.1\",\"\"\n",
        at(0),
        at(0),
        at(seconds)
    )
}

pub(crate) fn file(folder: &tempfile::TempDir, name: &str, content: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.display().to_string()
}

#[test]
fn a_scan_says_who_is_abused_and_what_it_has_cost() {
    let folder = tempfile::tempdir().unwrap();
    let calls: String = (0..4).map(|i| row(i * 70, "010232221234567", 32)).collect();
    let file = file(&folder, "Master.csv", &calls);
    let done = tollwatch(&["scan", &file]);
    let out = text(&done.stdout);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(out.contains("CRITICAL  extension 105: 4 calls, 700.00 JPY, to Sierra Leone"), "{out}");
    assert!(out.contains("4 lines with calls or events, 0 without, 0 rejected"), "{out}");
    assert!(out.contains("now: hang up its calls, change its SIP password"), "what to do: {out}");
}

#[test]
fn japanese_readers_get_japanese() {
    let folder = tempfile::tempdir().unwrap();
    let calls: String = (0..4).map(|i| row(i * 70, "010232221234567", 32)).collect();
    let file = file(&folder, "Master.csv", &calls);
    let out = text(&tollwatch(&["scan", "--language", "ja", &file]).stdout);
    assert!(out.contains("【緊急】  内線 105: 4 通話、700.00 JPY、宛先 シエラレオネ"), "{out}");
    assert!(out.contains("対処: 通話を切断し"), "{out}");
}

#[test]
fn standard_input_is_a_file_too_and_incidents_are_a_line_each() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("incidents.jsonl");
    let mut child = Command::new(env!("CARGO_BIN_EXE_tollwatch"))
        .args(["scan", "--incidents", &out.display().to_string(), "--exit-code", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let calls: String = (0..4).map(|i| row(i * 70, "010232221234567", 32)).collect();
    child.stdin.take().unwrap().write_all(calls.as_bytes()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "--exit-code says that there are incidents");
    let lines = std::fs::read_to_string(out).unwrap();
    let schema: serde_json::Value =
        serde_json::from_slice(&std::fs::read(root().join("schemas/incident.v1.json")).unwrap()).unwrap();
    for line in lines.lines() {
        let incident: serde_json::Value = serde_json::from_str(line).unwrap();
        for required in schema["required"].as_array().unwrap() {
            assert!(incident.get(required.as_str().unwrap()).is_some(), "{required} is missing in {line}");
        }
    }
    assert!(lines.lines().count() >= 2, "{lines}");
}

#[test]
fn a_file_without_incidents_gives_an_empty_list_and_status_zero() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("incidents.jsonl");
    let file = file(&folder, "Master.csv", &row(0, "0355550100", 60));
    let done = tollwatch(&["scan", "--exit-code", "--incidents", &out.display().to_string(), &file]);
    assert_eq!(done.status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(out).unwrap(), "");
}

#[test]
fn an_empty_file_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let empty = file(&folder, "Master.csv", "");
    let full = file(&folder, "Master.csv.1", &row(0, "0355550100", 60));
    let done = tollwatch(&["scan", &empty, &full]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("1 call records"), "{}", text(&done.stdout));
}

#[test]
fn one_bad_record_is_named_with_its_place_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bad =
        row(5, "010232221234567", 32).replace("2026-03-08 03:00:05\",\"2026", "2026-13-08 03:00:05\",\"2026");
    let content = format!("{}{bad}{}", row(0, "010232221234567", 32), row(70, "010232221234567", 32));
    let file = file(&folder, "Master.csv", &content);
    let done = tollwatch(&["scan", "--output", "json", &file]);
    assert!(done.status.success());
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let told = &report["summary"]["files"][0];
    assert_eq!(told["records"], 2, "{told:#}");
    assert_eq!(told["rejects"][0]["line"], 2, "{told:#}");
    assert_eq!(told["rejects"][0]["name"], "start", "{told:#}");
    assert_eq!(report["summary"]["watched"], 2);
}

#[test]
fn numbers_that_nobody_can_read_are_shown_without_their_tail() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(&folder, "Master.csv", &row(0, "55512345678901234567", 60));
    let shown = text(&tollwatch(&["scan", &file]).stdout);
    assert!(shown.contains("5551234567890123****"), "{shown}");
    assert!(!shown.contains("4567 "), "{shown}");
    let full = text(&tollwatch(&["scan", "--show-numbers", &file]).stdout);
    assert!(full.contains("55512345678901234567"), "{full}");
}

#[test]
fn what_cannot_be_used_is_said_with_status_two() {
    let folder = tempfile::tempdir().unwrap();
    let letter = file(&folder, "letter.txt", "Dear Sir or Madam,\nplease find enclosed.\n");
    for arguments in [
        vec!["scan", "no-such-file.csv"],
        vec!["scan", &letter],
        vec!["scan", "--format", "morse", &letter],
        vec!["scan", "--timezone", "Tokyo", &letter],
        vec!["scan", "--incidents", "/nowhere/at/all.jsonl", &letter],
        vec!["scan", "--country", "DE", &letter],
        vec!["check", "-c", "no-such.toml"],
        vec!["frobnicate"],
    ] {
        let done = tollwatch(&arguments);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}");
        assert!(!done.stderr.is_empty(), "{arguments:?} says nothing");
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_named_with_the_cause() {
    let told = text(&tollwatch(&["scan", "no-such-file.csv"]).stderr);
    assert!(told.contains("no-such-file.csv") && told.contains("No such file"), "{told}");
}

#[test]
fn all_faults_of_a_configuration_are_told_at_once_with_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let config = file(
        &folder,
        "bad.toml",
        "language = \"fr\"\n[site]\ntimezone = \"Mars\"\n[dial_plan]\nextension_digits_max = 0\n[sites]\n\
         [[rules]]\nname = \"a\"\nmeasure = \"attempts\"\ndestinations = \"high_risk\"\n\
         thresholds = [{ window = \"soon\", warning = 1 }]\n[[rules]]\nname = \"b\"\nmeasure = \"guesses\"\n",
    );
    let done = tollwatch(&["check", "-c", &config]);
    let told = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2));
    for place in [
        ":1: language:",
        ":3: site.timezone:",
        ":5: dial_plan.extension_digits_max",
        ":6: sites:",
        ":11: rules[0].thresholds[0].window:",
        ":12: rules[1]",
    ] {
        assert!(told.contains(place), "{place} is not in\n{told}");
    }
}

#[test]
fn the_embedded_configuration_is_good_and_complete() {
    let done = tollwatch(&["check"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("33 rules"), "{}", text(&done.stdout));
    assert!(tollwatch(&["check", "-c", "config/tollwatch.toml"]).status.success());
}

#[test]
fn a_rate_counts_from_its_day_on_and_in_its_own_currency() {
    let folder = tempfile::tempdir().unwrap();
    file(
        &folder,
        "deck.csv",
        "prefix,description,rate,effective_date,currency\n232,Sierra Leone,100,2020-01-01,JPY\n\
         232,Sierra Leone,900,2999-01-01,JPY\n",
    );
    let rate = |rates: &str| {
        let config = file(&folder, "site.toml", &format!("[rates]\ndeck = \"deck.csv\"\n{rates}"));
        tollwatch(&["number", "-c", &config, "010232221234567"])
    };
    let now = text(&rate("").stdout);
    assert!(now.contains("100.00 JPY a minute"), "{now}");
    let later = text(&rate("effective_on = \"2999-02-01\"\n").stdout);
    assert!(later.contains("900.00 JPY a minute"), "{later}");
    let other = text(&rate("currency = \"EUR\"\n").stderr);
    assert!(other.contains("its rates are in JPY"), "{other}");
    let never = text(&rate("effective_on = \"soon\"\n").stderr);
    assert!(never.contains("rates.effective_on"), "{never}");
}

#[test]
fn a_deck_that_is_odd_in_every_row_is_warned_of_in_a_few_lines() {
    let folder = tempfile::tempdir().unwrap();
    // Prefixes that no country has.
    let rows: Vec<String> = (0..30).map(|i| format!("999{i:02},Nowhere,100\n")).collect();
    file(&folder, "deck.csv", &format!("prefix,description,rate\n232,Sierra Leone,100\n{}", rows.concat()));
    let config = file(&folder, "site.toml", "[rates]\ndeck = \"deck.csv\"\n");
    let warned = text(&tollwatch(&["check", "-c", &config]).stderr);
    assert_eq!(warned.lines().count(), 11, "{warned}");
    assert!(warned.ends_with("warning: and 20 more\n"), "{warned}");
}

#[test]
fn a_number_is_explained_step_by_step() {
    let out =
        text(&tollwatch(&["number", "9010224622123456", "0112345678", "0112246555000011", "110"]).stdout);
    assert!(out.contains("9010224622123456 → +224622123456"), "{out}");
    assert!(out.contains("0112345678 → +81112345678"), "{out}");
    assert!(out.contains("0112246555000011 → +2246555000011"), "{out}");
    assert!(out.contains("Guinea GN, risk tier 1"), "{out}");
    assert!(out.contains("high_risk_burst"), "{out}");
    assert!(out.contains("110 → —  emergency"), "{out}");
}

#[test]
fn a_code_that_forwards_an_extension_abroad_is_watched_and_explained() {
    let code = "*21*00224655500001#";
    let explained = text(&tollwatch(&["number", code]).stdout);
    assert!(explained.contains("rules: forwarding_abroad, forwarding_abroad_off_hours"), "{explained}");
    let folder = tempfile::tempdir().unwrap();
    let row = |dialled: &str| {
        format!(
            r#""","105","{dialled}","from-internal","""A"" <105>","PJSIP/105-00000006","","Playback","beep","2026-03-08 03:00:18","2026-03-08 03:00:19","2026-03-08 03:00:22",3,3,"ANSWERED","DOCUMENTATION""#
        )
    };
    let scanned = |dialled| {
        let path = file(&folder, "Master.csv", &row(dialled));
        text(&tollwatch(&["scan", &path]).stdout)
    };
    let table = scanned(code);
    assert!(table.contains("CRITICAL  extension 105"), "{table}");
    assert!(table.contains("forwarding_abroad_off_hours"), "{table}");
    let at_home = scanned("*21*0355550100#");
    assert!(at_home.contains("No incidents."), "{at_home}");
}

#[test]
fn every_format_that_is_read_is_explained() {
    let list = text(&tollwatch(&["formats"]).stdout);
    for name in ["asterisk_cdr_csv", "asterisk_cdr_custom", "asterisk_cel_csv"] {
        assert!(list.contains(name), "{list}");
        let one = text(&tollwatch(&["formats", name]).stdout);
        assert!(one.contains(".conf"), "{one}");
    }
    assert_eq!(tollwatch(&["formats", "telepathy"]).status.code(), Some(2));
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tollwatch"))
        .args(["schema", "config"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert!(!text(&done.stderr).contains("panicked"), "{}", text(&done.stderr));
}

#[test]
fn a_configuration_whose_secrets_cannot_be_read_is_no_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let content = "[site]\ntimezone = \"Asia/Tokyo\"\n[[sources]]\nname = \"pbx\"\nfollow = \"Master.csv\"\n\
                [[notifiers]]\nname = \"chat\"\ntype = \"slack\"\nurl_file = \"slack.url\"\n\
                [http]\ntoken_file = \"token\"\n";
    let config = file(&folder, "tollwatch.toml", content);
    let done = tollwatch(&["check", "-c", &config]);
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains(":9: notifiers[0].url_file") && said.contains("slack.url"), "{said}");
    assert!(said.contains(":10: http: cannot read") && said.contains("token"), "{said}");
    file(&folder, "slack.url", "https://hooks.slack.com/services/T/B/x");
    file(&folder, "token", "a-token-for-tests-0123456789");
    let done = tollwatch(&["check", "-c", &config]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let said = text(&done.stdout);
    assert!(said.contains("`tollwatch run` follows pbx and tells chat (slack)."), "{said}");
}

#[test]
fn whoever_would_be_told_of_nothing_is_warned_and_no_configuration_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let config = file(&folder, "tollwatch.toml", "[[sources]]\nfollow = \"Master.csv\"\n");
    let done = tollwatch(&["check", "-c", &config]);
    assert!(done.status.success());
    let said = text(&done.stderr);
    assert!(said.contains("tells nobody of anything"), "{said}");
    let none = tollwatch(&["run"]);
    assert_eq!(none.status.code(), Some(78));
    assert!(text(&none.stderr).contains("give it with -c FILE"), "{}", text(&none.stderr));
}

#[test]
fn every_configuration_in_the_docs_is_a_good_one() {
    let mut blocks = 0;
    for page in
        ["README.md", "docs/service.md", "docs/notifiers.md", "docs/rules.md", "docs/getting-started.md"]
    {
        let page_text = std::fs::read_to_string(root().join(page)).unwrap();
        for block in page_text.split("```toml\n").skip(1).filter_map(|block| block.split("```").next()) {
            blocks += 1;
            let checked = tollwatch::Config::from_text(block, page, None, &tollwatch::Overrides::default());
            assert!(checked.is_ok(), "{page}: {:?}", checked.err());
        }
    }
    assert!(blocks >= 3, "{blocks}");
}
