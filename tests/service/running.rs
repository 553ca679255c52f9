//! A service in a folder of its own.
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
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
        fs::write(folder.path().join("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwdOhY0wRh7Lk=")
            .unwrap();
        let running = Self { folder, process: None };
        running.configure(rest);
        running
    }

    /// Another configuration, from the next start on.
    pub(crate) fn configure(&self, rest: &str) {
        let text = format!(
            "[site]\ntimezone = \"Asia/Tokyo\"\n[service]\nstate = \"state\"\nrenotify_after = \"never\"\n{rest}"
        );
        fs::write(self.path("tollwatch.toml"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        self.command_of(Command::new(env!("CARGO_BIN_EXE_tollwatch")))
    }

    /// The service by a program that is given its command line.
    fn command_of(&self, mut command: Command) -> Command {
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

    /// The same with one of its calls to the system failing, by strace: the `nth` of the engine's thread of those that
    /// `calls` stands for. The exit status, and how many calls failed; none where strace cannot work.
    pub(crate) fn run_with_fault(&self, calls: &str, nth: usize) -> Option<(Option<i32>, usize)> {
        let trace = self.path("trace");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o"]).arg(&trace).arg("-e").arg(format!("trace={calls}"));
        strace.arg("-e").arg(format!("inject={calls}:error=EIO:when={nth}"));
        strace.arg(env!("CARGO_BIN_EXE_tollwatch"));
        let status = self.command_of(strace).arg("--until-dry").status().ok()?;
        let traced = fs::read_to_string(trace).ok()?;
        let failed = traced.lines().filter(|line| line.contains("(INJECTED)")).count();
        (!self.log().contains("PTRACE")).then_some((status.code(), failed))
    }

    /// What the kernel says of the process: resident kilobytes, and open file handles.
    pub(crate) fn taken(&self) -> (u64, usize) {
        let process = PathBuf::from(format!("/proc/{}", self.process.as_ref().unwrap().id()));
        let status = fs::read_to_string(process.join("status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let resident = resident.trim().trim_end_matches("kB").trim().parse().unwrap();
        (resident, fs::read_dir(process.join("fd")).unwrap().count())
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

    /// Runs another command on the same configuration.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollwatch"));
        command.args(arguments).arg("-c").arg(self.path("tollwatch.toml")).env("LC_ALL", "C");
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// Where its API listens, once it does.
    pub(crate) fn address(&self) -> String {
        let said = |log: &str| {
            let line = log.lines().rev().find(|line| line.contains("\"listening\""))?;
            let told: serde_json::Value = serde_json::from_str(line).ok()?;
            told["fields"]["address"].as_str().map(str::to_owned)
        };
        // The last one is that of the last start.
        assert!(wait_until(Duration::from_mins(1), || said(&self.log()).is_some()), "{}", self.log());
        said(&self.log()).unwrap()
    }

    /// What its API says to a GET, head and body.
    pub(crate) fn get(&self, path: &str, token: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let head = "Host: localhost\r\nConnection: close\r\nAuthorization: Bearer";
        write!(stream, "GET {path} HTTP/1.1\r\n{head} {token}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// What it has said so far is not looked at any more.
    pub(crate) fn forget_log(&self) {
        let _ = fs::remove_file(self.path("log"));
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
