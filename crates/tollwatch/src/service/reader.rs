//! What a source's bytes are read with.
use super::clock;
use super::runner::environment;
use crate::config::From;
use std::path::Path;
use std::time::{Duration, SystemTime};
use tollwatch_source::{Ami, AmiOptions, Chunk, Counters, Follow, FollowOptions, Position, SourceError};

/// How long to wait before an interface that was lost is tried again.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// A log that grows, or an interface that is listened to.
#[derive(Debug)]
pub(super) enum Reader {
    Log(Follow),
    Interface(Ami),
}

impl Reader {
    /// One that goes on where `position` was. An interface has none: what was missed is asked for.
    pub(super) fn new(from: &From, position: Option<&Position>) -> Self {
        match from {
            From::Log(path) => Self::Log(match position {
                Some(position) => Follow::restore(path, FollowOptions::default(), position),
                None => Follow::new(path, FollowOptions::default()),
            }),
            From::Interface(interface) => {
                let secret = interface.secret.clone();
                Self::Interface(Ami::listen(AmiOptions {
                    address: interface.address.clone(),
                    username: interface.username.clone(),
                    secret: Box::new(move || secret.read(environment)),
                    login: interface.login,
                    clock: || clock::now().into(),
                    first_wait: FIRST_WAIT,
                }))
            }
        }
    }

    pub(super) fn poll(&mut self, now: SystemTime) -> Result<Option<Chunk<'_>>, SourceError> {
        match self {
            Self::Log(log) => log.poll(now),
            Self::Interface(interface) => interface.poll(now),
        }
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        match self {
            Self::Log(log) => log.consume(bytes),
            Self::Interface(interface) => interface.consume(bytes),
        }
    }

    pub(super) fn counters(&self) -> Counters {
        match self {
            Self::Log(log) => log.counters(),
            Self::Interface(interface) => interface.counters(),
        }
    }

    pub(super) fn position(&self) -> Position {
        match self {
            Self::Log(log) => log.position(),
            Self::Interface(_) => Position::default(),
        }
    }
}

/// What stands for a source's file where its rejected records are kept.
pub(super) fn path(from: &From) -> &Path {
    match from {
        From::Log(path) => path,
        From::Interface(interface) => Path::new(&interface.address),
    }
}
