//! Whether it lives, whether it is ready, and its metrics.
use super::Shared;
use crate::extract::Parameters;
use crate::fault::Fault;
use crate::wire::{CheckV1, ReadinessV1};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus::{Encoder as _, TextEncoder};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) async fn alive(State(service): Shared) -> Result<&'static str, Fault> {
    if service.heartbeat.is_alive() {
        Ok("ok\n")
    } else {
        let seconds = service.heartbeat.age().as_secs();
        Err(Fault::later(
            &format!("the engine's loop has not turned for {seconds} seconds"),
            "the log says what it does; a supervisor should start the service anew",
            10,
        ))
    }
}

/// How much is said about readiness.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadinessQuery {
    /// Show all checks with their details, whatever its value; needs the token.
    pub verbose: Option<String>,
}

pub(super) async fn ready(State(service): Shared, Parameters(query): Parameters<ReadinessQuery>) -> Response {
    let view = service.view.read();
    let verbose = query.verbose.is_some();
    let engine = CheckV1 {
        name: "engine".to_owned(),
        ok: service.heartbeat.is_alive(),
        detail: Some(format!("its loop turned {} seconds ago", service.heartbeat.age().as_secs())),
    };
    let begun = CheckV1 {
        name: "begun".to_owned(),
        ok: !view.checks.is_empty(),
        detail: Some("the service has published its checks".to_owned()),
    };
    let all: Vec<CheckV1> = [engine, begun].into_iter().chain(view.checks.iter().cloned()).collect();
    let ready = all.iter().all(|check| check.ok);
    let shown = |check: CheckV1| CheckV1 { detail: check.detail.filter(|_| verbose), ..check };
    let checks = all.into_iter().filter(|check| verbose || !check.ok).map(shown).collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ReadinessV1 { ready, checks })).into_response()
}

pub(super) async fn metrics(State(service): Shared) -> Result<Response, Fault> {
    let mut text = Vec::new();
    let encoded = TextEncoder::new().encode(&service.registry.gather(), &mut text);
    encoded.map_err(|error| {
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string(), "report this as a bug")
    })?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
