//! What a source reads: a log that grows, a directory of files, a stream.
use super::conditions::Detail;
use crate::config::From;
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tollwatch_source::{
    Bell, Chunk, Counters, Follow, FollowOptions, Position, SourceError, Spool, SpoolPosition, Stream,
    StreamPosition,
};

/// One of them.
#[derive(Debug)]
pub(super) enum Reader {
    Log(Follow),
    Directory(Box<Spool>),
    Stream(Stream),
}

/// How far it was read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reached {
    Log(Position),
    Directory(SpoolPosition),
    Stream(StreamPosition),
}

impl Reader {
    /// Goes on where `reached` was, or begins. A stream rings `bell` and calls `wake` when something has come.
    pub(super) fn new(
        from: &From,
        reached: Option<Reached>,
        bell: &Bell,
        wake: impl Fn() + Send + 'static,
    ) -> Self {
        match (from, reached) {
            (From::Log(path), Some(Reached::Log(position))) => {
                Self::Log(Follow::restore(path, FollowOptions::default(), &position))
            }
            (From::Log(path), _) => Self::Log(Follow::new(path, FollowOptions::default())),
            (From::Directory(path, options), reached) => {
                let position = match reached {
                    Some(Reached::Directory(position)) => position,
                    _ => SpoolPosition::default(),
                };
                Self::Directory(Box::new(Spool::restore(path, options.clone(), position)))
            }
            (From::Stream, reached) => {
                let position = match reached {
                    Some(Reached::Stream(position)) => position,
                    _ => StreamPosition::default(),
                };
                let bell = bell.clone();
                Self::Stream(Stream::new("-", std::io::stdin(), position, move || {
                    bell.ring();
                    wake();
                }))
            }
        }
    }

    pub(super) fn reached(&self) -> Reached {
        match self {
            Self::Log(log) => Reached::Log(log.position()),
            Self::Directory(spool) => Reached::Directory(spool.position()),
            Self::Stream(stream) => Reached::Stream(stream.position()),
        }
    }

    pub(super) fn poll(&mut self, now: SystemTime) -> Result<Option<Chunk<'_>>, SourceError> {
        match self {
            Self::Log(log) => log.poll(now),
            Self::Directory(spool) => spool.poll(now),
            Self::Stream(stream) => stream.poll(now),
        }
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        match self {
            Self::Log(log) => log.consume(bytes),
            Self::Directory(spool) => spool.consume(bytes),
            Self::Stream(stream) => stream.consume(bytes),
        }
    }

    /// What is being read cannot be understood. Whether there is something else to go on with.
    pub(super) fn give_up(&mut self, why: &str) -> bool {
        match self {
            Self::Directory(spool) => {
                spool.give_up(why);
                true
            }
            Self::Log(_) | Self::Stream(_) => false,
        }
    }

    /// All that was used so far is durable.
    pub(super) fn durable(&mut self) {
        match self {
            Self::Log(_) => {}
            Self::Directory(spool) => spool.durable(),
            Self::Stream(stream) => stream.durable(),
        }
    }

    /// Nothing more comes before what was used is durable.
    pub(super) fn waits_for_durability(&self) -> bool {
        matches!(self, Self::Stream(stream) if stream.waits_for_durability())
    }

    /// There is something that cannot be read yet, and soon can.
    pub(super) fn is_settling(&self) -> bool {
        matches!(self, Self::Directory(spool) if spool.counters().files_waiting > 0)
    }

    /// There will be more, and nobody knows when: a stream that has not ended.
    pub(super) fn is_open_stream(&self) -> bool {
        matches!(self, Self::Stream(stream) if !stream.is_over())
    }

    /// There will never be more.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Stream(stream) if stream.is_over())
    }

    pub(super) fn counters(&self) -> Counters {
        match self {
            Self::Log(log) => log.counters(),
            Self::Directory(spool) => spool.counters(),
            Self::Stream(stream) => stream.counters(),
        }
    }

    /// How often something could not be read, or was gone before it was.
    pub(super) fn unread(&self) -> u64 {
        let counters = self.counters();
        counters.cut_unread + counters.vanished + counters.damaged
    }

    /// It still holds something that cannot be read or put away.
    pub(super) fn is_in_trouble(&self) -> bool {
        matches!(self, Self::Directory(spool) if spool.troubles().next().is_some())
    }

    /// What to say of that.
    pub(super) fn told_unread(&self) -> Detail {
        let Counters { cut_unread, vanished, damaged, .. } = self.counters();
        let mut named = String::new();
        if let Self::Directory(spool) = self {
            for (name, why) in spool.troubles().take(3) {
                let _ = write!(named, "; {}: {why}", name.display());
            }
        }
        Detail::new(
            format!(
                "since the start: cut in place before all of it was read {cut_unread}, gone or not readable \
                 {vanished}, damaged {damaged}{named}. Calls may be missing: compare with the PBX, keep rotated files \
                 longer, and rotate by renaming"
            ),
            format!(
                "起動後: 未読のまま切り詰め {cut_unread} 回、消失または読み取り不可 {vanished} 件、破損 {damaged} 件{named}。\
                 通話記録が欠けている可能性があります。PBX の記録と照合し、ローテーションは名前の変更で行い、古いファイルを\
                 長めに残してください"
            ),
        )
    }

    /// The directory in which changes are to be heard of, and how the names begin that matter.
    pub(super) fn watched(&self) -> Option<(PathBuf, &OsStr)> {
        match self {
            Self::Log(log) => {
                let parent = log.path().parent().unwrap_or(Path::new("."));
                Some((parent.to_owned(), log.path().file_name()?))
            }
            Self::Directory(spool) => Some((spool.directory().to_owned(), OsStr::new(""))),
            Self::Stream(_) => None,
        }
    }
}
