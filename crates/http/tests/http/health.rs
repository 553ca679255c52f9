//! Health, and what holds for all answers.
use crate::harness::{around, engine, get, open, request, send};
use axum::body::Body;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tollwatch_http::{Access, Heartbeat, Limits, Published, Service, View};

#[tokio::test]
async fn it_lives_as_long_as_the_engines_loop_turns() {
    static NOW: AtomicU64 = AtomicU64::new(0);
    let heartbeat = Arc::new(Heartbeat::with_clock(|| NOW.load(Ordering::Relaxed)));
    let config = open().validate(&mut Vec::new()).unwrap();
    let access = Access::load(&config, None, |_| None).unwrap();
    let registry = prometheus::Registry::new();
    let (view, limits) = (Published::default(), Limits::default());
    let service = Arc::new(Service::new(view, Arc::clone(&heartbeat), registry, access, limits, engine()));
    NOW.store(9_999, Ordering::Relaxed);
    assert_eq!(get(&service, "/healthz").await.text, "ok\n");
    NOW.store(10_000, Ordering::Relaxed);
    for path in ["/healthz", "/livez"] {
        let fault = get(&service, path).await.is_fault(503);
        assert_eq!(fault["detail"], "the engine's loop has not turned for 10 seconds");
    }
    assert_eq!(get(&service, "/readyz").await.json()["checks"][0]["name"], "engine");
    heartbeat.tick();
    assert_eq!(get(&service, "/healthz").await.status, 200);
}

#[tokio::test]
async fn readiness_names_what_is_not_ready_and_tells_all_only_when_asked() {
    let around = around(&open(), Limits::default(), engine());
    let ready = get(&around.service, "/readyz").await;
    assert_eq!((ready.status.as_u16(), ready.json()), (200, json!({ "ready": true, "checks": [] })));
    let mut view = View::default();
    view.checks = serde_json::from_value(json!([
        { "name": "state", "ok": true, "detail": "restored" },
        { "name": "source:main", "ok": false, "detail": "/var/log/Master.csv: permission denied" },
    ]))
    .unwrap();
    around.view.publish(view);
    let not = get(&around.service, "/readyz").await;
    assert_eq!(not.status, 503);
    assert_eq!(not.json(), json!({ "ready": false, "checks": [{ "name": "source:main", "ok": false }] }));
    for path in ["/readyz?verbose", "/readyz?verbose=1"] {
        let all = get(&around.service, path).await.json();
        let checks = all["checks"].as_array().unwrap();
        assert_eq!(checks.len(), 4);
        assert_eq!(checks[3]["detail"], "/var/log/Master.csv: permission denied");
    }
    get(&around.service, "/readyz?loud").await.is_fault(400);
}

#[tokio::test]
async fn a_service_that_has_published_nothing_yet_is_not_ready() {
    let around = around(&open(), Limits::default(), engine());
    around.view.publish(View::default());
    let answer = get(&around.service, "/readyz").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["checks"][0]["name"], "begun");
}

#[tokio::test]
async fn metrics_come_in_the_format_that_prometheus_reads() {
    let around = around(&open(), Limits::default(), engine());
    let answer = get(&around.service, "/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(answer.text.contains("# TYPE tollwatch_build_info gauge"), "{}", answer.text);
}

#[tokio::test]
async fn no_answer_may_be_kept_or_taken_for_another_type() {
    let service = around(&open(), Limits::default(), engine()).service;
    for (method, path) in
        [("GET", "/healthz"), ("GET", "/none"), ("PUT", "/readyz"), ("GET", "/api/v1/incidents")]
    {
        let answer = send(&service, request(method, path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    let stranger = axum::http::Request::builder().uri("/healthz").body(Body::empty()).unwrap();
    assert_eq!(send(&service, stranger).await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn head_is_get_without_a_body_and_options_says_what_a_path_knows() {
    let service = around(&open(), Limits::default(), engine()).service;
    let head = send(&service, request("HEAD", "/api/v1/rules").body(Body::empty()).unwrap()).await;
    let whole = get(&service, "/api/v1/rules").await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), whole.text.len().to_string());
    // A preflight of another site's page gets no leave.
    let options = request("OPTIONS", "/api/v1/mutes")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST");
    let options = send(&service, options.body(Body::empty()).unwrap()).await;
    assert_eq!((options.status.as_u16(), options.text.as_str()), (204, ""));
    assert_eq!(options.header("allow"), "GET,HEAD,POST");
    assert!(options.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
    for method in ["PUT", "PATCH", "TRACE", "BREW"] {
        let answer = send(&service, request(method, "/api/v1/mutes").body(Body::empty()).unwrap()).await;
        answer.is_fault(405);
        assert_eq!(answer.header("allow"), "GET,HEAD,POST");
    }
    get(&service, "/api/v2/mutes").await.is_fault(404);
}
