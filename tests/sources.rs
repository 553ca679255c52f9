//! Which files are read in which way: zones, tenants, PBXs.
use crate::command_line::{file, text, tollwatch};
use crate::harness::captures;
use tollwatch_cdr::{EventTime, Zone};

/// A call to Sierra Leone that began at `epoch`, as a PBX in `zone` writes it.
fn call(epoch: i64, zone: &str, with_id: bool) -> String {
    let zone = Zone::parse(zone).unwrap();
    let civil = |at: i64| {
        let at = EventTime::from_seconds(at);
        at.plus_seconds(zone.offset_at(at)).to_string().replace('T', " ").replace('Z', "")
    };
    let id = if with_id { format!(",\"{epoch}.1\",\"\"") } else { String::new() };
    format!(
        "\"\",\"105\",\"010232221234567\",\"from-internal\",\"105\",\"PJSIP/105-{epoch:08x}\",\"PJSIP/trunk-{epoch:08x}\",\
         \"Dial\",\"PJSIP/010232221234567@trunk,30\",\"{}\",\"{}\",\"{}\",32,32,\"ANSWERED\",\"DOCUMENTATION\"{id}\n",
        civil(epoch),
        civil(epoch),
        civil(epoch + 32)
    )
}

/// Twelve calls, one a minute, from 03:00:14 in Tokyo on a Sunday.
const NIGHT: i64 = 1_772_906_414;
fn calls(zone: &str, with_id: bool) -> String {
    (0..12).map(|i| call(NIGHT + 60 * i, zone, with_id)).collect()
}

fn json(arguments: &[&str]) -> serde_json::Value {
    let done = tollwatch(&[&["scan", "--output", "json"], arguments].concat());
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", text(&done.stderr)))
}

fn began(report: &serde_json::Value) -> &str {
    report["incidents"][0]["first_call_at"].as_str().unwrap()
}

#[test]
fn records_of_another_zone_than_the_configured_one_are_warned_of_loudly_and_read_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let utc = file(&folder, "Master.csv", &calls("UTC", true));
    let done = tollwatch(&["scan", &utc]);
    assert!(done.status.success());
    let warned = text(&done.stderr);
    assert!(warned.contains("WARNING") && warned.contains("Master.csv"), "{warned}");
    assert!(warned.contains("12 of 12") && warned.contains("UTC+00:00"), "{warned}");
    assert!(
        warned.contains("timezone = \"UTC\"") && warned.contains("--timezone UTC"),
        "what to write: {warned}"
    );
    let told = text(&done.stdout);
    assert!(told.contains("TIME ZONE Asia/Tokyo IS NOT THAT OF THE RECORDS"), "{told}");
    let done = tollwatch(&["scan", "--language", "ja", &utc]);
    assert!(
        text(&done.stderr).contains("【警告】") && text(&done.stderr).contains("矛盾"),
        "{}",
        text(&done.stderr)
    );
    assert!(text(&done.stdout).contains("【要確認】"), "{}", text(&done.stdout));
    let report = json(&[&utc]);
    let check = &report["summary"]["files"][0]["timezone"]["check"];
    assert_eq!((&check["verdict"], &check["observed"]), (&"contradicts".into(), &"+00:00".into()), "{check}");
    assert_eq!(began(&report), "2026-03-07T09:00:14Z", "what was configured is done");

    let done = tollwatch(&["scan", "--timezone", "UTC", &utc]);
    assert_eq!(text(&done.stderr), "");
    assert!(text(&done.stdout).contains("time zone UTC; the ids agree (12 of 12 compared)"));
}

#[test]
fn the_warning_names_the_countrys_own_zone_where_that_fits() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "Master.csv", &calls("Europe/Berlin", true));
    let warned = text(&tollwatch(&["scan", "--country", "DE", "--timezone", "UTC", &path]).stderr);
    assert!(warned.contains("timezone = \"Europe/Berlin\""), "{warned}");
    let warned = text(&tollwatch(&["scan", &path]).stderr);
    assert!(warned.contains("timezone = \"+01:00\""), "{warned}");
}

