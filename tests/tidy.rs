//! The architecture, held by a test: who may know whom, and that what is generated is current.
use crate::harness::root;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Which tollwatch crates a crate may know. The pure ones know no IO crate at all.
fn allowed(name: &str) -> &'static [&'static str] {
    match name {
        "stats" => &["cdr", "numbering"],
        "detect" => &["cdr", "numbering", "stats"],
        "tollwatch" => &["cdr", "numbering", "stats", "detect", "source", "notify", "http", "store"],
        "notify" | "http" => &["detect"],
        _ => &[],
    }
}

/// Crates that do IO, wait, or ask the machine: never under a pure crate.
const IO: [&str; 12] = [
    "tokio",
    "mio",
    "notify",
    "reqwest",
    "hyper",
    "rdkafka",
    "polars",
    "prometheus",
    "tracing",
    "log",
    "indicatif",
    "rand",
];

fn dependencies(manifest: &str) -> BTreeSet<String> {
    let table: toml::Table = manifest.parse().unwrap();
    table
        .get("dependencies")
        .and_then(|d| d.as_table())
        .map(|d| d.keys().cloned().collect())
        .unwrap_or_default()
}

fn crates() -> BTreeMap<String, BTreeSet<String>> {
    let mut crates = BTreeMap::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        crates.insert(name, dependencies(&fs::read_to_string(path.join("Cargo.toml")).unwrap()));
    }
    crates
}

#[test]
fn a_crate_knows_only_the_crates_below_it() {
    for (name, dependencies) in crates() {
        for known in dependencies.iter().filter_map(|d| d.strip_prefix("tollwatch-")) {
            assert!(allowed(&name).contains(&known), "{name} must not know {known}");
        }
        let pure = ["cdr", "numbering", "stats", "detect"].contains(&name.as_str());
        for io in IO.into_iter().filter(|_| pure) {
            assert!(!dependencies.contains(io), "{name} is pure and must not know {io}");
        }
    }
}

#[test]
fn pure_crates_touch_no_file_socket_clock_or_environment() {
    let forbidden = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant",
        "Utc::now",
    ];
    for name in ["cdr", "numbering", "stats", "detect"] {
        for file in sources(&root().join("crates").join(name).join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            // Unit tests stand at the end of a file and may read what lies beside the repository.
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in forbidden {
                assert!(!code.contains(word), "{} uses {word}", file.display());
            }
        }
    }
}

fn sources(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("src/asterisk/cel/tests") {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn the_architecture_page_names_every_crate_and_none_that_is_gone() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for name in crates().keys() {
        assert!(page.contains(&format!("crates/{name}")), "ARCHITECTURE.md does not name crates/{name}");
    }
    for named in page.split("crates/").skip(1) {
        let name: String = named.chars().take_while(char::is_ascii_alphanumeric).collect();
        assert!(
            name.is_empty() || crates().contains_key(&name),
            "ARCHITECTURE.md names crates/{name}, which is gone"
        );
    }
}

#[test]
fn every_rule_has_its_reasons_in_the_docs() {
    let page = fs::read_to_string(root().join("docs/rules.md")).unwrap();
    for rule in crate::harness::settings().rules() {
        assert!(page.contains(&format!("`{}`", rule.name)), "docs/rules.md does not explain {}", rule.name);
    }
}

#[test]
fn the_schemas_are_those_that_the_program_prints() {
    for (of, file) in [
        ("alert", "schemas/alert.v1.json"),
        ("incident", "schemas/incident.v1.json"),
        ("config", "schemas/config.json"),
        ("cdr", "schemas/cdr.v1.json"),
        ("call-event", "schemas/call-event.v1.json"),
        ("format-descriptor", "schemas/format-descriptor.v1.json"),
        ("quarantine", "schemas/quarantine.v1.json"),
        ("openapi", "schemas/openapi.v1.json"),
    ] {
        let printed = std::process::Command::new(env!("CARGO_BIN_EXE_tollwatch"))
            .args(["schema", of])
            .output()
            .unwrap();
        let printed = String::from_utf8(printed.stdout).unwrap();
        let path = root().join(file);
        if std::env::var_os("TOLLWATCH_BLESS").is_some() {
            fs::write(&path, &printed).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(kept, printed, "run `TOLLWATCH_BLESS=1 cargo test` and look at what changed in {file}");
    }
}

#[test]
fn no_source_file_is_longer_than_five_hundred_lines() {
    for folder in ["crates", "tests", "benches"] {
        for file in sources(&root().join(folder)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 500, "{} has {lines} lines; split it", file.display());
        }
    }
}
