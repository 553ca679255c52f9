//! What the engine is asked about: an extension's windows, a number.
use super::Shared;
use crate::command::Command;
use crate::extract::{At, Parameters};
use crate::fault::Fault;
use crate::wire::{ExtensionV1, Name, NumberV1};
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;

/// A dialled number has at most so many characters: 15 digits, and what PBXs put around them.
pub(crate) const MOST_DIALLED: usize = 64;

pub(super) async fn extension(
    State(service): Shared,
    At((Name(tenant), Name(extension))): At<(Name, Name)>,
) -> Result<Json<ExtensionV1>, Fault> {
    service.commands.ask(|reply| Command::Extension { tenant, extension, reply }).await.map(Json)
}

/// By whose dial plan a number is read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumberQuery {
    /// Customer or site; the site's own without.
    pub tenant: Option<Name>,
}

pub(super) async fn number(
    State(service): Shared,
    At(dialled): At<String>,
    Parameters(NumberQuery { tenant }): Parameters<NumberQuery>,
) -> Result<Json<NumberV1>, Fault> {
    if dialled.chars().count() > MOST_DIALLED {
        return Err(Fault::bad(format!("path: a number has at most {MOST_DIALLED} characters")));
    }
    let tenant = tenant.map(|Name(tenant)| tenant);
    service.commands.ask(|reply| Command::Number { tenant, dialled, reply }).await.map(Json)
}
