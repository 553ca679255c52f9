//! Mutes: alerts that are kept back for a while.
use super::Shared;
use super::incidents::check_text;
use crate::command::Command;
use crate::extract::{At, Body};
use crate::fault::Fault;
use crate::view::microseconds;
use crate::wire::{MOST_NAME, MOST_NOTE, MuteRequestV1, MutesV1, Name};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tollwatch_detect::Problem;

pub(super) async fn list(State(service): Shared) -> Response {
    let view = service.view.read();
    Json(MutesV1 { mutes: &view.mutes }).into_response()
}

pub(super) async fn mute(
    State(service): Shared,
    Body(request): Body<MuteRequestV1>,
) -> Result<Response, Fault> {
    let mut problems = Vec::new();
    let matched = [("tenant", &request.tenant), ("extension", &request.extension), ("rule", &request.rule)];
    if matched.iter().all(|(_, value)| value.is_none()) {
        problems.push(Problem::new(
            "tenant".to_owned(),
            "nothing says what to mute".to_owned(),
            "give a tenant, an extension or a rule, or several of them",
        ));
    }
    for (place, value) in matched {
        if let Some(value) = value {
            check_text(place, value, MOST_NAME, &mut problems);
        }
    }
    if microseconds(&request.until).is_none() {
        problems.push(Problem::new(
            "until".to_owned(),
            "no time".to_owned(),
            "RFC 3339, such as 2026-01-31T22:00:00Z",
        ));
    }
    check_text("reason", &request.reason, MOST_NOTE, &mut problems);
    check_text("by", &request.by, MOST_NAME, &mut problems);
    if !problems.is_empty() {
        return Err(Fault::unusable(problems));
    }
    let mute = service.commands.ask(|reply| Command::Mute { request, reply }).await?;
    Ok((StatusCode::CREATED, Json(mute)).into_response())
}

pub(super) async fn unmute(State(service): Shared, At(Name(mute)): At<Name>) -> Result<StatusCode, Fault> {
    service.commands.ask(|reply| Command::Unmute { mute, reply }).await?;
    Ok(StatusCode::NO_CONTENT)
}
