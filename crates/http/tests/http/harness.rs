//! A service over a rich view, an engine that answers as a real one would, and short ways to ask.
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tollwatch_http::{
    Access, Build, Command, Heartbeat, IncidentEntry, IncidentStatusV1, Limits, Metrics, Published, RawHttp,
    Service, View, router,
};
use tower::ServiceExt as _;

pub(crate) const TOKEN: &str = "a-token-for-tests-0123456789";
/// No test waits longer for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn exposure(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "JPY", "rates": "indicative" })
}

pub(crate) fn incident(id: &str, tenant: &str, extension: &str, detected_at: &str, state: &str) -> Value {
    json!({
        "incident": {
            "incident_id": id, "rule": "high_risk_burst", "severity": "critical", "tenant": tenant,
            "scope": { "kind": "extension", "value": extension, "unattributed": false },
            "folded_into": null, "extensions": [extension],
            "first_call_at": "2026-11-24T17:00:00Z", "opened_at": "2026-11-24T17:00:00Z",
            "detected_at": detected_at, "critical_at": detected_at, "resolved_at": null, "detected_on": "start",
            "trigger": { "measure": "attempts", "window_seconds": 600, "value": "3", "threshold": "3" },
            "attempts": 1002, "answered": 2, "billable_seconds": 240,
            "exposure": exposure("480.00"), "exposure_at_detection": exposure("240.00"),
            "exposure_at_critical": exposure("240.00"),
            "destinations": [
                { "prefix": "224", "country": "GN", "name": "Guinea", "calls": 3, "tier": 1 },
                { "prefix": "", "country": "", "name": "unknown", "calls": 1, "tier": null },
            ],
            "call_ids": ["1448035200.17"],
        },
        "state": state, "acknowledged": null, "resolved": null, "muted_until": null, "mute_reason": null,
        "drill": false,
    })
}

