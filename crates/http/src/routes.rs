//! Which path leads where, and what holds for all of them.
mod deliveries;
mod drills;
mod health;
mod incidents;
mod lists;
mod lookups;
mod mutes;

pub(crate) use deliveries::DeliveryQuery;
pub(crate) use health::ReadinessQuery;
pub(crate) use lookups::{MOST_DIALLED, NumberQuery};

use crate::access::Access;
use crate::command::{Command, Commands};
use crate::fault::Fault;
use crate::heartbeat::Heartbeat;
use crate::view::Published;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use std::sync::Arc;
use std::time::Duration;

/// Bounds on what a client can make the service do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The head of a request, and a TLS handshake, must be here after so long; an idle connection is closed then too.
    pub head: Duration,
    /// A request must be answered after so long, its body read.
    pub request: Duration,
    /// The engine's thread must answer a command after so long.
    pub reply: Duration,
    /// A connection ends after so long, whatever it does.
    pub connection: Duration,
    /// Connections at the same time; others wait.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            request: Duration::from_secs(10),
            reply: Duration::from_secs(5),
            connection: Duration::from_mins(10),
            connections: 256,
        }
    }
}

/// All that requests are answered from.
#[derive(Debug)]
pub struct Service {
    pub(crate) view: Published,
    pub(crate) commands: Commands,
    pub(crate) heartbeat: Arc<Heartbeat>,
    pub(crate) registry: prometheus::Registry,
    pub(crate) access: Access,
    pub(crate) limits: Limits,
}

impl Service {
    /// A service over a published view. `submit` puts a command where the engine's thread finds it and says whether there
    /// was room; it must not block.
    pub fn new(
        view: Published,
        heartbeat: Arc<Heartbeat>,
        registry: prometheus::Registry,
        access: Access,
        limits: Limits,
        submit: impl Fn(Command) -> bool + Send + Sync + 'static,
    ) -> Self {
        let commands = Commands::new(Box::new(submit), limits.reply);
        Self { view, commands, heartbeat, registry, access, limits }
    }
}

/// What handlers share.
type Shared = State<Arc<Service>>;

/// The service as a router.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/livez", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/api/v1/incidents", get(incidents::list))
        .route("/api/v1/incidents/{incident_id}", get(incidents::one))
        .route("/api/v1/incidents/{incident_id}/acknowledge", post(incidents::acknowledge))
        .route("/api/v1/incidents/{incident_id}/resolve", post(incidents::resolve))
        .route("/api/v1/mutes", get(mutes::list).post(mutes::mute))
        .route("/api/v1/mutes/{mute_id}", delete(mutes::unmute))
        .route("/api/v1/extensions/{tenant}/{extension}", get(lookups::extension))
        .route("/api/v1/numbers/{dialled}", get(lookups::number))
        .route("/api/v1/conditions", get(lists::conditions))
        .route("/api/v1/sources", get(lists::sources))
        .route("/api/v1/rules", get(lists::rules))
        .route("/api/v1/notifiers", get(lists::notifiers))
        .route("/api/v1/notifiers/{name}/retry", post(lists::retry))
        .route("/api/v1/deliveries", get(deliveries::list))
        .route("/api/v1/deliveries/retry", post(deliveries::retry))
        .route("/api/v1/drills", post(drills::begin))
        .route("/api/v1/drills/{drill_id}", get(drills::one))
        .route("/api/v1/reload", post(lists::reload))
        .route("/api/v1/openapi.json", get(openapi))
        .method_not_allowed_fallback(other_method)
        .fallback(no_such_path)
        .layer(from_fn_with_state(Arc::clone(&service), guard))
        .with_state(service)
}

async fn openapi() -> Json<serde_json::Value> {
    Json(crate::openapi::document())
}

async fn no_such_path() -> Fault {
    Fault::not_found("there is no such path")
}

/// The router says in `Allow` what the path knows.
async fn other_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        Fault::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not know this method", "see `Allow`")
            .into_response()
    }
}

/// What holds for all paths, those that there are not as well.
async fn guard(State(service): Shared, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut response = if let Err(fault) = service.access.check(&parts) {
        fault.into_response()
    } else {
        let answer = next.run(Request::from_parts(parts, body));
        let late = "the request did not end in time";
        tokio::time::timeout(service.limits.request, answer).await.unwrap_or_else(|_| {
            Fault::new(StatusCode::REQUEST_TIMEOUT, late, "send the body at once").into_response()
        })
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
