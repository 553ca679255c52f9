//! Whatever a writer, rotation and restarts do in whatever order: each line once, in the order of its file.
use crate::{QUIET, append, at, compress, options};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tollwatch_source::{Counters, Follow, Position};

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Appends that many whole lines.
    Lines(u8),
    /// The beginning of a line, or its rest.
    Half,
    /// Moves all files on by one name and makes a new one.
    Rename(Packing),
    CopyTruncate(Packing),
    Truncate,
    /// Removes the file and makes a new one of the same name.
    Recreate,
    /// A line to the file that was renamed last, by a writer that still has it open.
    Late,
    /// Reads; whether the decoder leaves the last line of each chunk for later.
    Poll {
        leave: bool,
    },
    Save,
    /// Begins anew at what was saved last.
    Restart,
    Wait(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    /// The newest of the old ones.
    Newest,
    /// All but the newest, as `delaycompress` does.
    Older,
}

fn step() -> impl Strategy<Value = Step> {
    let packing =
        || prop_oneof![3 => Just(Packing::None), 1 => Just(Packing::Newest), 2 => Just(Packing::Older)];
    prop_oneof![
        6 => (1..5_u8).prop_map(Step::Lines),
        3 => Just(Step::Half),
        2 => packing().prop_map(Step::Rename),
        2 => packing().prop_map(Step::CopyTruncate),
        1 => Just(Step::Truncate),
        1 => Just(Step::Recreate),
        2 => Just(Step::Late),
        6 => any::<bool>().prop_map(|leave| Step::Poll { leave }),
        3 => Just(Step::Save),
        2 => Just(Step::Restart),
        3 => (1..12_u8).prop_map(Step::Wait),
    ]
}

/// One file from its first byte until it is cut or removed; renaming and copying do not end it.
#[derive(Debug, Default)]
struct Stretch {
    content: String,
    /// What had been read of it when it was destroyed, and whether a restart came after.
    destroyed: Option<Destroyed>,
}

#[derive(Clone, Debug)]
struct Destroyed {
    read: BTreeSet<String>,
    /// The reader had it open, and has not been restarted since.
    held: bool,
    restarted: bool,
    /// A poll saw some of it, and not only a header. What is written and destroyed between two polls leaves no trace.
    noticed: bool,
}

struct World {
    directory: tempfile::TempDir,
    /// Names are those of the files; the log itself is 0.
    files: BTreeMap<u32, usize>,
    stretches: Vec<Stretch>,
    written: u32,
    half: bool,
    /// The stretch that was renamed last and can still be appended to, and when.
    late: Option<(usize, u64)>,
    clock: u64,
    changes: u64,
    follow: Follow,
    /// Lines as they were read, and as many as were read when the position was saved.
    read: Vec<String>,
    saved: (Position, usize),
    /// Stretches that a poll has seen in this life.
    seen: BTreeSet<usize>,
    header: usize,
    /// Stretches of which a poll has seen more than a header in this life, or lines were used in the saved one.
    noticed: BTreeSet<usize>,
    saved_noticed: BTreeSet<usize>,
    counters: Vec<Counters>,
}

const KEPT: u32 = 5;

impl World {
    fn new(header: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let follow = Follow::new(directory.path().join("Master.csv"), options());
        let mut world = Self {
            directory,
            files: BTreeMap::new(),
            header: header.len(),
            stretches: Vec::new(),
            written: 0,
            half: false,
            late: None,
            clock: 0,
            changes: 0,
            follow,
            read: Vec::new(),
            saved: (Position::default(), 0),
            seen: BTreeSet::new(),
            noticed: BTreeSet::new(),
            saved_noticed: BTreeSet::new(),
            counters: Vec::new(),
        };
        world.create(header);
        // Before the first look there is no log to be followed: only what has the name then is read.
        world.take(Step::Poll { leave: false }, header);
        world.take(Step::Save, header);
        world
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("Master.csv")
    }

    /// Where the file of that age lies, packed or not.
    fn path(&self, age: u32) -> PathBuf {
        if age == 0 {
            return self.log();
        }
        let plain = self.directory.path().join(format!("Master.csv.{age}"));
        [".gz", ".zst"]
            .iter()
            .map(|packed| PathBuf::from(format!("{}{packed}", plain.display())))
            .find(|path| path.exists())
            .unwrap_or(plain)
    }

    /// A disk's clock is too coarse for a writer as quick as this.
    fn touch(&mut self, path: &Path) {
        self.changes += 1;
        let modified = at(self.clock) + Duration::from_micros(self.changes);
        fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    }

    fn create(&mut self, header: &str) {
        self.files.insert(0, self.stretches.len());
        self.stretches.push(Stretch::default());
        self.write(0, header);
    }

