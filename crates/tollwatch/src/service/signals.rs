//! What the system asks of the process.
use super::runner::Event;
use std::sync::mpsc::SyncSender;
use tokio::signal::unix::{SignalKind, signal};

/// What the system asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// Come to an end in good order (SIGTERM, SIGINT).
    Stop,
    /// Read the configuration again (SIGHUP).
    Reload,
}

/// Listens until the process ends. A second request to stop ends it at once.
pub(super) fn listen(events: SyncSender<Event>) -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        let mut stopping = false;
        loop {
            let (asked, status) = tokio::select! {
                _ = terminate.recv() => (Signal::Stop, 143),
                _ = interrupt.recv() => (Signal::Stop, 130),
                _ = hang_up.recv() => (Signal::Reload, 0),
            };
            if asked == Signal::Stop && std::mem::replace(&mut stopping, true) {
                std::process::exit(status);
            }
            // The engine's thread may be busy for a moment; nothing may be lost meanwhile.
            let events = events.clone();
            let _ = tokio::task::spawn_blocking(move || events.send(Event::Signal(asked))).await;
        }
    })
}
