//! Who may ask.
use crate::harness::{TOKEN, around, closed, engine, get, open, request, send};
use axum::body::Body;
use tollwatch_http::{Access, HttpError, Limits, RawHttp};

#[tokio::test]
async fn with_a_token_only_what_supervisors_ask_is_open() {
    let service = around(&closed(), Limits::default(), engine()).service;
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(get(&service, path).await.status, 200, "{path}");
    }
    for path in [
        "/metrics",
        "/readyz?verbose",
        "/readyz?x",
        "/api/v1/incidents",
        "/api/v1/openapi.json",
        "/",
        "/none",
        "/healthz/",
        "//healthz",
    ] {
        let answer = get(&service, path).await;
        answer.is_fault(401);
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{path}");
    }
    for method in ["POST", "DELETE", "OPTIONS", "HEAD"] {
        let answer = send(&service, request(method, "/api/v1/mutes").body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 401, "{method}");
    }
}

#[tokio::test]
async fn the_token_must_be_exactly_this_one() {
    let service = around(&closed(), Limits::default(), engine()).service;
    let ask = async |given: &str| {
        let request = request("GET", "/api/v1/rules").header("authorization", given);
        send(&service, request.body(Body::empty()).unwrap()).await.status.as_u16()
    };
    assert_eq!(ask(&format!("Bearer {TOKEN}")).await, 200);
    assert_eq!(ask(&format!("bearer {TOKEN}")).await, 200);
    let shorter = &TOKEN[..TOKEN.len() - 1];
    for bad in [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        TOKEN,
        &format!("Bearer  {TOKEN}"),
        &format!("Bearer {shorter}"),
        &format!("Bearer {TOKEN}x"),
        &format!("Bearer {}", TOKEN.to_uppercase()),
    ] {
        assert_eq!(ask(bad).await, 401, "{bad}");
    }
    let twice = request("GET", "/api/v1/rules")
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("authorization", "Bearer other");
    send(&service, twice.body(Body::empty()).unwrap()).await.is_fault(401);
}

#[tokio::test]
async fn metrics_are_open_where_the_configuration_says_so() {
    let raw = RawHttp { metrics_public: true, ..closed() };
    let service = around(&raw, Limits::default(), engine()).service;
    assert_eq!(get(&service, "/metrics").await.status, 200);
    get(&service, "/api/v1/rules").await.is_fault(401);
}

#[tokio::test]
async fn without_a_token_only_names_of_this_machine_are_answered() {
    let raw = RawHttp { allowed_hosts: vec!["pbx.example".to_owned()], ..open() };
    let service = around(&raw, Limits::default(), engine()).service;
    let ask = async |host: &str| {
        let request = axum::http::Request::builder().uri("/healthz").header("host", host);
        send(&service, request.body(Body::empty()).unwrap()).await.status.as_u16()
    };
    for own in [
        "localhost",
        "LOCALHOST:9718",
        "127.0.0.1",
        "127.0.0.1:80",
        "[::1]:9718",
        "pbx.example",
        "PBX.example:1",
    ] {
        assert_eq!(ask(own).await, 200, "{own}");
    }
    for other in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:9718",
        "127.0.0.2",
        "",
        "localhost@evil.example",
        "localhost:x",
        "[::2]",
        "evil.pbx.example",
    ] {
        assert_eq!(ask(other).await, 403, "{other}");
    }
    let none = axum::http::Request::builder().uri("/healthz").body(Body::empty()).unwrap();
    send(&service, none).await.is_fault(403);
    let two = axum::http::Request::builder()
        .uri("/healthz")
        .header("host", "localhost")
        .header("host", "evil.example");
    send(&service, two.body(Body::empty()).unwrap()).await.is_fault(403);
    // What stands in the request line goes over `Host`.
    let absolute = request("GET", "http://evil.example/healthz").body(Body::empty()).unwrap();
    send(&service, absolute).await.is_fault(403);
}

#[tokio::test]
async fn with_a_token_any_name_is_answered_as_a_page_of_another_site_does_not_know_it() {
    let service = around(&closed(), Limits::default(), engine()).service;
    let request = axum::http::Request::builder()
        .uri("/api/v1/rules")
        .header("host", "monitoring.example")
        .header("authorization", format!("Bearer {TOKEN}"));
    assert_eq!(send(&service, request.body(Body::empty()).unwrap()).await.status, 200);
}

#[test]
fn a_token_comes_from_a_file_or_a_variable_and_its_faults_name_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let load = |raw: &RawHttp, value: Option<&str>| {
        let config = raw.validate(&mut Vec::new()).unwrap();
        Access::load(&config, Some(folder.path()), |name| {
            assert_eq!(name, "TOLLWATCH_TOKEN");
            value.map(str::to_owned)
        })
    };
    assert!(load(&closed(), Some("0123456789abcdef")).is_ok());
    assert!(matches!(load(&closed(), None), Err(HttpError::NoVariable(name)) if name == "TOLLWATCH_TOKEN"));
    let error = load(&closed(), Some("secret-but-tiny")).unwrap_err().to_string();
    assert!(error.contains("TOLLWATCH_TOKEN") && !error.contains("secret"), "{error}");
    let by_file = RawHttp { token_file: Some("token".to_owned()), ..open() };
    assert!(matches!(load(&by_file, None), Err(HttpError::Unreadable { .. })));
    std::fs::write(folder.path().join("token"), "0123456789abcdef\n").unwrap();
    assert!(load(&by_file, None).is_ok());
}
