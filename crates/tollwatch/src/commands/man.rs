//! `tollwatch man`: the manual pages, made of what `--help` says.
use crate::cli::{self, ManArgs};
use anyhow::Context as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// What stands below the page of the whole: what no flag tells.
const EXIT_STATUS: &str = "\
.SH \"EXIT STATUS\"
.TP
0
It did what was asked.
.TP
1
`scan \\-\\-exit\\-code` found incidents; a notifier did not deliver a drill; there was nothing to retry.
.TP
2
The input, the configuration or the service could not be used.
.TP
75, 78
Of `run`: something is in the way that may pass; the configuration cannot be used.
.SH FILES
.TP
/etc/tollwatch/tollwatch.toml
The configuration, by custom. `tollwatch schema config` describes every option.
.TP
/var/lib/tollwatch
State of the service, unless `service.state` says otherwise.
";

pub(crate) fn run(arguments: &ManArgs) -> anyhow::Result<ExitCode> {
    let mut root = cli::command();
    root.build();
    if let Some(folder) = &arguments.output {
        write_all(&root, folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let page =
        match &arguments.command {
            None => page(&root)?,
            Some(name) => {
                let named = root.get_subcommands().find(|command| command.get_name() == name);
                page(named.with_context(|| {
                    format!("there is no command `{name}`; `tollwatch --help` lists them")
                })?)?
            }
        };
    std::io::stdout().lock().write_all(&page)?;
    Ok(ExitCode::SUCCESS)
}

/// All pages, one file each: `tollwatch.1`, `tollwatch-scan.1` …
fn write_all(root: &clap::Command, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let commands = root.get_subcommands().filter(|command| command.get_name() != "help");
    for command in std::iter::once(root).chain(commands) {
        let file = folder.join(format!("{}.1", name(command)));
        std::fs::write(&file, page(command)?).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// `tollwatch-scan`: a page's name has no space.
fn name(command: &clap::Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

fn page(command: &clap::Command) -> anyhow::Result<Vec<u8>> {
    let mut page = Vec::new();
    let is_whole = command.get_name() == "tollwatch";
    clap_mangen::Man::new(command.clone()).title(name(command)).render(&mut page)?;
    if is_whole {
        page.write_all(EXIT_STATUS.as_bytes())?;
    }
    Ok(page)
}