    fn write(&mut self, age: u32, text: &str) {
        let path = self.path(age);
        append(&path, text);
        self.touch(&path);
        let stretch = self.files[&age];
        self.stretches[stretch].content.push_str(text);
    }

    fn line(&mut self) -> String {
        self.written += 1;
        format!("{:06},105,0022{}", self.written, "4".repeat(self.written as usize % 90))
    }

    /// Makes place for a file of age 1.
    fn shift(&mut self) {
        for age in (1..=KEPT).rev().filter(|age| self.files.contains_key(age)).collect::<Vec<_>>() {
            let from = self.path(age);
            let stretch = self.files.remove(&age).unwrap();
            if age == KEPT {
                fs::remove_file(from).unwrap();
                self.destroy(stretch);
            } else {
                let name = from.file_name().unwrap().to_str().unwrap();
                let to = name.replacen(&format!(".{age}"), &format!(".{}", age + 1), 1);
                fs::rename(&from, self.directory.path().join(to)).unwrap();
                self.files.insert(age + 1, stretch);
            }
        }
    }

    fn pack(&mut self, packing: Packing) {
        let ages = match packing {
            Packing::None => return,
            Packing::Newest => 1..=1,
            Packing::Older => 2..=KEPT,
        };
        for age in ages.filter(|age| self.files.contains_key(age)).collect::<Vec<_>>() {
            let from = self.path(age);
            if from.extension().is_some_and(|extension| extension != "gz" && extension != "zst") {
                let kind = if self.changes.is_multiple_of(2) { "gz" } else { "zst" };
                compress(&from, &PathBuf::from(format!("{}.{kind}", from.display())));
                if self.late.is_some_and(|(stretch, _)| stretch == self.files[&age]) {
                    self.late = None;
                }
            }
        }
    }

    fn destroy(&mut self, stretch: usize) {
        let read = self.read.iter().cloned().collect();
        let held = self.seen.contains(&stretch);
        let noticed = self.noticed.contains(&stretch);
        self.stretches[stretch].destroyed = Some(Destroyed { read, held, restarted: false, noticed });
        if self.late.is_some_and(|(late, _)| late == stretch) {
            self.late = None;
        }
    }

    fn poll(&mut self, leave: bool) {
        let now = at(self.clock);
        let mut begun = BTreeSet::new();
        while let Ok(Some(chunk)) = self.follow.poll(now) {
            let text = std::str::from_utf8(chunk.bytes).unwrap();
            assert!(chunk.last || text.ends_with('\n'), "half a line was handed out");
            assert!(!chunk.begins_file || begun.insert(chunk.file) || leave);
            let without_last = text.trim_end_matches('\n').rfind('\n').map_or(0, |at| at + 1);
            let used = if leave && !chunk.last { without_last } else { text.len() };
            self.read.extend(text[..used].lines().map(str::to_owned));
            self.follow.consume(used);
        }
        // All that has a name now is read or open.
        self.seen.extend(self.files.values());
        let current = self.files[&0];
        if self.stretches[current].content.len() > self.header {
            self.noticed.insert(current);
        }
    }

