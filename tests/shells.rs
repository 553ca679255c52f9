//! What other programs read of the command line: shells, `man`, editors.
use crate::command_line::{text, tollwatch};
use crate::harness::root;
use std::io::Write as _;
use std::process::{Command, Stdio};

const COMMANDS: [&str; 10] =
    ["scan", "run", "check", "alerts", "drill", "number", "formats", "schema", "completions", "man"];

/// Gives a program something to read; its status and what it complains of. None where there is no such program.
fn feed(program: &str, arguments: &[&str], input: &[u8]) -> Option<(bool, String)> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            println!("skipped: {program} is not there ({error})");
            return None;
        }
    };
    child.stdin.take().unwrap().write_all(input).unwrap();
    let done = child.wait_with_output().unwrap();
    Some((done.status.success(), text(&done.stderr)))
}

#[test]
fn every_shell_parses_its_completions_which_name_every_command() {
    for (shell, parse) in [
        ("bash", Some(["bash", "-n"])),
        ("zsh", Some(["zsh", "-n"])),
        ("fish", Some(["fish", "--no-execute"])),
        ("elvish", None),
        ("powershell", None),
    ] {
        let done = tollwatch(&["completions", shell]);
        assert!(done.status.success(), "{shell}: {}", text(&done.stderr));
        let script = text(&done.stdout);
        for command in COMMANDS {
            assert!(script.contains(command), "{shell} does not complete {command}");
        }
        if let Some([program, flag]) = parse
            && let Some((parsed, complaints)) = feed(program, &[flag], script.as_bytes())
        {
            assert!(parsed && complaints.is_empty(), "{shell}: {complaints}");
        }
    }
    // What is there everywhere where this is built must not be left out.
    assert!(feed("bash", &["-c", "cat >/dev/null"], b"").is_some());
}

#[test]
fn bash_completes_commands_and_flags() {
    let script = text(&tollwatch(&["completions", "bash"]).stdout);
    let complete = |words: &str, last: usize| {
        let ask = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD={last}; _tollwatch tollwatch \"${{COMP_WORDS[{last}]}}\" x\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let done = Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
        assert!(done.status.success(), "{}", text(&done.stderr));
        text(&done.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete("tollwatch dr", 1), ["drill"]);
    assert_eq!(complete("tollwatch scan --quar", 2), ["--quarantine"]);
    assert_eq!(complete("tollwatch alerts r", 2), ["retry"]);
}

#[test]
fn every_command_has_a_manual_page_without_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let done = tollwatch(&["man", "--output", &folder.path().display().to_string()]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let mut pages: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    pages.sort();
    let mut expected: Vec<String> = COMMANDS.iter().map(|command| format!("tollwatch-{command}.1")).collect();
    expected.push("tollwatch.1".to_owned());
    expected.sort();
    assert_eq!(pages, expected);
    for name in &pages {
        let page = std::fs::read(folder.path().join(name)).unwrap();
        if let Some((_, complaints)) = feed("mandoc", &["-Tlint", "-Werror"], &page) {
            assert_eq!(complaints, "", "{name}");
        }
        if let Some((formatted, complaints)) = feed("groff", &["-man", "-Tutf8", "-ww", "-Kutf8"], &page) {
            assert!(formatted && complaints.is_empty(), "{name}: {complaints}");
        }
    }
    let whole = text(&tollwatch(&["man"]).stdout);
    assert_eq!(whole, std::fs::read_to_string(folder.path().join("tollwatch.1")).unwrap());
    assert!(whole.contains(".TH") && whole.contains("EXIT STATUS"), "{whole}");
    let one = text(&tollwatch(&["man", "drill"]).stdout);
    assert!(one.contains("tollwatch\\-drill") || one.contains("tollwatch-drill"), "{one}");
    let none = tollwatch(&["man", "nothing"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).contains("there is no command `nothing`"), "{}", text(&none.stderr));
}

/// Paths of a schema at which a file of these keys is not what the schema asks for.
fn missing(
    schema: &serde_json::Value,
    of: &serde_json::Value,
    file: &toml::Value,
    place: &str,
) -> Vec<String> {
    let mut of = of;
    while let Some(name) = of["$ref"].as_str() {
        of = &schema["$defs"][name.strip_prefix("#/$defs/").unwrap()];
    }
    let Some(table) = file.as_table() else { return Vec::new() };
    let required = of["required"].as_array().into_iter().flatten().filter_map(|name| name.as_str());
    let mut missing: Vec<String> =
        required.filter(|name| !table.contains_key(*name)).map(|name| format!("{place}.{name}")).collect();
    for (key, value) in table {
        match of["properties"].get(key) {
            Some(below) => missing.extend(self::missing(schema, below, value, &format!("{place}.{key}"))),
            None => missing.push(format!("{place}.{key} is unknown")),
        }
    }
    missing
}

#[test]
fn an_editor_takes_a_configuration_that_leaves_out_what_has_a_default() {
    let schema: serde_json::Value =
        serde_json::from_slice(&std::fs::read(root().join("schemas/config.json")).unwrap()).unwrap();
    for file in [
        "",
        "[site]\ntimezone = \"UTC\"\n",
        "[service]\nstate = \"state\"\n[http]\nenabled = false\n[rates]\ncurrency = \"USD\"\n",
        "[detection]\nshort_call = \"10s\"\n[limits]\nkeys = 5000\n[business_hours]\nfrom = \"09:00\"\n[text]\n[dial_plan]\n",
    ] {
        tollwatch::Config::from_text(file, "test.toml", None, &tollwatch::Overrides::default()).unwrap();
        assert_eq!(
            missing(&schema, &schema, &file.parse::<toml::Table>().unwrap().into(), ""),
            [""; 0],
            "{file}"
        );
    }
    // What a list holds has no defaults.
    assert_eq!(
        schema["$defs"]["RawRule"]["required"],
        serde_json::json!(["name", "measure", "destinations", "thresholds"])
    );
}
