//! `tollwatch schema`: the wire forms, for programs.
use crate::cli::SchemaArgs;
use crate::config::RawConfig;
use crate::scan::QuarantinedV1;
use clap::ValueEnum;
use std::io::Write as _;
use std::process::ExitCode;
use tollwatch_cdr::{CallEventV1, CdrV1, RawDescriptor};
use tollwatch_detect::{AlertV1, IncidentV1};

/// What a schema is printed of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Of {
    /// What notifiers send
    Alert,
    /// One line of `scan --incidents`
    Incident,
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
    let schema = match arguments.of {
        Of::Alert => schemars::schema_for!(AlertV1),
        Of::Incident => schemars::schema_for!(IncidentV1),
        Of::Config => config(),
        Of::Cdr => schemars::schema_for!(CdrV1),
        Of::CallEvent => schemars::schema_for!(CallEventV1),
        Of::FormatDescriptor => schemars::schema_for!(RawDescriptor),
        Of::Quarantine => schemars::schema_for!(QuarantinedV1<'_>),
        Of::Openapi => return print(&tollwatch_http::openapi()),
    };
    print(&schema)
}

/// Of a file, in which every section and every key of one may be left out: the defaults stand in its place. What is
/// listed (a rule, a notifier) has no defaults.
fn config() -> schemars::Schema {
    let mut schema = schemars::schema_for!(RawConfig);
    let named = |section: &serde_json::Value| {
        section.get("$ref")?.as_str()?.strip_prefix("#/$defs/").map(str::to_owned)
    };
    let sections: Vec<String> = schema
        .get("properties")
        .and_then(serde_json::Value::as_object)
        .map(|sections| sections.values().filter_map(named).collect())
        .unwrap_or_default();
    schema.remove("required");
    if let Some(defined) = schema.get_mut("$defs").and_then(serde_json::Value::as_object_mut) {
        for section in sections {
            defined
                .get_mut(&section)
                .and_then(serde_json::Value::as_object_mut)
                .map(|it| it.remove("required"));
        }
    }
    schema
}

fn print(schema: &impl serde::Serialize) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, schema)?;
    writeln!(out)?;
    Ok(ExitCode::SUCCESS)
}
