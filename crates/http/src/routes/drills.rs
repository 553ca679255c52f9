//! Drills: made-up attacks that go all the way.
use super::Shared;
use super::incidents::check_text;
use crate::command::Command;
use crate::extract::{At, Body};
use crate::fault::Fault;
use crate::wire::{DrillRequestV1, DrillV1, LONGEST_SECONDS, MOST_NAME, Name};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tollwatch_detect::Problem;

pub(super) async fn begin(
    State(service): Shared,
    Body(request): Body<DrillRequestV1>,
) -> Result<Response, Fault> {
    let mut problems = Vec::new();
    check_text("by", &request.by, MOST_NAME, &mut problems);
    if let Some(tenant) = &request.tenant {
        check_text("tenant", tenant, MOST_NAME, &mut problems);
    }
    if !(1..=LONGEST_SECONDS).contains(&request.lasting_seconds) {
        let what = format!("{} is out of range", request.lasting_seconds);
        problems.push(Problem::new("lasting_seconds".to_owned(), what, "1 to 86400, which is a day"));
    }
    if !problems.is_empty() {
        return Err(Fault::unusable(problems));
    }
    let drill = service.commands.ask(|reply| Command::BeginDrill { request, reply }).await?;
    Ok((StatusCode::CREATED, Json(drill)).into_response())
}

pub(super) async fn one(State(service): Shared, At(Name(drill)): At<Name>) -> Result<Json<DrillV1>, Fault> {
    service.commands.ask(|reply| Command::Drill { drill, reply }).await.map(Json)
}
