//! The manager interface of an Asterisk, listened to as long as the service runs.
//!
//! A thread holds the connection, and makes it anew when it is lost. What it hears is handed out as packets, each with
//! the time it was received; what was missed meanwhile is asked for as a list of all channels.
mod session;

use crate::{Chunk, Counters, FileNumber, SourceError};
use session::Session;
pub use session::{AmiFault, AmiLogin};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Bytes that may wait to be used; then nothing more is read, and the PBX has to wait.
const WAITING_MAX: usize = 8 * 1024 * 1024;
/// How long a connection may take to be made.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long the thread listens before it looks up.
const TICK: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Reads the secret; asked at each login, so that it can be changed.
pub type AmiSecret = Box<dyn Fn() -> Result<String, String> + Send>;

/// How an interface is listened to.
pub struct AmiOptions {
    /// `host:port`
    pub address: String,
    /// The user in `manager.conf`.
    pub username: String,
    /// Its secret.
    pub secret: AmiSecret,
    /// How it logs in.
    pub login: AmiLogin,
    /// The time.
    pub clock: fn() -> SystemTime,
    /// How long to wait before the second attempt to connect; doubled with each one that fails, up to a minute.
    pub first_wait: Duration,
}

impl fmt::Debug for AmiOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmiOptions")
            .field("address", &self.address)
            .field("username", &self.username)
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

/// An interface that is listened to.
#[derive(Debug)]
pub struct Ami {
    address: String,
    shared: Arc<Shared>,
    buffer: Vec<u8>,
    counters: Counters,
}

#[derive(Debug, Default)]
struct Shared {
    heard: Mutex<Heard>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Heard {
    stream: Vec<u8>,
    /// Why there is no connection.
    fault: Option<AmiFault>,
    connections: u64,
    is_over: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ami {
    /// Begins to listen.
    pub fn listen(options: AmiOptions) -> Self {
        let shared = Arc::new(Shared::default());
        let address = options.address.clone();
        let listener = Listener { options, shared: Arc::clone(&shared) };
        let thread = std::thread::Builder::new().name("ami".to_owned()).spawn(move || listener.run());
        if let Err(error) = thread {
            shared.lock().fault = Some(AmiFault::Connect(error.to_string()));
        }
        Self { address, shared, buffer: Vec::new(), counters: Counters::default() }
    }

    /// Whole packets that were heard, if there are any.
    ///
    /// # Errors
    /// There is no connection, and that is why. It is tried again by itself.
    pub fn poll(&mut self, now: SystemTime) -> Result<Option<Chunk<'_>>, SourceError> {
        let mut heard = self.shared.lock();
        self.buffer.append(&mut heard.stream);
        let fault = heard.fault.clone();
        self.counters.reopened = heard.connections.saturating_sub(1);
        drop(heard);
        self.shared.changed.notify_all();
        self.counters.lag_bytes = self.buffer.len() as u64;
        if self.buffer.is_empty() {
            let address = self.address.clone();
            return fault.map_or(Ok(None), |source| Err(SourceError::Ami { address, source }));
        }
        self.counters.last_read = Some(now);
        Ok(Some(Chunk { bytes: &self.buffer, file: FileNumber::ONLY, begins_file: false, last: false }))
    }

    /// The decoder has used the first `bytes` of what was handed out.
    pub fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.buffer.len());
        self.buffer.drain(..bytes);
        self.counters.bytes += bytes as u64;
        self.counters.lag_bytes = self.buffer.len() as u64;
    }

    /// What was heard so far; connections made again are counted as `reopened`.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}

impl Drop for Ami {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_all();
    }
}

/// The thread that holds the connection.
struct Listener {
    options: AmiOptions,
    shared: Arc<Shared>,
}

impl Listener {
    fn run(self) {
        let mut failed = 0;
        loop {
            let before = self.shared.lock().connections;
            let Err(fault) = self.connection() else { return };
            let mut heard = self.shared.lock();
            failed = if heard.connections > before { 1 } else { failed + 1 };
            // Whoever is refused again and again is locked out.
            let refused = matches!(fault, AmiFault::Refused(_) | AmiFault::MayNotList(_));
            heard.fault = Some(fault);
            let wait = if refused { LONGEST_WAIT } else { self.wait(failed) };
            let waited = self.shared.changed.wait_timeout_while(heard, wait, |heard| !heard.is_over);
            if waited.is_ok_and(|(heard, _)| heard.is_over) {
                return;
            }
        }
    }

    /// Doubled with each failure, and not the same for all who were cut off at once.
    fn wait(&self, failed: u32) -> Duration {
        let longest =
            self.options.first_wait.saturating_mul(1 << failed.saturating_sub(1).min(16)).min(LONGEST_WAIT);
        let share = RandomState::new().hash_one(failed) % 512;
        longest.mul_f64(0.5 + share as f64 / 1024.0)
    }

    /// Holds a connection as long as it lasts. Ok when nobody wants to hear any more.
    fn connection(&self) -> Result<(), AmiFault> {
        let secret = (self.options.secret)().map_err(AmiFault::Secret)?;
        let mut wire =
            connect(&self.options.address).map_err(|error| AmiFault::Connect(error.to_string()))?;
        let ended = |error: io::Error| AmiFault::Ended(error.to_string());
        let mut session = Session::new(&self.options.username, &secret, self.options.login);
        let (mut send, mut stream, mut bytes) = (Vec::new(), Vec::new(), vec![0; 64 * 1024]);
        loop {
            match wire.read(&mut bytes) {
                Ok(0) => return Err(AmiFault::Ended("closed by the PBX".to_owned())),
                Ok(length) => {
                    let at =
                        (self.options.clock)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                    let at = i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
                    let was_up = session.is_up();
                    let received = bytes.get(..length).unwrap_or_default();
                    session.receive(received, at, &mut send, &mut stream)?;
                    if !self.tell(&mut stream, !was_up && session.is_up()) {
                        return Ok(());
                    }
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
                    ) =>
                {
                    if self.shared.lock().is_over {
                        return Ok(());
                    }
                    session.tick(&mut send)?;
                }
                Err(error) => return Err(ended(error)),
            }
            wire.write_all(&send).map_err(ended)?;
            send.clear();
        }
    }

    /// Hands over what was heard, as soon as there is room. Whether anybody still wants to hear.
    fn tell(&self, stream: &mut Vec<u8>, has_come_up: bool) -> bool {
        let heard = self.shared.lock();
        let is_full = |heard: &mut Heard| heard.stream.len() > WAITING_MAX && !heard.is_over;
        let heard = self.shared.changed.wait_while(heard, is_full);
        let mut heard = heard.unwrap_or_else(PoisonError::into_inner);
        heard.stream.append(stream);
        if has_come_up {
            heard.fault = None;
            heard.connections += 1;
        }
        !heard.is_over
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECTING) {
            Ok(wire) => {
                wire.set_read_timeout(Some(TICK))?;
                wire.set_write_timeout(Some(CONNECTING))?;
                return Ok(wire);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}
