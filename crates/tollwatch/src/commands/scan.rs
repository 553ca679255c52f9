//! `tollwatch scan`: files to incidents, once.
use super::outputs::Outputs;
use super::report;
use crate::cli::{Output, ScanArgs, UNUSABLE};
use crate::config::Config;
use crate::scan::{Quarantine, ScanError, Scanner, with_causes};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::ExitCode;
use tollwatch_cdr::{DateOrder, Format};

pub(crate) fn run(arguments: &ScanArgs) -> anyhow::Result<ExitCode> {
    let Config { language, mut sources, mut settings, mut tenants, .. } =
        match super::config(&arguments.config) {
            Ok(config) => config,
            Err(code) => return Ok(code),
        };
    if let Some(format) = format(&arguments.format, language)? {
        sources = sources.in_format(format);
    }
    // The files are made before anything is read: a scan of an hour must not end in "no such directory".
    let mut outputs = Outputs::new(arguments.files.iter().chain(&arguments.config.config));
    let mut incidents = match &arguments.incidents {
        Some(path) => Some(BufWriter::new(outputs.create("--incidents", path, language)?)),
        None => None,
    };
    let site_zone = sources.site_zone();
    let country = sources.country().to_owned();
    let mut scanner = Scanner::new(sources).with_date_order(arguments.date_order.map(DateOrder::from));
    if let Some(path) = &arguments.quarantine {
        let file = outputs.create_private("--quarantine", path, language)?;
        scanner.keep_rejected(Quarantine::new(path, file, language));
    }
    let mut unusable = false;
    for file in &arguments.files {
        if let Err(error) = scanner.open(file) {
            unusable = true;
            eprintln!("tollwatch: {}", in_words(&error, language));
        }
    }
    if unusable {
        return Ok(ExitCode::from(UNUSABLE));
    }
    if let Some(zone) = site_zone.is_none().then(|| scanner.found_zone()).flatten() {
        settings.set_zone(zone);
        for tenant in tenants.iter_mut().filter(|tenant| !tenant.has_zone) {
            tenant.settings.set_zone(zone);
        }
    }
    let mut engine = Config::engine(settings, tenants);
    let bar = progress_bar(scanner.size());
    let mut read = scanner.run(&mut engine, &mut |reading| bar.set_position(reading.bytes));
    bar.finish_and_clear();
    for warning in read.files.iter().filter_map(|file| report::contradiction(file, &country, language)) {
        eprintln!("{}{warning}", language.pick("WARNING: ", "【警告】"));
    }
    // Whatever becomes of the evidence, the report is shown.
    let kept = read.quarantine.as_mut().map_or(Ok(()), |quarantine| {
        quarantine.finish().with_context(|| format!("--quarantine {}", quarantine.path().display()))
    });
    let all = engine.incidents();
    let found = report::Found { engine: &engine, incidents: &all };
    if let Some(out) = &mut incidents {
        for incident in found.on_the_wire() {
            serde_json::to_writer(&mut *out, &incident)?;
            out.write_all(b"\n")?;
        }
        out.flush()?;
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    match arguments.output {
        Output::Table => report::table(&mut out, &engine, &read, language, arguments.show_numbers)?,
        Output::Json => report::json(&mut out, found, &read, language, arguments.show_numbers)?,
    }
    out.flush()?;
    kept?;
    let failed = read.files.iter().any(|file| file.error.is_some());
    let has_found = !all.is_empty();
    // The process ends here: taking apart call by call what the engine remembers would be for nothing.
    std::mem::forget((engine, all));
    Ok(match (failed, arguments.exit_code && has_found) {
        (true, _) => ExitCode::from(UNUSABLE),
        (false, true) => ExitCode::from(1),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// The format that was named, or described in a file of the operator's own; none for `auto`.
fn format(argument: &str, language: crate::Language) -> anyhow::Result<Option<Format>> {
    if argument == "auto" {
        return Ok(None);
    }
    let path = Path::new(argument);
    if path.extension().is_some_and(|extension| extension == "toml") {
        let text = std::fs::read_to_string(path).with_context(|| format!("--format {argument}"))?;
        return Ok(Some(
            Format::define(&text).map_err(|error| anyhow::anyhow!("--format {argument}:\n{error}"))?,
        ));
    }
    let named = Format::parse(argument).with_context(|| {
        let names: Vec<&str> = Format::all().iter().map(|format| format.name()).collect();
        format!("--format {argument} ({}: auto, {})", language.pick("known", "使用可能"), names.join(", "))
    })?;
    Ok(Some(named))
}

fn in_words(error: &ScanError, language: crate::Language) -> String {
    match error {
        ScanError::Source(error) => with_causes(error),
        ScanError::Format { path, why: [english, japanese] } => {
            format!("{}: {}", path.display(), language.pick(english, japanese))
        }
        ScanError::Timezone { path, why } => {
            format!("{}: {}", path.display(), report::no_zone(*why, language))
        }
    }
}

/// On standard error, and only where a person sees it.
fn progress_bar(size: Option<u64>) -> ProgressBar {
    let template = "{bar:40} {percent:>3} %  {bytes} / {total_bytes}  {eta}";
    match (size, ProgressStyle::with_template(template)) {
        (Some(size), Ok(style)) => ProgressBar::new(size).with_style(style),
        _ => ProgressBar::new_spinner(),
    }
}
