//! Says at once when something changes in a directory, so that nobody has to look all the time.
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Rings when something changes that somebody wants to know of. It is a help and no promise: network file systems and
/// some mounts are silent, so that one looks from time to time all the same.
#[derive(Clone, Debug, Default)]
pub struct Bell {
    rung: Arc<AtomicBool>,
}

impl Bell {
    /// Whether it has rung since this was last asked.
    pub fn take(&self) -> bool {
        self.rung.swap(false, Ordering::AcqRel)
    }

    /// Whether it has rung.
    pub fn has_rung(&self) -> bool {
        self.rung.load(Ordering::Acquire)
    }

    /// Somebody wants it to be looked at.
    pub fn ring(&self) {
        self.rung.store(true, Ordering::Release);
    }
}

/// Why a directory is not watched. It is looked at more often then.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The system has given all its watches away.
    #[error(
        "no watch is left for {}: raise fs.inotify.max_user_watches or max_user_instances (sysctl); until then it is \
         looked at four times a second",
        path.display()
    )]
    NoneLeft {
        /// The directory.
        path: PathBuf,
    },
    /// It cannot be watched.
    #[error("cannot watch {}; it is looked at four times a second", path.display())]
    Failed {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: notify::Error,
    },
}

/// Watches directories.
#[derive(Debug)]
pub struct Watch {
    watcher: Result<RecommendedWatcher, String>,
    shared: Arc<Shared>,
}

struct Shared {
    watched: Mutex<Vec<Watched>>,
    /// Somebody was woken and has not come yet.
    is_pending: AtomicBool,
    wake: Box<dyn Fn() + Send + Sync>,
}

/// Files of a directory whose names begin in a certain way.
#[derive(Debug)]
struct Watched {
    directory: PathBuf,
    prefix: OsString,
    bell: Bell,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("watched", &self.watched).finish_non_exhaustive()
    }
}

impl Watch {
    /// Calls `wake`, from a thread of its own, when a bell has rung; not again before [`Watch::come`] was called.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            watched: Mutex::new(Vec::new()),
            is_pending: AtomicBool::new(false),
            wake: Box::new(wake),
        });
        let heard = Arc::clone(&shared);
        let watcher = notify::recommended_watcher(move |event| heard.hear(&event));
        Self { watcher: watcher.map_err(|error| error.to_string()), shared }
    }

    /// Whoever was woken has come, and looks at the bells now.
    pub fn come(&self) {
        self.shared.is_pending.store(false, Ordering::Release);
    }

    /// Rings `bell` when files of `directory` change whose names begin with `prefix`. May be called again: for a
    /// directory that was not there, or was removed and made anew.
    ///
    /// # Errors
    /// It cannot be watched.
    pub fn add(&mut self, directory: &Path, prefix: &OsStr, bell: &Bell) -> Result<(), WatchError> {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let path = || directory.to_owned();
        let watcher = match &mut self.watcher {
            Ok(watcher) => watcher,
            Err(why) => return Err(WatchError::Failed { path: path(), source: notify::Error::generic(why) }),
        };
        watcher.watch(directory, RecursiveMode::NonRecursive).map_err(|source| match source.kind {
            notify::ErrorKind::MaxFilesWatch => WatchError::NoneLeft { path: path() },
            _ => WatchError::Failed { path: path(), source },
        })?;
        let mut watched = self.shared.watched();
        watched.retain(|watched| !Arc::ptr_eq(&watched.bell.rung, &bell.rung));
        watched.push(Watched { directory: path(), prefix: prefix.to_owned(), bell: bell.clone() });
        Ok(())
    }

    /// Rings `bell` no more.
    pub fn remove(&mut self, bell: &Bell) {
        let mut watched = self.shared.watched();
        let Some(at) = watched.iter().position(|it| Arc::ptr_eq(&it.bell.rung, &bell.rung)) else { return };
        let Watched { directory, .. } = watched.swap_remove(at);
        if let (Ok(watcher), true) = (&mut self.watcher, watched.iter().all(|it| it.directory != directory)) {
            // Gone already, or let go by the system.
            let _ = watcher.unwatch(&directory);
        }
    }
}

impl Shared {
    fn watched(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, event: &notify::Result<notify::Event>) {
        // Nothing changes by being opened and read, by ourselves above all.
        if event.as_ref().is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
            return;
        }
        let is_about = |watched: &Watched| match event {
            Ok(event) if !event.need_rescan() && !event.paths.is_empty() => event.paths.iter().any(|path| {
                let name = path.file_name().unwrap_or_default().as_bytes();
                let is_inside = path.parent() == Some(&watched.directory);
                is_inside && name.starts_with(watched.prefix.as_bytes()) || *path == watched.directory
            }),
            // The system has lost count, or something is wrong: anything may have changed.
            _ => true,
        };
        let mut has_rung = false;
        for watched in self.watched().iter().filter(|watched| is_about(watched)) {
            watched.bell.ring();
            has_rung = true;
        }
        if has_rung && !self.is_pending.swap(true, Ordering::AcqRel) {
            (self.wake)();
        }
    }
}
