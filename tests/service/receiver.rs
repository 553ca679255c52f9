//! A real HTTP receiver of webhooks, which fails as often as it is told to.
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What was received: by id, all bodies that came under it.
pub(crate) type Received = BTreeMap<String, Vec<serde_json::Value>>;

/// Listens on a port of its own until it is dropped.
#[derive(Debug)]
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    received: Mutex<Received>,
    /// Of a hundred requests, so many fail.
    failing: AtomicU64,
    /// All are refused for good.
    refusing: AtomicBool,
    random: AtomicU64,
    stop: AtomicBool,
}

impl Receiver {
    pub(crate) fn start(failing_percent: u64, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            failing: AtomicU64::new(failing_percent),
            refusing: AtomicBool::new(false),
            random: AtomicU64::new(seed | 1),
            stop: AtomicBool::new(false),
        });
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for stream in listener.incoming() {
                    if shared.stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let shared = Arc::clone(&shared);
                    // A client that was killed in the middle of a request must not hold up the next.
                    std::thread::spawn(move || stream.map(|stream| shared.answer(&stream)));
                }
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn fail(&self, percent: u64) {
        self.shared.failing.store(percent, Ordering::SeqCst);
    }

    /// Takes nothing from now on, and says that it never will; or takes what comes again.
    pub(crate) fn refuse(&self, refuse: bool) {
        self.shared.refusing.store(refuse, Ordering::SeqCst);
    }

    /// Under how many ids something was received.
    pub(crate) fn ids(&self) -> usize {
        self.shared.received.lock().unwrap().len()
    }

    pub(crate) fn received(&self) -> Received {
        self.shared.received.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Shared {
    fn next_random(&self) -> u64 {
        // splitmix64
        let mut z = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Answers requests of one connection. A failure is a status, or silence after the request was taken.
    fn answer(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let (mut id, mut length) = (String::new(), 0);
            let mut first = true;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).ok()? == 0 {
                    return None;
                }
                let line = line.trim_end();
                if line.is_empty() && !first {
                    break;
                }
                first = false;
                let lower = line.to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("webhook-id: ") {
                    value.clone_into(&mut id);
                } else if let Some(value) = lower.strip_prefix("content-length: ") {
                    length = value.parse().ok()?;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            if self.refusing.load(Ordering::SeqCst) {
                let mut out = stream;
                out.write_all(b"HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n").ok()?;
                continue;
            }
            let fails = self.next_random() % 100 < self.failing.load(Ordering::SeqCst);
            if !fails || self.next_random().is_multiple_of(2) {
                // Half of the failures have taken the alert before: it comes again, under the same id.
                let body = serde_json::from_slice(&body).ok()?;
                let mut received = self.received.lock().unwrap();
                received.entry(id.clone()).or_default().push(body);
            }
            let mut out = stream;
            match (fails, self.next_random() % 3) {
                (false, _) => out.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?,
                (true, 0) => return None,
                (true, 1) => {
                    out.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nretry-after: 0\r\n\r\n")
                        .ok()?;
                }
                (true, _) => out.write_all(b"HTTP/1.1 500 Broken\r\ncontent-length: 0\r\n\r\n").ok()?,
            }
        }
    }
}
