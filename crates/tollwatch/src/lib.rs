//! The `tollwatch` command: configuration, wiring, and what people read.
//!
//! Everything that decides anything is in the pure crates; this one opens files, feeds the engine, and puts
//! its results into words.
mod cli;
mod commands;
mod config;
mod language;
mod scan;
mod service;
mod zones;

pub use cli::run;
pub use config::{
    Config, ConfigProblem, DestinationConfig, Followed, From, Interface, Overrides, RatesConfig, RawConfig,
    SecretPlace, Service, ServiceConfig, SiteConfig, Source, SourceConfig, Sources, TenantSettings, Timezone,
    default_text,
};
pub use language::Language;
pub use scan::{FileReport, Quarantine, Reading, RejectSample, ScanError, ScanReport, Scanner};
