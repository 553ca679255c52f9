//! The command line's client against a service that listens.
use crate::harness::{TOKEN, around, closed, engine, open, serve};
use crate::tls::{authority, folder, load, raw};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use tollwatch_http::{Asked, Client, DeliveriesV1, Limits, RawHttp};

fn client(raw: &RawHttp, at: SocketAddr, folder: Option<&Path>, token: &str) -> Client {
    let config = raw.validate(&mut Vec::new()).unwrap();
    Client::load(&config, Some(at), folder, |_| Some(token.to_owned())).unwrap()
}

#[tokio::test]
async fn it_shows_the_token_and_tells_what_the_service_refuses() {
    let address = serve(around(&closed(), Limits::default(), engine()).service, None).await;
    let ours = client(&closed(), address, None, TOKEN);
    let found: DeliveriesV1 = ours.get("/api/v1/deliveries?state=dead").await.unwrap();
    assert_eq!(found.deliveries.len(), 1);
    let retried: Value = ours.post("/api/v1/deliveries/retry", &json!({ "all": true })).await.unwrap();
    assert_eq!(retried["retried"], 7);
    let refused = ours.post::<Value>("/api/v1/drills", &json!({ "by": "", "lasting_seconds": 0 })).await;
    assert_eq!(refused.unwrap_err().to_string(), "by: it is empty (and 1 more); say something");
    let stranger = client(&closed(), address, None, "another-token-0123456789");
    let Err(Asked::Refused { status: 401, .. }) = stranger.get::<Value>("/api/v1/rules").await else {
        panic!("a stranger was let in")
    };
}

#[tokio::test]
async fn it_takes_the_certificate_of_the_configuration_for_whatever_name_and_no_other() {
    let authority = authority();
    let (ours, theirs) = (folder(&authority), folder(&authority));
    let raw = raw(None);
    let service = around(&raw, Limits::default(), engine()).service;
    let address = serve(service, Some(load(&raw, ours.path()).unwrap())).await;
    let answer: Value = client(&raw, address, Some(ours.path()), "").get("/api/v1/notifiers").await.unwrap();
    assert_eq!(answer["notifiers"][0]["name"], "on-call");
    // Of the same authority and for the same name, and still not the one.
    let other = client(&raw, address, Some(theirs.path()), "").get::<Value>("/api/v1/notifiers").await;
    let said = other.unwrap_err().to_string();
    assert!(said.contains("another certificate than `http.tls.certificate`"), "{said}");
}

#[tokio::test]
async fn it_tells_apart_that_nobody_listens_and_that_somebody_else_does() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ask = async || client(&open(), address, None, "").get::<Value>("/api/v1/rules").await.unwrap_err();
    let (error, _) = tokio::join!(ask(), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 mail.example.com ESMTP\r\n").await
    });
    assert!(matches!(error, Asked::Unclear { .. }), "{error}");
    drop(listener);
    assert!(matches!(ask().await, Asked::NotThere { .. }));
}
