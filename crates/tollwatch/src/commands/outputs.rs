//! Files that a command writes: never over one that it reads.
use crate::language::Language;
use anyhow::Context as _;
use same_file::Handle;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

/// Makes files, and knows what must not be overwritten.
pub(crate) struct Outputs {
    taken: Vec<Handle>,
}

impl Outputs {
    /// None of these may be overwritten. A pipe has nothing to lose, and opening it here might wait for its writer.
    pub(crate) fn new<'a>(inputs: impl Iterator<Item = &'a PathBuf>) -> Self {
        let open = |path: &PathBuf| match path.as_os_str().to_str() {
            Some("-") => Handle::stdin().ok(),
            _ if path.is_file() => Handle::from_path(path).ok(),
            _ => None,
        };
        Self { taken: inputs.filter_map(open).collect() }
    }

    /// Makes or empties a file that `flag` named.
    pub(crate) fn create(&mut self, flag: &str, path: &Path, language: Language) -> anyhow::Result<File> {
        self.open(flag, path, language, false)
    }

    /// The same, to be read by its owner only.
    pub(crate) fn create_private(
        &mut self,
        flag: &str,
        path: &Path,
        language: Language,
    ) -> anyhow::Result<File> {
        self.open(flag, path, language, true)
    }

    fn open(&mut self, flag: &str, path: &Path, language: Language, private: bool) -> anyhow::Result<File> {
        let context = || format!("{flag} {}", path.display());
        let mut options = OpenOptions::new();
        // Emptied only when it is known to be none of the inputs.
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        if private {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        let file = options.open(path).with_context(context)?;
        let handle = file.try_clone().and_then(Handle::from_file).with_context(context)?;
        // A pipe or a device has no content to lose, and its permissions are others' business.
        if file.metadata().with_context(context)?.is_file() {
            if self.taken.contains(&handle) {
                let why = language.pick(
                    "is read or written already, and would be overwritten",
                    "入力または他の出力と同じファイルのため、上書きできません",
                );
                anyhow::bail!("{flag} {}: {why}", path.display());
            }
            #[cfg(unix)]
            if private {
                let owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
                file.set_permissions(owner).with_context(context)?;
            }
            file.set_len(0).with_context(context)?;
        }
        self.taken.push(handle);
        Ok(file)
    }
}
