//! Conditions, sources, rules, notifiers; and what can be asked of the service as a whole.
use super::Shared;
use crate::command::Command;
use crate::extract::{At, Body};
use crate::fault::Fault;
use crate::wire::{
    ConditionsV1, Name, NothingV1, NotifiersV1, ReloadedV1, RetriedV1, RetryRequestV1, RulesV1, SourcesV1,
};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

pub(super) async fn conditions(State(service): Shared) -> Response {
    Json(ConditionsV1 { conditions: &service.view.read().conditions }).into_response()
}

pub(super) async fn sources(State(service): Shared) -> Response {
    Json(SourcesV1 { sources: &service.view.read().sources }).into_response()
}

pub(super) async fn rules(State(service): Shared) -> Response {
    Json(RulesV1 { rules: &service.view.read().rules }).into_response()
}

pub(super) async fn notifiers(State(service): Shared) -> Response {
    Json(NotifiersV1 { notifiers: &service.view.read().notifiers }).into_response()
}

pub(super) async fn retry(
    State(service): Shared,
    At(Name(notifier)): At<Name>,
    Body(RetryRequestV1 { alert_id }): Body<RetryRequestV1>,
) -> Result<Json<RetriedV1>, Fault> {
    let alert_id = alert_id.map(|Name(alert_id)| alert_id);
    service.commands.ask(|reply| Command::RetryDead { notifier, alert_id, reply }).await.map(Json)
}

pub(super) async fn reload(
    State(service): Shared,
    Body(NothingV1 {}): Body<NothingV1>,
) -> Result<Json<ReloadedV1>, Fault> {
    service.commands.ask(|reply| Command::Reload { reply }).await.map(Json)
}
