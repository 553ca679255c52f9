//! What the user typed, and which command it is.
use crate::commands::{alerts, check, completions, drill, formats, man, number, run, scan, schema};
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// The command's exit status where input or configuration cannot be used.
pub(crate) const UNUSABLE: u8 = 2;

/// Raises the alarm on toll fraud while the bill is still small.
#[derive(Debug, Parser)]
#[command(name = "tollwatch", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read call records and show who is abused and what it has cost
    Scan(ScanArgs),
    /// Watch day and night: follow the PBX's logs, and send alerts to whoever is on call
    Run(RunArgs),
    /// Check a configuration: all faults at once, with their place
    Check(ConfigArgs),
    /// Show alerts that were not delivered yet, or send them again
    Alerts(AlertsArgs),
    /// Let a made-up attack, marked as a drill, run through the service to everybody who is on call
    Drill(DrillArgs),
    /// Show how dialled numbers are read, where they go, and which rules watch them
    Number(NumberArgs),
    /// Show what is read, and how to switch it on in the PBX
    Formats(FormatsArgs),
    /// Print a JSON Schema, or the API's OpenAPI document
    Schema(SchemaArgs),
    /// Print what a shell needs to complete commands and flags
    Completions(CompletionsArgs),
    /// Print a manual page, or write all of them
    Man(ManArgs),
}

/// Flags of every command that reads a configuration.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Configuration file; without one the embedded defaults are used
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Time zone of records that carry none, such as Asia/Tokyo, UTC, +09:00; `auto` for what each file's ids say
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// Country the PBX stands in, such as JP
    #[arg(long, value_name = "CC")]
    pub country: Option<String>,
    /// Language of messages: en, ja, auto
    #[arg(long, value_name = "LANG")]
    pub language: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Format of the files: a name, or a descriptor of your own (a path that ends in .toml); `auto` tells it from
    /// the first records
    #[arg(long, default_value = "auto", value_name = "NAME|FILE.toml")]
    pub format: String,
    /// Which of day and month stands first in dates that do not tell
    #[arg(long, value_enum, value_name = "ORDER")]
    pub date_order: Option<DateOrderArg>,
    /// Write the incidents there, one JSON object a line
    #[arg(long, value_name = "OUT.jsonl")]
    pub incidents: Option<PathBuf>,
    /// Keep every record there that cannot be read, whole and unredacted, one JSON object a line
    #[arg(long, value_name = "OUT.jsonl")]
    pub quarantine: Option<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// Exit with status 1 where there are incidents
    #[arg(long)]
    pub exit_code: bool,
    /// Show unclassified numbers in full
    #[arg(long)]
    pub show_numbers: bool,
    /// Files, plain, .gz or .zst, of one PBX or those of `[[sources]]`; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Read what is there, send what is due, and end
    #[arg(long)]
    pub until_dry: bool,
}

/// Which of day and month stands first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DateOrderArg {
    /// 31/12
    DayFirst,
    /// 12/31
    MonthFirst,
}

impl From<DateOrderArg> for tollwatch_cdr::DateOrder {
    fn from(order: DateOrderArg) -> Self {
        match order {
            DateOrderArg::DayFirst => Self::DayFirst,
            DateOrderArg::MonthFirst => Self::MonthFirst,
        }
    }
}

/// What a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A table for people
    Table,
    /// One JSON document
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct NumberArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// What to print
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// Numbers as they are dialled
    #[arg(required = true, value_name = "DIALLED", allow_hyphen_values = true)]
    pub numbers: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct FormatsArgs {
    /// Language of messages: en, ja, auto
    #[arg(long, value_name = "LANG", default_value = "auto")]
    pub language: String,
    /// One format, in full
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    pub of: schema::Of,
}

/// Flags of every command that speaks to the service.
#[derive(Debug, Args)]
pub(crate) struct ServiceArgs {
    /// Configuration file of the service
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    /// Where the running service listens, if not where `[http]` says
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub at: Option<SocketAddr>,
    /// Language of messages: en, ja, auto
    #[arg(long, value_name = "LANG")]
    pub language: Option<String>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

impl ServiceArgs {
    /// The flags that decide about the configuration.
    pub(crate) fn config(&self) -> ConfigArgs {
        let (config, language) = (Some(self.config.clone()), self.language.clone());
        ConfigArgs { config, timezone: None, country: None, language }
    }
}

#[derive(Debug, Args)]
pub(crate) struct AlertsArgs {
    #[command(subcommand)]
    pub command: AlertsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// Show alerts that wait to be delivered, and those that were given up
    List(AlertsListArgs),
    /// Send again what was given up, and at once what waits after a failure
    Retry(AlertsRetryArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AlertsListArgs {
    #[command(flatten)]
    pub service: ServiceArgs,
    /// Only these
    #[arg(long, value_enum)]
    pub state: Option<DeliveryStateArg>,
    /// Only those to this notifier
    #[arg(long, value_name = "NAME")]
    pub notifier: Option<String>,
}

#[derive(Debug, Args)]
#[group(id = "which", required = true, multiple = true)]
pub(crate) struct AlertsRetryArgs {
    #[command(flatten)]
    pub service: ServiceArgs,
    /// Those to this notifier
    #[arg(long, value_name = "NAME", group = "which")]
    pub notifier: Option<String>,
    /// All of them
    #[arg(long, group = "which", conflicts_with_all = ["notifier", "ids"])]
    pub all: bool,
    /// Ids of alerts, as `alerts list` shows them
    #[arg(value_name = "ALERT_ID", group = "which")]
    pub ids: Vec<String>,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeliveryStateArg {
    /// It will be tried, or tried again
    Pending,
    /// It was given up
    Dead,
}

#[derive(Debug, Args)]
pub(crate) struct DrillArgs {
    #[command(flatten)]
    pub service: ServiceArgs,
    /// Every notifier must have delivered within so long
    #[arg(long, default_value = "60s", value_name = "DURATION")]
    pub within: String,
    /// Customer or site under whose rules it runs; the site's own without
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
    /// The drill ends by itself after so long; pagers are told so then
    #[arg(long, default_value = "10m", value_name = "DURATION")]
    pub lasting: String,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Of which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write all pages into this folder
    #[arg(short, long, value_name = "FOLDER", conflicts_with = "command")]
    pub output: Option<PathBuf>,
    /// Of which command; of the whole without
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

/// The command line as it is described to shells and manuals.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command line.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // A reader that has gone away needs no help text.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { UNUSABLE } else { 0 });
        }
    };
    let done = match cli.command {
        Command::Scan(arguments) => scan::run(&arguments),
        Command::Run(arguments) => Ok(run::run(&arguments)),
        Command::Check(arguments) => check::run(&arguments),
        Command::Number(arguments) => number::run(&arguments),
        Command::Formats(arguments) => formats::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Alerts(arguments) => alerts::run(&arguments),
        Command::Drill(arguments) => drill::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
    };
    match done {
        Ok(code) => code,
        // `tollwatch scan … | head` is no fault.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tollwatch: {error:#}");
            ExitCode::from(UNUSABLE)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
