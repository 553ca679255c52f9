//! Incidents: the list, one with its evidence, and what people say of it.
use super::Shared;
use crate::command::Command;
use crate::extract::{At, Body, Parameters};
use crate::fault::Fault;
use crate::page::IncidentQuery;
use crate::wire::{DecisionRequestV1, IncidentDetailV1, IncidentStatusV1, MOST_NAME, MOST_NOTE, Name};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use tollwatch_detect::Problem;

pub(super) async fn list(
    State(service): Shared,
    Parameters(query): Parameters<IncidentQuery>,
) -> Result<Response, Fault> {
    let view = service.view.read();
    Ok(Json(query.page(view.incidents())?).into_response())
}

pub(super) async fn one(
    State(service): Shared,
    At(Name(incident_id)): At<Name>,
) -> Result<Json<IncidentDetailV1>, Fault> {
    let view = service.view.read();
    let entry = view.incident(&incident_id).ok_or_else(|| Fault::not_found("there is no such incident"))?;
    Ok(Json(entry.detail().clone()))
}

pub(super) async fn acknowledge(
    State(service): Shared,
    At(Name(incident)): At<Name>,
    Body(request): Body<DecisionRequestV1>,
) -> Result<Json<IncidentStatusV1>, Fault> {
    let DecisionRequestV1 { by, note } = checked(request)?;
    service.commands.ask(|reply| Command::Acknowledge { incident, by, note, reply }).await.map(Json)
}

pub(super) async fn resolve(
    State(service): Shared,
    At(Name(incident)): At<Name>,
    Body(request): Body<DecisionRequestV1>,
) -> Result<Json<IncidentStatusV1>, Fault> {
    let DecisionRequestV1 { by, note } = checked(request)?;
    service.commands.ask(|reply| Command::Resolve { incident, by, note, reply }).await.map(Json)
}

fn checked(request: DecisionRequestV1) -> Result<DecisionRequestV1, Fault> {
    let mut problems = Vec::new();
    check_text("by", &request.by, MOST_NAME, &mut problems);
    if request.note.as_ref().is_some_and(|note| note.chars().count() > MOST_NOTE) {
        problems.push(too_long("note", MOST_NOTE));
    }
    if problems.is_empty() { Ok(request) } else { Err(Fault::unusable(problems)) }
}

/// A text that says something and is not endless.
pub(super) fn check_text(place: &str, text: &str, most: usize, problems: &mut Vec<Problem>) {
    if text.is_empty() {
        problems.push(Problem::new(place.to_owned(), "it is empty".to_owned(), "say something"));
    } else if text.chars().count() > most {
        problems.push(too_long(place, most));
    }
}

fn too_long(place: &str, most: usize) -> Problem {
    Problem::new(place.to_owned(), format!("it has more than {most} characters"), "shorten it")
}
