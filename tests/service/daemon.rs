//! A program of somebody else's that a test starts for itself, on a port of its own.
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// A running one. It ends with the test.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    pub(crate) address: String,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Daemon {
    /// Starts a program of the Prometheus family, which says in its log where it listens. None where there is no such
    /// program, which is a failure where all must be tested.
    pub(crate) fn start<A: AsRef<OsStr>>(
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Option<Self> {
        if !program.exists() {
            let skipped = format!("skipped: there is no {}; ./scripts/test installs it", program.display());
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{skipped}");
            eprintln!("{skipped}");
            return None;
        }
        let mut child = Command::new(program)
            .args(arguments)
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut daemon = Self { child, address: String::new() };
        let (sender, said) = channel();
        // Read to its end, so that the log does not fill the pipe.
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut all = String::new();
        while daemon.address.is_empty() {
            let line = said.recv_timeout(Duration::from_mins(1));
            let line = line.unwrap_or_else(|_| panic!("{} does not listen:\n{all}", program.display()));
            if let Some((_, address)) =
                line.split_once("address=").filter(|_| line.contains("\"Listening on\""))
            {
                address.split_whitespace().next().unwrap().clone_into(&mut daemon.address);
            }
            all += &line;
            all.push('\n');
        }
        Some(daemon)
    }
}
