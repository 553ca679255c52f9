//! Connections: how many, how long, by TLS or not, and how they end.
use crate::config::HttpError;
use crate::routes::{Limits, Service, router};
use crate::tls::Tls;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

/// Head of a request, in bytes, at most: a token and a cursor are far below.
const MOST_HEAD: usize = 16 * 1024;
/// Where no descriptor is free, accepting again at once would only turn in circles.
const AFTER_A_FAILED_ACCEPT: Duration = Duration::from_millis(100);

/// A bound service that has not begun to answer.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    limits: Limits,
}

impl Server {
    /// Binds the address. With port 0 the machine chooses one; [`Self::address`] says which.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<Arc<Tls>>,
        service: Arc<Service>,
    ) -> Result<Self, HttpError> {
        let listener =
            TcpListener::bind(address).await.map_err(|cause| HttpError::Bind { address, cause })?;
        let limits = service.limits;
        Ok(Self { listener, tls, router: router(service), limits })
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `shutdown` comes, then lets the requests that are being answered end, for as long as one may take.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let connections = Arc::new(Semaphore::new(self.limits.connections));
        let (stop, stopping) = watch::channel(false);
        let mut shutdown = pin!(shutdown);
        loop {
            let next = async {
                // Taken before accepting: those above the limit wait in the machine's queue and cost nothing here.
                let permit = Arc::clone(&connections).acquire_owned().await;
                (permit, self.listener.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                next = next => next,
                () = &mut shutdown => break,
            };
            let Ok((stream, _)) = accepted else {
                sleep(AFTER_A_FAILED_ACCEPT).await;
                continue;
            };
            let connection =
                connect(stream, self.tls.clone(), self.router.clone(), self.limits, stopping.clone());
            tokio::spawn(async move {
                connection.await;
                drop(permit);
            });
        }
        drop(self.listener);
        let _ = stop.send(true);
        let all = self.limits.connections as u32;
        let _ = timeout(self.limits.request, connections.acquire_many(all)).await;
    }
}

async fn connect(
    stream: TcpStream,
    tls: Option<Arc<Tls>>,
    router: Router,
    limits: Limits,
    stopping: watch::Receiver<bool>,
) {
    // An answer is one small write: waiting for more to send would only delay it.
    let _ = stream.set_nodelay(true);
    match tls {
        None => answer(stream, router, limits, stopping).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(limits.head, tls.acceptor().accept(stream)).await {
                answer(stream, router, limits, stopping).await;
            }
        }
    }
}

/// What goes wrong here is the client's: it went away, or sent what is no HTTP, and hyper has told it so.
async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(MOST_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stop| *stop) => {}
        // A client that asks and never reads the answers would keep its place for ever.
        () = sleep(limits.connection) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(limits.request, connection).await;
}
