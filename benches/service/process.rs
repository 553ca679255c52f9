//! The service as a process in a folder of its own, and what it and the kernel say of it.
use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_mins(10);

#[derive(Debug)]
pub(crate) struct Service {
    folder: PathBuf,
    process: Child,
    address: String,
    log: File,
    /// Rows that it has to read since it was started.
    rows: u64,
}

/// What it takes at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) resident_megabytes: f64,
    pub(crate) peak_megabytes: f64,
    pub(crate) handles: usize,
}

impl Service {
    /// A folder that must not exist yet, with more configuration than is usual.
    pub(crate) fn prepare(folder: &Path, more: &str) -> Outcome<()> {
        fs::create_dir_all(folder.parent().ok_or("no folder")?)?;
        fs::create_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let text = format!(
            "[site]\ntimezone = \"Asia/Tokyo\"\n[service]\nstate = \"state\"\nrenotify_after = \"never\"\n\
             log_format = \"json\"\n[http]\nlisten = \"127.0.0.1:0\"\n[[sources]]\nname = \"pbx\"\n\
             follow = \"Master.csv\"\nformat = \"asterisk_cdr_csv\"\n[[notifiers]]\nname = \"file\"\n\
             type = \"jsonl\"\npath = \"alerts.jsonl\"\n{more}"
        );
        Ok(fs::write(folder.join("tollwatch.toml"), text)?)
    }

    /// Starts it, and says how long it took until it was ready.
    pub(crate) fn start(folder: &Path) -> Outcome<(Self, f64)> {
        let log = OpenOptions::new().create(true).append(true).open(folder.join("Master.csv"))?;
        let errors = File::create(folder.join("log"))?;
        let program = std::env::current_exe()?.with_file_name("tollwatch");
        let begun = Instant::now();
        let process = Command::new(&program)
            .args(["run", "-c"])
            .arg(folder.join("tollwatch.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("{}: {error}; build it first", program.display()))?;
        let mut service = Self { folder: folder.to_owned(), process, address: String::new(), log, rows: 0 };
        until("it listens and is ready", || {
            let log = fs::read_to_string(folder.join("log"))?;
            if let Some(at) = log.find("\"address\":\"") {
                let rest = log.get(at + 11..).unwrap_or_default();
                rest.split('"').next().unwrap_or_default().clone_into(&mut service.address);
            }
            if let Some(status) = service.process.try_wait()? {
                return Err(format!("it ended with {status}: {log}").into());
            }
            Ok(log.contains("\"ready\""))
        })?;
        Ok((service, begun.elapsed().as_secs_f64()))
    }

    /// Appends rows to its log.
    pub(crate) fn append(&mut self, bytes: &[u8], rows: u64) -> Outcome<()> {
        self.rows += rows;
        Ok(self.log.write_all(bytes)?)
    }

    /// Waits until it has read all rows and made them durable.
    pub(crate) fn catch_up(&mut self) -> Outcome<()> {
        let rows = self.rows as f64;
        until("everything is read", || {
            let metrics = self.metrics()?;
            Ok(sum(&metrics, "tollwatch_cdrs_total{") >= rows)
        })?;
        // The commit that is due after that.
        let failed = |metrics: &str| sum(metrics, "tollwatch_checkpoint_failures_total");
        let before = self.metrics()?;
        let count = "tollwatch_checkpoint_duration_seconds_count";
        let done = sum(&before, count);
        let _ = until_for(Duration::from_secs(7), || Ok(sum(&self.metrics()?, count) > done));
        if failed(&before) > 0.0 { Err("checkpoints have failed".into()) } else { Ok(()) }
    }

    pub(crate) fn metrics(&self) -> Outcome<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    pub(crate) fn taken(&self) -> Outcome<Taken> {
        let proc = PathBuf::from(format!("/proc/{}", self.process.id()));
        let status = fs::read_to_string(proc.join("status"))?;
        let megabytes = |name: &str| -> Outcome<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("not on Linux")?;
            Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? * 1024.0 / 1e6)
        };
        Ok(Taken {
            resident_megabytes: megabytes("VmRSS:")?,
            peak_megabytes: megabytes("VmHWM:")?,
            handles: fs::read_dir(proc.join("fd"))?.count(),
        })
    }

    pub(crate) fn store_megabytes(&self) -> Outcome<f64> {
        Ok(fs::metadata(self.folder.join("state/tollwatch.store"))?.len() as f64 / 1e6)
    }

    /// SIGTERM; how long it took to end.
    pub(crate) fn stop(mut self) -> Outcome<f64> {
        let begun = Instant::now();
        Command::new("kill").arg(self.process.id().to_string()).status()?;
        let status = self.process.wait()?;
        if status.success() { Ok(begun.elapsed().as_secs_f64()) } else { Err(format!("{status}").into()) }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The sum of all series whose line begins so.
pub(crate) fn sum(metrics: &str, name: &str) -> f64 {
    let values = metrics.lines().filter(|line| line.starts_with(name));
    values.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

fn until(what: &str, holds: impl FnMut() -> Outcome<bool>) -> Outcome<()> {
    if until_for(PATIENCE, holds)? { Ok(()) } else { Err(format!("it never came that {what}").into()) }
}

fn until_for(patience: Duration, mut holds: impl FnMut() -> Outcome<bool>) -> Outcome<bool> {
    let begun = Instant::now();
    while begun.elapsed() < patience {
        if holds()? {
            return Ok(true);
        }
        sleep(Duration::from_millis(50));
    }
    Ok(false)
}