#[test]
fn auto_takes_the_zone_that_the_records_tell() {
    let folder = tempfile::tempdir().unwrap();
    for (zone, country, expected) in [
        ("Asia/Tokyo", "JP", "Asia/Tokyo"),
        ("UTC", "JP", "UTC"),
        ("Asia/Kathmandu", "NP", "Asia/Kathmandu"),
        ("Asia/Kathmandu", "JP", "+05:45"),
        ("America/New_York", "US", "America/New_York"),
    ] {
        let path = file(&folder, "Master.csv", &calls(zone, true));
        let report = json(&["--timezone", "auto", "--country", country, &path]);
        let told = &report["summary"]["files"][0]["timezone"];
        assert_eq!((&told["name"], &told["auto"]), (&expected.into(), &true.into()), "{zone} {country}");
        assert_eq!(told["check"]["verdict"], "agrees", "{zone} {country}");
        assert_eq!(began(&report), "2026-03-07T18:00:14Z", "{zone} {country}");
    }
    // An empty log tells nothing, and needs no zone.
    let empty = file(&folder, "empty.csv", "");
    assert!(tollwatch(&["scan", "--timezone", "auto", &empty]).status.success());
}

#[test]
fn with_auto_the_business_hours_are_those_of_the_country_or_else_of_the_zone_that_was_found() {
    let folder = tempfile::tempdir().unwrap();
    // Ten in the morning in Berlin, a Monday, five in the morning in New York, six in the evening in Tokyo; and
    // ten in the morning in Tokyo.
    let (berlin, tokyo) = (1_773_046_800, 1_773_018_000);
    for (zone, country, monday, off_hours) in [
        ("Europe/Berlin", "DE", berlin, false),
        ("America/New_York", "US", berlin, true),
        ("UTC", "JP", berlin, false),
        ("UTC", "JP", tokyo, false),
        ("UTC", "US", tokyo, true),
    ] {
        let calls: Vec<String> = (0..12).map(|i| call(monday + 60 * i, zone, true)).collect();
        let path = file(&folder, "Master.csv", &calls.concat());
        let report = json(&["--timezone", "auto", "--country", country, &path]);
        let incidents = report["incidents"].as_array().unwrap();
        let found = incidents.iter().any(|incident| incident["rule"] == "off_hours_high_risk");
        assert_eq!(found, off_hours, "{zone} {country} {monday}");
    }
}

#[test]
fn auto_without_anything_to_go_by_is_an_error_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "Master.csv", &calls("Asia/Tokyo", false));
    let done = tollwatch(&["scan", "--timezone", "auto", &path]);
    assert_eq!(done.status.code(), Some(2));
    let told = text(&done.stderr);
    assert!(told.contains("no ids with a time") && told.contains("--timezone"), "{told}");
    assert!(told.contains("loguniqueid=yes"), "{told}");
    let done = tollwatch(&["scan", "--timezone", "auto", "--language", "ja", &path]);
    assert!(text(&done.stderr).contains("判定できません"), "{}", text(&done.stderr));
}

#[test]
fn files_of_several_tenants_and_pbxs_are_read_each_in_its_own_way() {
    let folder = tempfile::tempdir().unwrap();
    // The second PBX of the south uses the same channel names at the same time: other calls all the same.
    for (name, zone, with_id) in [
        ("north.csv", "Asia/Tokyo", false),
        ("south-1.csv", "America/Sao_Paulo", true),
        ("south-2.csv", "UTC", false),
        ("rest.csv", "Asia/Tokyo", false),
    ] {
        file(&folder, name, &calls(zone, with_id));
    }
    let config = file(
        &folder,
        "site.toml",
        "[[sources]]\nfiles = [\"north*\"]\ntenant = \"north\"\n\
         [[sources]]\nfiles = [\"./south-1.csv\"]\ntenant = \"south\"\ntimezone = \"auto\"\nsystem = \"one\"\n\
         [[sources]]\nfiles = [\"south-?.csv\"]\ntenant = \"south\"\ntimezone = \"UTC\"\nsystem = \"two\"\n",
    );
    let paths: Vec<String> = ["north.csv", "south-1.csv", "south-2.csv", "rest.csv"]
        .iter()
        .map(|name| folder.path().join(name).display().to_string())
        .collect();
    let mut arguments = vec!["-c", &config];
    arguments.extend(paths.iter().map(String::as_str));
    let report = json(&arguments);
    assert_eq!(report["summary"]["watched"], 48, "{:#}", report["summary"]);
    for (tenant, attempts) in [("north", 12), ("south", 24), ("default", 12)] {
        let incidents = report["incidents"].as_array().unwrap().iter();
        let of_tenant: Vec<_> = incidents.filter(|incident| incident["tenant"] == tenant).collect();
        assert!(
            of_tenant.iter().all(|incident| incident["first_call_at"] == "2026-03-07T18:00:14Z"),
            "{tenant}"
        );
        let most = of_tenant.iter().map(|incident| incident["attempts"].as_u64().unwrap()).max();
        assert_eq!(most, Some(attempts), "{tenant}");
    }
    let table = text(&tollwatch(&[&["scan"], arguments.as_slice()].concat()).stdout);
    assert!(table.contains("extension 105 of north: 12 calls"), "{table}");
    assert!(table.contains("extension 105 of south: 24 calls"), "{table}");
    // One system for both, and the second row of each channel is the first one read again.
    let joined = std::fs::read_to_string(&config).unwrap().replace("\"two\"", "\"one\"");
    std::fs::write(&config, joined).unwrap();
    assert_eq!(json(&arguments)["summary"]["watched"], 36);
    // What the command line says goes for all files.
    arguments.extend(["--timezone", "UTC"]);
    let report = json(&arguments);
    let zones = report["summary"]["files"].as_array().unwrap().iter().map(|file| &file["timezone"]["name"]);
    assert!(zones.into_iter().all(|zone| zone == "UTC"), "{report:#}");
}

