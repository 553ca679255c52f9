//! Real connections: slow ones, many of them, and the end.
use crate::harness::{PATIENCE, around, converse, engine, open, serve};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tollwatch_http::{Command, HttpError, Limits, Refusal, Server};

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Bounds that a test can wait for.
fn short() -> Limits {
    let short = Duration::from_millis(200);
    Limits { head: short, request: short, ..Limits::default() }
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let address = serve(around(&open(), short(), engine()).service, None).await;
    for begun in [&b""[..], b"GET /healthz HTTP/1.1\r\nHost: local"] {
        let answer = converse(connect(address).await, begun).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    // One that drips is no better: what counts is when it is complete.
    let mut stream = connect(address).await;
    let mut drip = tokio::time::interval(Duration::from_millis(20));
    let dripping = async {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n").await.unwrap();
        loop {
            drip.tick().await;
            if stream.write_all(b"X-A: b\r\n").await.is_err() {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, dripping).await.expect("it was never cut off");
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_last_answer() {
    let address = serve(around(&open(), short(), engine()).service, None).await;
    let answer = converse(connect(address).await, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn a_body_that_never_ends_is_answered_with_a_time_out() {
    let address = serve(around(&open(), short(), engine()).service, None).await;
    let begun = b"POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Content-Length: 5\r\nConnection: close\r\n\r\n{";
    let answer = converse(connect(address).await, begun).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn those_who_hold_all_connections_keep_others_out_only_until_they_are_cut_off() {
    let limits = Limits { connections: 2, ..short() };
    let address = serve(around(&open(), limits, engine()).service, None).await;
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut stream = connect(address).await;
        stream.write_all(b"GET ").await.unwrap();
        held.push(stream);
    }
    let answer = converse(connect(address).await, HEALTH).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn a_connection_that_is_busy_all_the_time_ends_too() {
    let limits = Limits { connection: Duration::from_millis(200), ..Limits::default() };
    let address = serve(around(&open(), limits, engine()).service, None).await;
    let (mut reader, mut writer) = connect(address).await.into_split();
    let asking = async move {
        while writer.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let reading = async move {
        let mut bytes = vec![0; 4096];
        while reader.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
    };
    tokio::time::timeout(PATIENCE, async { tokio::join!(asking, reading) }).await.expect("it never ended");
}

#[tokio::test]
async fn what_is_no_http_or_far_too_long_is_refused_and_the_next_client_is_served() {
    let address = serve(around(&open(), short(), engine()).service, None).await;
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(70_000));
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X-A: b\r\n".repeat(4_000));
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    for bytes in [long.as_bytes(), many.as_bytes(), tls, b"\0\0\0\0\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"] {
        let answer = converse(connect(address).await, bytes).await;
        assert!(!answer.contains(" 200 "), "{answer}");
    }
    assert!(converse(connect(address).await, HEALTH).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_request_that_is_being_answered_at_the_end_is_answered() {
    let (arrived, arrives) = oneshot::channel();
    let arrived = Mutex::new(Some(arrived));
    let submit = move |command| arrived.lock().unwrap().take().unwrap().send(command).is_ok();
    let service = around(&open(), Limits::default(), submit).service;
    let server = Server::bind(([127, 0, 0, 1], 0).into(), None, service).await.unwrap();
    let address = server.address().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async { stopped.await.unwrap() }));
    // One that asks nothing must not hold up the end.
    let idle = connect(address).await;
    let asked = b"DELETE /api/v1/mutes/mute-1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let client = tokio::spawn(async move { converse(connect(address).await, asked).await });
    let Command::Unmute { reply, .. } = arrives.await.unwrap() else { panic!("another command") };
    stop.send(()).unwrap();
    reply.send(Err(Refusal::NotFound("there is no such mute".to_owned())));
    assert!(client.await.unwrap().starts_with("HTTP/1.1 404"));
    tokio::time::timeout(PATIENCE, running).await.expect("it never stopped").unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    drop(idle);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let service = around(&open(), Limits::default(), engine()).service;
    let first = Server::bind(([127, 0, 0, 1], 0).into(), None, service.clone()).await.unwrap();
    let taken = first.address().unwrap();
    let error = Server::bind(taken, None, service).await.unwrap_err();
    assert!(matches!(error, HttpError::Bind { address, .. } if address == taken));
}