pub(crate) fn status(value: Value) -> IncidentStatusV1 {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn entry(value: Value) -> Arc<IncidentEntry> {
    Arc::new(IncidentEntry::new(status(value), Vec::new()))
}

/// Five incidents that differ in what a list can be narrowed by.
fn incidents() -> Vec<Arc<IncidentEntry>> {
    let night = incident("inc-01", "default", "105", "2026-11-24T17:05:00Z", "open");
    let mut warning = incident("inc-02", "default", "0105", "2026-11-24T17:05:00.5Z", "acknowledged");
    warning["incident"]["severity"] = json!("warning");
    warning["incident"]["critical_at"] = Value::Null;
    warning["incident"]["exposure_at_critical"] = Value::Null;
    warning["acknowledged"] = json!({ "by": "山田", "at": "2026-11-24T17:09:00Z", "note": "調査中" });
    let mut over = incident("inc-03", "osaka", "201", "2026-11-23T17:05:00Z", "resolved");
    over["incident"]["resolved_at"] = json!("2026-11-23T19:00:00Z");
    let mut storm = incident("inc-04", "osaka", "osaka", "2026-11-25T01:00:00Z", "open");
    storm["incident"]["rule"] = json!("storm");
    storm["incident"]["extensions"] = json!(["105", "201"]);
    storm["incident"]["scope"]["kind"] = json!("tenant");
    storm["incident"]["trigger"] =
        json!({ "measure": null, "window_seconds": null, "value": "5", "threshold": "5" });
    let mut drill = incident("inc-05", "default", "999", "2026-11-24T17:05:00Z", "open");
    drill["drill"] = json!(true);
    drill["muted_until"] = json!("2026-12-24T00:00:00Z");
    drill["mute_reason"] = json!("exercise");
    let call = |n: usize| {
        serde_json::from_value(json!({
            "call_id": format!("1448035200.{n}"), "started_at": "2026-11-24T17:00:00Z", "extension": "105",
            "number": "+22465550****", "prefix": "224", "country": "GN", "answered": true, "billable_seconds": 60,
            "exposure": exposure("120.00"),
        }))
        .unwrap()
    };
    let with_calls = IncidentEntry::new(status(night), (0..51).map(call).collect());
    std::iter::once(Arc::new(with_calls))
        .chain([warning, over, storm, drill].into_iter().map(entry))
        .collect()
}

pub(crate) fn view() -> View {
    let mut view = View::default().with_incidents(incidents());
    view.sources = serde_json::from_value(json!([
        {
            "name": "main", "format": "asterisk_cdr_csv", "timezone": "Asia/Tokyo", "tenant": "default",
            "state": "following", "since": "2026-11-24T00:00:00Z", "lag_bytes": 0,
            "last_record_at": "2026-11-25T01:00:00Z", "last_read_at": "2026-11-25T01:00:01Z",
            "records": 14620, "duplicate": 5, "late": 1, "rejected": 3, "rejected_by_reason": { "time": 2, "width": 1 }, "silent": false,
        },
        {
            "name": "branch", "format": null, "timezone": "auto", "tenant": "osaka", "state": "waiting",
            "since": "2026-11-24T00:00:00Z", "lag_bytes": 0, "last_record_at": null, "last_read_at": null,
            "records": 0, "duplicate": 0, "late": 0, "rejected": 0, "rejected_by_reason": {}, "silent": true,
        },
    ]))
    .unwrap();
    view.conditions = serde_json::from_value(json!([{
        "incident_id": "inc-99887766554433221100", "condition": "source_silent", "subject": "branch",
        "since": "2026-11-25T00:00:00Z", "detail_en": "no record for 3 h", "detail_ja": "3 時間記録がありません",
        "resolved_at": null, "severity": "critical", "tenant": "osaka",
    }]))
    .unwrap();
    view.rules = serde_json::from_value::<Vec<tollwatch_http::RuleV1>>(json!([{
        "rule": {
            "name": "high_risk_burst", "measure": "attempts", "destinations": ["high_risk", "new_country"],
            "thresholds": [{ "window": "10m", "warning": 2, "critical": 3 }],
        },
        "tenant": null, "reasons": "docs/rules.md#high_risk_burst",
    }]))
    .unwrap()
    .into();
    view.notifiers = serde_json::from_value(json!([{
        "name": "on-call", "kind": "webhook", "pending": 2, "oldest_pending_at": "2026-11-25T01:00:00Z",
        "dead": 1, "disabled": false, "last_error": "status 503",
    }]))
    .unwrap();
    view.mutes = serde_json::from_value(json!([mute("mute-1")])).unwrap();
    view.checks = serde_json::from_value(json!([
        { "name": "state", "ok": true, "detail": "restored" },
        { "name": "source:branch", "ok": true, "detail": "not there yet; it is optional" },
    ]))
    .unwrap();
    view
}

pub(crate) fn mute(id: &str) -> Value {
    json!({
        "mute_id": id, "tenant": "default", "extension": "105", "rule": null, "until": "2026-12-01T00:00:00Z",
        "reason": "the fax of the warehouse", "by": "suzuki", "created_at": "2026-11-25T00:00:00Z",
    })
}

/// A service and what stands around it.
pub(crate) struct Around {
    pub view: Published,
    pub heartbeat: Arc<Heartbeat>,
    pub service: Arc<Service>,
}

/// A service by this configuration; commands go to `submit`.
pub(crate) fn around(
    raw: &RawHttp,
    limits: Limits,
    submit: impl Fn(Command) -> bool + Send + Sync + 'static,
) -> Around {
    let mut problems = Vec::new();
    let config = raw.validate(&mut problems).unwrap_or_else(|| panic!("{problems:?}"));
    let access = Access::load(&config, None, |_| Some(TOKEN.to_owned())).unwrap();
    let view_of = Published::default();
    let heartbeat = Arc::new(Heartbeat::default());
    view_of.publish(view());
    let build = Build { version: "0.1.0", revision: "unknown", rustc: "1.95.0" };
    let registry = Metrics::new(&build, 0).unwrap().registry();
    let service = Service::new(view_of.clone(), Arc::clone(&heartbeat), registry, access, limits, submit);
    Around { view: view_of, heartbeat, service: Arc::new(service) }
}

/// On loopback, without a token.
pub(crate) fn open() -> RawHttp {
    RawHttp { listen: "127.0.0.1:0".to_owned(), ..RawHttp::default() }
}

/// The same with the token.
pub(crate) fn closed() -> RawHttp {
    RawHttp { token_env: Some("TOLLWATCH_TOKEN".to_owned()), ..open() }
}

/// An engine's thread that answers as a real one would; it ends with the service.
pub(crate) fn engine() -> impl Fn(Command) -> bool + Send + Sync + 'static {
    let (sender, commands) = std::sync::mpsc::sync_channel(64);
    std::thread::spawn(move || commands.into_iter().for_each(crate::commands::carry_out));
    move |command| sender.try_send(command).is_ok()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// It is a fault of this status, told by problem details.
    #[track_caller]
    pub(crate) fn is_fault(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let fault = self.json();
        assert_eq!(fault["status"], status);
        assert!(fault["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{fault}");
        assert!(fault["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{fault}");
        fault
    }
}

pub(crate) fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "localhost:9718")
}

pub(crate) async fn send(service: &Arc<Service>, request: Request<Body>) -> Answer {
    let response = router(Arc::clone(service)).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

pub(crate) async fn get(service: &Arc<Service>, path: &str) -> Answer {
    send(service, request("GET", path).body(Body::empty()).unwrap()).await
}

pub(crate) async fn post(service: &Arc<Service>, path: &str, body: &str) -> Answer {
    let request = request("POST", path).header("content-type", "application/json");
    send(service, request.body(Body::from(body.to_owned())).unwrap()).await
}

/// A server that listens, for as long as the test goes on.
pub(crate) async fn serve(service: Arc<Service>, tls: Option<Arc<tollwatch_http::Tls>>) -> SocketAddr {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = tollwatch_http::Server::bind(any_port, tls, service).await.unwrap();
    let address = server.address().unwrap();
    tokio::spawn(server.run(std::future::pending()));
    address
}

/// Sends bytes and reads until the other side closes.
pub(crate) async fn converse(
    mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    bytes: &[u8],
) -> String {
    // What the other side no longer takes, or how it closes, shows in what it has said.
    let _ = stream.write_all(bytes).await;
    let _ = stream.flush().await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it never closed");
    String::from_utf8_lossy(&answer).into_owned()
}