#[test]
fn what_was_odd_is_counted_in_the_summary_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let good = call(NIGHT, "Asia/Tokyo", true);
    let content = [
        good,
        call(NIGHT + 60, "Asia/Tokyo", true).replacen("2026-03-08 03:01:14", "1970-01-01 00:00:07", 1),
        call(NIGHT + 120, "Asia/Tokyo", true).replace("\"ANSWERED\"", "\"NO ANSWER\""),
        call(NIGHT + 180, "Asia/Tokyo", true).replace("03:03:46", "09:03:46"),
    ]
    .concat();
    let path = file(&folder, "Master.csv", &content);
    let report = json(&[&path]);
    let expected = serde_json::json!({
        "untrusted_clock": 1, "answered_against_disposition": 1, "ended_by_duration": 1
    });
    assert_eq!(report["summary"]["files"][0]["odd"], expected);
    assert_eq!(report["summary"]["watched"], 4);
    let table = text(&tollwatch(&["scan", &path]).stdout);
    assert!(table.contains("1 × a clock that was not set"), "{table}");
    assert!(!table.contains("came twice"), "{table}");
    let table = text(&tollwatch(&["scan", "--language", "ja", &path]).stdout);
    assert!(table.contains("1 × PBX の時計が未設定"), "{table}");
}

#[test]
fn a_file_of_a_thousand_abused_extensions_shows_the_worst_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let content: String = (0..300)
        .flat_map(|i| (0..4).map(move |n| (i, n)))
        .map(|(i, n)| {
            let epoch = NIGHT + i * 4 + n;
            let extension = format!("{}", 1000 + i);
            call(epoch, "Asia/Tokyo", true)
                .replace("\"105\"", &format!("\"{extension}\""))
                .replace("/105-", &format!("/{extension}-"))
        })
        .collect();
    let path = file(&folder, "Master.csv", &content);
    let table = text(&tollwatch(&["scan", &path]).stdout);
    assert!(table.contains("300 extensions of default"), "{}", table.lines().count());
    assert!(table.contains("\n  extensions: 1000, 1001, 1002, "), "who has to be looked at is named");
    assert!(table.contains(", 1019, and 280 more\n"), "{}", table.lines().count());
    assert!(!table.contains("CRITICAL  extension"), "one storm speaks for all of them");
    let config = file(&folder, "apart.toml", "[detection]\nstorm_extensions = 100000\n");
    let table = text(&tollwatch(&["scan", "-c", &config, &path]).stdout);
    // The tenant itself is one of the hundred.
    assert_eq!(table.matches("CRITICAL  extension").count(), 99, "{}", table.lines().count());
    assert!(table.contains("\nand 201 more: --incidents FILE"), "{}", table.lines().count());
}

#[test]
fn captures_across_a_change_of_the_clock_tell_their_zone_by_themselves() {
    let Some(folder) = captures() else { return };
    for run in ["r8a-dst-fall-NY", "r8b-dst-spring-NY"] {
        let path = folder.join(run).join("cdr-csv/Master.csv").display().to_string();
        let report = json(&["--timezone", "auto", "--country", "US", &path]);
        let told = &report["summary"]["files"][0]["timezone"];
        assert_eq!(told["name"], "America/New_York", "{run}: {told}");
        assert_eq!(told["check"]["agreeing"], 10, "{run}: {told}");
    }
    let path = folder.join("r1-default/cdr-csv/Master.csv").display().to_string();
    let told = text(&tollwatch(&["scan", &path]).stdout);
    assert!(told.contains("whether that is right cannot be told: the records have no ids"), "{told}");
}
