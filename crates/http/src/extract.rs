//! What handlers take out of a request; what does not fit is a [`Fault`] with words of our own.
use crate::fault::Fault;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

/// A body is at most so long, in bytes: a note and a name are far below.
const MOST_BODY: usize = 64 * 1024;

/// A JSON body.
pub(crate) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        // A form of another site can send text/plain and form data, but not this without asking first.
        if !is_json(request.headers()) {
            return Err(Fault::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body is not declared as JSON",
                "send `Content-Type: application/json`",
            ));
        }
        let bytes = to_bytes(request.into_body(), MOST_BODY).await.map_err(|_| {
            Fault::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is longer than 64 KiB, or broke off",
                "shorten the note",
            )
        })?;
        let body = serde_json::from_slice(&bytes).map_err(|error| Fault::bad(format!("body: {error}")))?;
        Ok(Self(body))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let essence = only.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// The parameters behind the question mark.
pub(crate) struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        // serde names the parameter that is wrong; axum's own sentence in front of it says nothing more.
        Query::try_from_uri(&parts.uri).map(|Query(read)| Self(read)).map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            Fault::bad(format!("query: {text}"))
        })
    }
}

/// The variable parts of the path.
pub(crate) struct At<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        Path::from_request_parts(parts, state)
            .await
            .map(|Path(read)| Self(read))
            .map_err(|rejection| Fault::bad(format!("path: {}", rejection.body_text())))
    }
}
