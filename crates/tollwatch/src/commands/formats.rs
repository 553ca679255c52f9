//! `tollwatch formats`: what is read, and how to switch it on in the PBX.
use crate::cli::FormatsArgs;
use crate::language::Language;
use anyhow::Context as _;
use std::io::Write as _;
use std::process::ExitCode;
use tollwatch_cdr::Format;

pub(crate) fn run(arguments: &FormatsArgs) -> anyhow::Result<ExitCode> {
    let language = Language::named(&arguments.language)
        .with_context(|| format!("--language {}: en, ja or auto", arguments.language))?;
    let mut out = std::io::stdout().lock();
    let Some(name) = &arguments.name else {
        for format in Format::all() {
            let description = format.describe();
            let reads = language.pick(&description.reads.english, &description.reads.japanese);
            writeln!(out, "{:20} {reads}\n{:20} {}", format.name(), "", description.path)?;
        }
        let more = language.pick(
            "`tollwatch formats NAME` shows how to switch one on in the PBX.",
            "`tollwatch formats 名前` で PBX 側の設定方法を表示します。",
        );
        writeln!(out, "\n{more}")?;
        return Ok(ExitCode::SUCCESS);
    };
    let format = Format::parse(name).with_context(|| {
        let names: Vec<&str> = Format::all().iter().map(|format| format.name()).collect();
        names.join(", ")
    })?;
    let description = format.describe();
    let [reads, switch_on, blind_to] = [&description.reads, &description.switch_on, &description.blind_to]
        .map(|text| language.pick(&text.english, &text.japanese));
    writeln!(out, "{}: {reads}\n{}\n\n{switch_on}", format.name(), description.path)?;
    for setting in &description.settings {
        writeln!(out, "\n  {}", setting.file)?;
        for line in setting.lines.lines() {
            writeln!(out, "    {line}")?;
        }
    }
    writeln!(out, "\n{}: {blind_to}", language.pick("What it cannot see", "この形式では見えないもの"))?;
    Ok(ExitCode::SUCCESS)
}
