//! The directory of a store: a lock, and the file.
use crate::error::StoreError;
use redb::backends::FileBackend;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const FILE: &str = "tollwatch.store";
const LOCK: &str = "lock";

/// A directory that this process alone works on, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// The kernel holds the lock as long as this is open.
    _lock: File,
}

impl Directory {
    /// Makes the directory if there is none, and takes it.
    pub(crate) fn take(path: &Path) -> Result<Self, StoreError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(|error| StoreError::path(path, error))?;

        let lock_path = path.join(LOCK);
        let failed = |error| StoreError::path(&lock_path, error);
        let mut lock = private().create(true).open(&lock_path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let process = holder(&mut lock);
                return Err(StoreError::InUse { directory: path.to_owned(), process });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // A courtesy to whoever is refused. On a full disk it is missing, and the lock holds all the same.
        let _ = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Whether there is a file in a directory. Where it cannot be told, opening it will say why.
    pub(crate) fn holds_file(path: &Path) -> bool {
        path.join(FILE).try_exists().unwrap_or(true)
    }

    /// Where the file is.
    pub(crate) fn file(&self) -> PathBuf {
        self.path.join(FILE)
    }

    /// The file, or `None` if there is none.
    pub(crate) fn existing(&self) -> Result<Option<FileBackend>, StoreError> {
        match private().open(self.file()) {
            Ok(file) => self.backend(file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::path(&self.file(), error)),
        }
    }

    /// A new file under a name of its own: only [`Self::publish`] makes it the one that counts, so that a file
    /// of that name is never one that was only begun.
    pub(crate) fn begin(&self) -> Result<FileBackend, StoreError> {
        let path = self.unpublished();
        let file = private().create(true).truncate(true).open(&path);
        self.backend(file.map_err(|error| StoreError::path(&path, error))?)
    }

    /// Gives the new file its name.
    pub(crate) fn publish(&self) -> Result<(), StoreError> {
        fs::rename(self.unpublished(), self.file())
            .and_then(|()| sync_directory(&self.path))
            .map_err(|error| StoreError::path(&self.file(), error))
    }

    fn unpublished(&self) -> PathBuf {
        self.path.join(format!("{FILE}.new"))
    }

    fn backend(&self, file: File) -> Result<FileBackend, StoreError> {
        FileBackend::new(file).map_err(|_| StoreError::InUse { directory: self.path.clone(), process: None })
    }
}

/// Read and written by the owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn holder(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Makes a rename durable, which on Windows it is without.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}
