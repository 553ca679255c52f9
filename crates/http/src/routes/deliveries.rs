//! Alerts that were not delivered yet.
use super::Shared;
use super::incidents::check_text;
use crate::command::Command;
use crate::extract::{Body, Parameters};
use crate::fault::Fault;
use crate::wire::{
    DeliveriesV1, DeliveryFilter, DeliveryState, MOST_IDS, MOST_NAME, Name, RetriedV1, RetryDeliveriesV1,
    is_id,
};
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;
use tollwatch_detect::Problem;

/// A list holds at most so many.
const MOST: usize = 1_000;
/// And so many, if nothing is said.
const USUAL: usize = 100;

/// What a list of deliveries is narrowed by; all that are given must match.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeliveryQuery {
    /// How they stand.
    pub state: Option<DeliveryState>,
    /// To whom.
    pub notifier: Option<Name>,
    /// So many at most; 100 without.
    #[schemars(range(min = 1, max = MOST))]
    pub limit: Option<usize>,
}

pub(super) async fn list(
    State(service): Shared,
    Parameters(DeliveryQuery { state, notifier, limit }): Parameters<DeliveryQuery>,
) -> Result<Json<DeliveriesV1>, Fault> {
    let limit = limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Fault::bad(format!("query: limit is 1 to {MOST}, not {limit}")));
    }
    let filter = DeliveryFilter { state, notifier: notifier.map(|Name(name)| name), limit };
    service.commands.ask(|reply| Command::Deliveries { filter, reply }).await.map(Json)
}

pub(super) async fn retry(
    State(service): Shared,
    Body(request): Body<RetryDeliveriesV1>,
) -> Result<Json<RetriedV1>, Fault> {
    let mut problems = Vec::new();
    if let Some(ids) = &request.alert_ids {
        if !(1..=MOST_IDS).contains(&ids.len()) {
            let hint = "give 1 to 100 at a time";
            problems.push(Problem::new("alert_ids".to_owned(), format!("{} ids", ids.len()), hint));
        }
        for (index, id) in ids.iter().enumerate() {
            if !is_id(id) {
                let hint = "as GET /api/v1/deliveries shows it, such as alr-0123456789abcdef";
                problems.push(Problem::new(format!("alert_ids[{index}]"), "is no id".to_owned(), hint));
            }
        }
    }
    if let Some(name) = &request.notifier {
        check_text("notifier", name, MOST_NAME, &mut problems);
    }
    if request.alert_ids.is_none() && request.notifier.is_none() && !request.all {
        let hint = "give alert_ids, a notifier, or both; or all = true";
        problems.push(Problem::new("alert_ids".to_owned(), "nothing says what to send".to_owned(), hint));
    }
    if !problems.is_empty() {
        return Err(Fault::unusable(problems));
    }
    service.commands.ask(|reply| Command::RetryDeliveries { request, reply }).await.map(Json)
}
