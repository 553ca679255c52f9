//! What is said when a request cannot be served: problem details by RFC 9457, with a hint.
use crate::command::Refusal;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tollwatch_detect::Problem;

/// Why a request was not served, version 1; `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FaultV1 {
    /// Always `about:blank`: the status says what kind of fault it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What is wrong with this request.
    pub detail: String,
    /// What to do about it.
    pub hint: String,
    /// Single faults, where there may be several: of a configuration, or of a body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<FieldFaultV1>,
}

/// One fault among several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldFaultV1 {
    /// The key: of the body, or of the configuration as a TOML path.
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

impl From<Problem> for FieldFaultV1 {
    fn from(problem: Problem) -> Self {
        Self { place: problem.place, problem: problem.problem, hint: problem.hint }
    }
}

/// A fault on its way to the client.
#[derive(Debug)]
pub(crate) struct Fault {
    status: StatusCode,
    detail: String,
    hint: &'static str,
    problems: Vec<FieldFaultV1>,
    next: Next,
}

/// What a header tells the client to do next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Nothing,
    RetryAfter(u16),
    Authenticate,
}

impl Fault {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>, hint: &'static str) -> Self {
        Self { status, detail: detail.into(), hint, problems: Vec::new(), next: Next::Nothing }
    }

    /// The request itself is wrong.
    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail, "GET /api/v1/openapi.json says what is understood")
    }

    /// Fields whose values cannot be used.
    pub(crate) fn unusable(problems: Vec<Problem>) -> Self {
        let problems = problems.into_iter().map(FieldFaultV1::from).collect();
        let detail = "nothing was changed";
        Self { problems, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail, "see `problems`") }
    }

    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, what, "lists show what there is; what is long over is let go")
    }

    /// Worth trying again after so many seconds.
    pub(crate) fn later(detail: &str, hint: &'static str, seconds: u16) -> Self {
        Self { next: Next::RetryAfter(seconds), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail, hint) }
    }

    /// There was no token, or another one.
    pub(crate) fn no_token() -> Self {
        let hint =
            "send `Authorization: Bearer …` with the token that `http.token_file` or `http.token_env` names";
        Self { next: Next::Authenticate, ..Self::new(StatusCode::UNAUTHORIZED, "this needs a token", hint) }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound(what) => Self::not_found(what),
            Refusal::Conflict(what) => Self::new(
                StatusCode::CONFLICT,
                what,
                "read it again: it is in another state than the request supposes",
            ),
            Refusal::Unusable(problems) => Self::unusable(problems),
            Refusal::NotDurable(why) => {
                Self::later(&why, "nothing was changed; see what the log says of the state directory", 10)
            }
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = FaultV1 {
            kind: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or_default().to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            hint: self.hint.to_owned(),
            problems: self.problems,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.next {
            Next::Nothing => {}
            Next::RetryAfter(seconds) => drop(headers.insert(header::RETRY_AFTER, seconds.into())),
            Next::Authenticate => {
                headers
                    .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tollwatch\""));
            }
        }
        response
    }
}
