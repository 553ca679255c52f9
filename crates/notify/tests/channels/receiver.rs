//! A real HTTP server, and what it was sent.
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::any;
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// One request.
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A server that gives the same answer to everything.
pub(crate) struct Receiver {
    pub(crate) url: String,
    received: UnboundedReceiver<Received>,
}

impl Receiver {
    pub(crate) async fn start(status: u16, headers: Vec<(&'static str, String)>, answer: String) -> Self {
        let (sender, received) = unbounded_channel();
        let handler = move |method: Method, given: HeaderMap, body: Bytes| async move {
            // A test that is over does not listen any more.
            let _ = sender.send(Received { method, headers: given, body });
            let mut said = HeaderMap::new();
            for (name, value) in headers {
                said.insert(name, value.parse().unwrap());
            }
            (StatusCode::from_u16(status).unwrap(), said, answer)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/{*path}", any(handler));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, received }
    }

    /// One that takes everything.
    pub(crate) async fn willing() -> Self {
        Self::start(202, Vec::new(), String::new()).await
    }

    /// What has been received and not been asked for yet.
    pub(crate) fn take(&mut self) -> Option<Received> {
        self.received.try_recv().ok()
    }

    /// What is received next, within a time that no sender needs.
    pub(crate) async fn next(&mut self) -> Received {
        tokio::time::timeout(Duration::from_secs(30), self.received.recv()).await.unwrap().unwrap()
    }
}
