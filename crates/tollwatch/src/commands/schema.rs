//! `tollwatch schema`: the wire forms, for programs.
use crate::cli::SchemaArgs;
use crate::config::RawConfig;
use crate::scan::QuarantinedV1;
use clap::ValueEnum;
use std::io::Write as _;
use std::process::ExitCode;
use tollwatch_cdr::{CallEventV1, CdrV1, RawDescriptor};
use tollwatch_detect::IncidentV1;

/// What a schema is printed of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Of {
    /// One line of `scan --incidents`
    Alert,
    /// The configuration file
    Config,
    /// A completed call in tollwatch's own form of records
    Cdr,
    /// A live call event in tollwatch's own form of records
    CallEvent,
    /// A descriptor of a format
    FormatDescriptor,
    /// One line of `scan --quarantine`
    Quarantine,
    /// The HTTP API of the service, as an OpenAPI document
    Openapi,
}

pub(crate) fn run(arguments: &SchemaArgs) -> anyhow::Result<ExitCode> {
    match arguments.of {
        Of::Alert => print(&schemars::schema_for!(IncidentV1)),
        Of::Config => print(&schemars::schema_for!(RawConfig)),
        Of::Cdr => print(&schemars::schema_for!(CdrV1)),
        Of::CallEvent => print(&schemars::schema_for!(CallEventV1)),
        Of::FormatDescriptor => print(&schemars::schema_for!(RawDescriptor)),
        Of::Quarantine => print(&schemars::schema_for!(QuarantinedV1<'_>)),
        Of::Openapi => print(&tollwatch_http::openapi()),
    }
}

fn print(document: &impl serde::Serialize) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, document)?;
    writeln!(out)?;
    Ok(ExitCode::SUCCESS)
}
