//! A service in a folder of its own.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A folder with a configuration, and the process that runs on it.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) folder: tempfile::TempDir,
    process: Option<Child>,
}

impl Running {
    /// A folder with this configuration, and what every such configuration has.
    pub(crate) fn prepare(rest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[site]\ntimezone = \"Asia/Tokyo\"\n[service]\nstate = \"state\"\nrenotify_after = \"never\"\n{rest}"
        );
        fs::write(folder.path().join("tollwatch.toml"), text).unwrap();
        fs::write(folder.path().join("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwdOhY0wRh7Lk=")
            .unwrap();
        Self { folder, process: None }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollwatch"));
        command.arg("run").arg("-c").arg(self.path("tollwatch.toml")).stdin(Stdio::null());
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        command.stderr(log).stdout(Stdio::null());
        command
    }

    pub(crate) fn start(&mut self) {
        assert!(self.process.is_none());
        self.process = Some(self.command().spawn().unwrap());
    }

    /// Runs until everything is read and sent; its exit status.
    pub(crate) fn run_until_dry(&self) -> Option<i32> {
        self.command().arg("--until-dry").status().unwrap().code()
    }

    /// Runs on these bytes as standard input, until all is read and sent; its exit status.
    pub(crate) fn run_on(&self, input: &[u8]) -> Option<i32> {
        use std::io::Write as _;
        let mut process = self.command().arg("--until-dry").stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = process.stdin.take().unwrap();
        // It reads no more than is durable, and all of it in the end.
        let written = pipe.write_all(input);
        drop(pipe);
        let status = process.wait().unwrap().code();
        written.unwrap();
        status
    }

    /// SIGKILL. Whether it was still there to be killed.
    pub(crate) fn kill(&mut self) -> bool {
        let Some(mut process) = self.process.take() else { return false };
        let lived = process.try_wait().unwrap().is_none();
        let _ = process.kill();
        process.wait().unwrap();
        lived
    }

    /// Asks it to stop; its exit status.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let mut process = self.process.take()?;
        let asked = Command::new("kill").arg("-TERM").arg(process.id().to_string()).status().unwrap();
        assert!(asked.success());
        process.wait().unwrap().code()
    }

    /// Asks it to read its configuration again.
    pub(crate) fn hang_up(&self) {
        let process = self.process.as_ref().unwrap();
        let asked = Command::new("kill").arg("-HUP").arg(process.id().to_string()).status().unwrap();
        assert!(asked.success());
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until something holds, and says whether it came to hold.
pub(crate) fn wait_until(bound: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let step = Duration::from_millis(20);
    for _ in 0..(bound.as_millis() / step.as_millis()) {
        if holds() {
            return true;
        }
        pause(step);
    }
    holds()
}

/// A condition is looked at again after a moment; nothing is taken to have happened by then.
#[expect(clippy::disallowed_methods, reason = "between two looks at a condition with a bound")]
pub(crate) fn pause(for_a: Duration) {
    std::thread::sleep(for_a);
}

/// Appends bytes to a file.
pub(crate) fn append(path: &Path, bytes: &[u8]) {
    use std::io::Write as _;
    fs::OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(bytes).unwrap();
}