    fn take(&mut self, step: Step, header: &str) {
        match step {
            Step::Lines(count) => {
                for _ in 0..count {
                    let line = if std::mem::take(&mut self.half) {
                        format!("r{},rest\n", self.changes)
                    } else {
                        self.line() + "\n"
                    };
                    self.write(0, &line);
                }
            }
            Step::Half => {
                self.half = !self.half;
                let text = if self.half { self.line() } else { format!("r{},rest\n", self.changes) };
                self.write(0, &text);
            }
            Step::Rename(packing) => {
                self.shift();
                fs::rename(self.log(), self.directory.path().join("Master.csv.1")).unwrap();
                let stretch = self.files.remove(&0).unwrap();
                self.files.insert(1, stretch);
                self.late = Some((stretch, self.clock));
                self.half = false;
                self.pack(packing);
                self.create(header);
            }
            Step::CopyTruncate(packing) => {
                self.shift();
                self.late = None;
                let copy = self.directory.path().join("Master.csv.1");
                fs::copy(self.log(), &copy).unwrap();
                self.touch(&copy);
                let stretch = self.files.remove(&0).unwrap();
                // Open is what will be cut.
                self.seen.remove(&stretch);
                self.files.insert(1, stretch);
                self.pack(packing);
                fs::File::options().write(true).open(self.log()).unwrap().set_len(0).unwrap();
                self.create(header);
                let log = self.log();
                self.touch(&log);
            }
            Step::Truncate => {
                self.destroy(self.files[&0]);
                let stretch = self.files[&0];
                if let Some(destroyed) = &mut self.stretches[stretch].destroyed {
                    destroyed.held = false;
                }
                fs::File::options().write(true).open(self.log()).unwrap().set_len(0).unwrap();
                self.half = false;
                self.create(header);
            }
            Step::Recreate => {
                self.destroy(self.files[&0]);
                fs::remove_file(self.log()).unwrap();
                self.half = false;
                self.create(header);
            }
            Step::Late => {
                let Some((stretch, since)) = self.late else { return };
                let age = self.files.iter().find(|(_, of)| **of == stretch).map(|(age, _)| *age);
                if let Some(age) = age.filter(|_| self.clock < since + QUIET.as_secs()) {
                    let ends = self.stretches[stretch].content.ends_with('\n');
                    let line = if ends { self.line() } else { format!("l{},late", self.changes) };
                    self.write(age, &(line + "\n"));
                }
            }
            Step::Poll { leave } => {
                self.poll(leave);
                for destroyed in self.stretches.iter_mut().filter_map(|s| s.destroyed.as_mut()) {
                    // Held to its end: from now on only a restart can lose it.
                    if destroyed.held && !destroyed.restarted {
                        destroyed.read.clear();
                    }
                }
            }
            Step::Save => {
                self.saved = (self.follow.position(), self.read.len());
                let read: BTreeSet<&str> = self.read.iter().map(String::as_str).collect();
                let was_used = |stretch: &Stretch| {
                    stretch.content.lines().any(|line| line != header.trim_end() && read.contains(line))
                };
                let used = self.stretches.iter().zip(0..).filter(|(stretch, _)| was_used(stretch));
                self.saved_noticed = used.map(|(_, number)| number).collect();
            }
            Step::Restart => {
                self.counters.push(self.follow.counters());
                let bytes = postcard::to_stdvec(&self.saved.0).unwrap();
                let position = postcard::from_bytes(&bytes).unwrap();
                self.follow = Follow::restore(self.log(), options(), &position);
                self.read.truncate(self.saved.1);
                self.seen.clear();
                self.noticed.clone_from(&self.saved_noticed);
                for (stretch, number) in self.stretches.iter_mut().zip(0..) {
                    if let Some(destroyed) = &mut stretch.destroyed {
                        destroyed.restarted = true;
                        destroyed.noticed &= self.saved_noticed.contains(&number);
                    }
                }
            }
            Step::Wait(seconds) => self.clock += u64::from(seconds),
        }
    }

    fn finish(&mut self) {
        self.half = false;
        let content = &self.stretches[self.files[&0]].content;
        if !content.is_empty() && !content.ends_with('\n') {
            self.write(0, "\n");
        }
        for _ in 0..self.stretches.len() + 2 {
            let end = self.line() + "\n";
            self.write(0, &end);
            self.poll(false);
            self.clock += QUIET.as_secs() + 1;
        }
        self.poll(false);
        self.counters.push(self.follow.counters());
    }

    fn check(&self, header: &str) {
        let mut place = BTreeMap::new();
        for (line, at) in self.read.iter().zip(0..).filter(|(line, _)| *line != header.trim_end()) {
            assert!(!line.is_empty(), "an empty line at {at}");
            assert!(place.insert(line.as_str(), at).is_none(), "read twice: {line}");
        }
        let (mut missing, mut known) = (BTreeSet::new(), 0);
        for (number, stretch) in self.stretches.iter().enumerate() {
            let mut before = None;
            for line in stretch.content.lines().filter(|line| *line != header.trim_end()) {
                let Some(at) = place.get(line) else {
                    let destroyed = stretch.destroyed.as_ref();
                    let destroyed = destroyed.unwrap_or_else(|| panic!("lost of file {number}: {line}"));
                    let must = !destroyed.restarted && (destroyed.held || destroyed.read.contains(line));
                    assert!(!must, "lost of destroyed file {number}: {line}");
                    missing.extend(Some(number).filter(|_| destroyed.noticed));
                    continue;
                };
                known += 1;
                assert!(before.replace(at).is_none_or(|before| before < at), "out of order: {line}");
            }
        }
        assert_eq!(known, place.len(), "what was not written was read");
        let told: u64 = self.counters.iter().map(|c| c.cut_unread + c.vanished).sum();
        assert!(missing.len() as u64 <= told, "lines are lost of {missing:?}, and {told} losses told");
    }
}

fn run(steps: &[Step], header: &str) {
    let mut world = World::new(header);
    for &step in steps {
        world.take(step, header);
    }
    world.finish();
    world.check(header);
}

proptest! {
    #[test]
    fn each_line_is_read_once_and_in_order(steps in prop::collection::vec(step(), 1..60)) {
        run(&steps, "");
    }

    /// All files begin with the same bytes, and where only they were used, nothing tells one from another.
    #[test]
    fn each_line_is_read_once_below_a_long_header(steps in prop::collection::vec(step(), 1..60)) {
        run(&steps, &format!("{}\n", "calldate,clid,src,dst,".repeat(14)));
    }
}
