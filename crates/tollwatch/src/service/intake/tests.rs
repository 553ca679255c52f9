//! Logs that are rotated while calls are up.
use super::*;
use crate::config::{Config, Overrides, Source, Timezone};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;
use tollwatch_cdr::CallEventKind;

/// A log of live events, and the intake that follows it.
struct Log {
    folder: tempfile::TempDir,
    intake: Option<Intake>,
    restarts: bool,
    polls: u64,
}

impl Log {
    fn new(restarts: bool) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), intake: None, restarts, polls: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, name: &str, rows: &[String]) {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(rows.concat().as_bytes()).unwrap();
    }

    fn followed(&self) -> Followed {
        let zone = Zone::UTC;
        let source = Source {
            tenant: "default".to_owned(),
            system: 0,
            timezone: Timezone::Known(zone),
            format: Some(Format::parse("asterisk_cel_csv").unwrap()),
            session_limits: Vec::new(),
        };
        let from = From::Log(self.path("Master.csv"));
        Followed { name: "pbx".to_owned(), from, zone, source, silent_after: None }
    }

    /// What is told by what is there now; the service may be restarted before each piece.
    fn told(&mut self) -> Vec<String> {
        let settings = Config::load(None, &Overrides::default()).unwrap().settings;
        let tenant = tollwatch_detect::Engine::new(settings).tenant("default");
        let mut told = Vec::new();
        loop {
            let now = DateTime::from_timestamp(1_772_906_500 + self.polls as i64, 0).unwrap();
            self.polls += 1;
            let mut intake = match self.intake.take() {
                Some(intake) if !self.restarts => intake,
                before => {
                    let kept = before.map(|intake| postcard::to_stdvec(&intake.kept()).unwrap());
                    let kept = kept.map(|bytes| postcard::from_bytes(&bytes).unwrap());
                    Intake::new(self.followed(), tenant, kept, now)
                }
            };
            let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(now.timestamp().unsigned_abs());
            let progress = intake.read(now, wall, 0, None);
            assert_eq!(intake.error, None);
            for index in 0..intake.queue.len() {
                let Some(Record::CallEvent(event)) = intake.queue.get(index) else { continue };
                let what = match event.kind {
                    CallEventKind::Started { dialled, .. } => {
                        format!("started {}", String::from_utf8_lossy(dialled))
                    }
                    CallEventKind::Answered => "answered".to_owned(),
                    CallEventKind::Ended { .. } => "ended".to_owned(),
                    other => format!("{other:?}"),
                };
                told.push(format!("{} {what}", String::from_utf8_lossy(event.target.id)));
            }
            intake.queue.clear();
            self.intake = Some(intake);
            if !progress {
                return told;
            }
        }
    }
}

/// A row of channel `serial` of the call that began with channel `call`.
fn row(event: &str, serial: u32, call: u32, channel: &str, dial: &str) -> String {
    let application = if dial.is_empty() { "" } else { "Dial" };
    format!(
        "\"{event}\",\"{}.5\",\"\",\"105\",\"\",\"\",\"\",\"00224655500{call}\",\"from-internal\",\"PJSIP/{channel}-{serial:08x}\",\
         \"{application}\",\"{dial}\",\"3\",\"\",\"{}.{serial}\",\"{}.{call}\",\"\",\"\",\"\",\"\"\n",
        1_772_906_400 + serial,
        1_772_906_400 + serial,
        1_772_906_400 + call
    )
}

/// The rows up to the moment at which the far end rings.
fn begun(call: u32) -> Vec<String> {
    vec![
        row("CHAN_START", call, call, "105", ""),
        row("APP_START", call, call, "105", "PJSIP/00224655500@trunk"),
        row("CHAN_START", call + 1, call, "trunk", ""),
    ]
}

#[test]
fn calls_go_on_by_the_same_channels_whichever_file_of_a_rotated_log_their_rows_come_to() {
    for restarts in [false, true] {
        let mut log = Log::new(restarts);
        log.append("Master.csv", &[begun(10), begun(20), begun(30)].concat());
        let started = log.told();
        assert_eq!(started.len(), 3, "{started:?}");
        // Asterisk had the file open when it was renamed.
        std::fs::rename(log.path("Master.csv"), log.path("Master.csv.1")).unwrap();
        log.append("Master.csv", &begun(40));
        log.append("Master.csv", &[row("ANSWER", 11, 10, "trunk", "")]);
        let told = log.told();
        assert_eq!(told, ["PJSIP/trunk-00000029 started 0022465550040", "PJSIP/trunk-0000000b answered"]);
        log.append("Master.csv.1", &[row("ANSWER", 21, 20, "trunk", ""), row("HANGUP", 21, 20, "trunk", "")]);
        let told = log.told();
        assert_eq!(
            told,
            ["PJSIP/trunk-00000015 answered", "PJSIP/trunk-00000015 ended"],
            "restarts: {restarts}"
        );
        log.append("Master.csv", &[row("HANGUP", 11, 10, "trunk", ""), row("HANGUP", 41, 40, "trunk", "")]);
        log.append("Master.csv.1", &[row("HANGUP", 31, 30, "trunk", "")]);
        let mut told = log.told();
        told.sort();
        let ended = ["0000000b", "0000001f", "00000029"].map(|serial| format!("PJSIP/trunk-{serial} ended"));
        assert_eq!(told, ended, "restarts: {restarts}");
    }
}
