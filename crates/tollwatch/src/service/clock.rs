//! The one place that asks the machine what time it is.
use chrono::{DateTime, Utc};
use std::time::SystemTime;

/// Processing time.
#[expect(
    clippy::disallowed_methods,
    reason = "the service lives in processing time; event time comes with records"
)]
pub(super) fn now() -> DateTime<Utc> {
    DateTime::from(SystemTime::now())
}

/// An instant as the wire forms write it.
pub(super) fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
