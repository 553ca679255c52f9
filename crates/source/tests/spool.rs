//! A directory into which files are put, on a real disk.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tollwatch_source::{Afterwards, Chunk, Order, SourceError, Spool, SpoolOptions, SpoolPosition};

const SETTLE: Duration = Duration::from_secs(5);

/// Seconds after a beginning that is before all changes on this disk, so that none of them is long ago.
fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_500_000_000 + seconds)
}

fn options() -> SpoolOptions {
    SpoolOptions {
        pattern: glob::Pattern::new("*.csv*").unwrap(),
        order: Order::Name,
        settle: SETTLE,
        afterwards: Afterwards::Leave,
    }
}

struct World {
    folder: tempfile::TempDir,
    options: SpoolOptions,
    spool: Spool,
    clock: u64,
}

impl World {
    fn new(options: SpoolOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        let spool = Spool::new(folder.path().join("in"), options.clone());
        Self { folder, options, spool, clock: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("in").join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn names(&self, directory: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path().join(directory))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Reads all there is at this moment.
    fn read(&mut self) -> String {
        let mut text = String::new();
        while let Ok(Some(Chunk { bytes, .. })) = self.spool.poll(at(self.clock)) {
            text.push_str(std::str::from_utf8(bytes).unwrap());
            let used = bytes.len();
            self.spool.consume(used);
        }
        text
    }

    /// What there is once everything has settled.
    fn settled(&mut self) -> String {
        let early = self.read();
        self.clock += SETTLE.as_secs();
        early + &self.read()
    }

    /// Kills the reader and begins again at what was durable.
    fn restart(&mut self, position: &SpoolPosition) {
        let bytes = postcard::to_stdvec(position).unwrap();
        let position = postcard::from_bytes(&bytes).unwrap();
        self.spool = Spool::restore(self.folder.path().join("in"), self.options.clone(), position);
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_file_that_is_still_written_is_not_read() {
    let mut world = World::new(options());
    world.put("a.csv", "105,1\n");
    assert_eq!(world.read(), "");
    world.clock += 4;
    world.put("a.csv", "105,1\n105,2\n");
    assert_eq!(world.read(), "");
    world.clock += 4;
    assert_eq!(world.read(), "", "four seconds after its last change");
    assert_eq!(world.spool.counters().files_waiting, 1);
    world.clock += 1;
    assert_eq!(world.read(), "105,1\n105,2\n");
    assert_eq!(world.spool.counters().files_waiting, 0);
    world.clock += 60;
    assert_eq!(world.read(), "", "once");
}

#[test]
fn a_file_that_is_renamed_into_place_is_read_at_once() {
    let mut world = World::new(options());
    world.put(".a.csv.part", "105,1\n");
    world.put("b.tmp", "105,2\n");
    assert_eq!(world.read(), "");
    fs::rename(world.path(".a.csv.part"), world.path("a.csv")).unwrap();
    fs::rename(world.path("b.tmp"), world.path("b.csv")).unwrap();
    assert_eq!(world.read(), "105,1\n105,2\n");
}

#[test]
fn files_are_read_in_the_order_of_their_names_or_of_their_times() {
    for (order, expected) in [(Order::Name, "1\n2\n3\n"), (Order::Time, "2\n3\n1\n")] {
        let mut world = World::new(SpoolOptions { order, ..options() });
        for (name, text, second) in [("a.csv", "1\n", 30), ("b.csv", "2\n", 10), ("c.csv", "3\n", 20)] {
            world.put(name, text);
            let file = fs::File::options().write(true).open(world.path(name)).unwrap();
            file.set_modified(at(second)).unwrap();
        }
        assert_eq!(world.settled(), expected, "{order:?}");
    }
}

#[test]
fn files_are_put_away_only_when_their_records_are_durable() {
    let done = |world: &World| world.folder.path().join("done");
    for how in ["leave", "move", "delete"] {
        let mut world = World::new(options());
        fs::create_dir(done(&world)).unwrap();
        world.options.afterwards = match how {
            "leave" => Afterwards::Leave,
            "move" => Afterwards::Move(done(&world)),
            _ => Afterwards::Delete,
        };
        world.restart(&SpoolPosition::default());
        world.put("a.csv", "105,1\n");
        fs::write(done(&world).join("a.csv"), "of last year").unwrap();
        assert_eq!(world.settled(), "105,1\n");
        assert_eq!(world.names("in"), ["a.csv"], "{how}: its records are not durable");
        assert_eq!(world.read(), "");
        assert_eq!(world.names("in"), ["a.csv"], "{how}: not by looking again either");
        world.spool.durable();
        let expected: (&[&str], &[&str]) = match how {
            "leave" => (&["a.csv"], &["a.csv"]),
            "move" => (&[], &["a.csv", "a.csv.1"]),
            _ => (&[], &["a.csv"]),
        };
        assert_eq!(world.names("in"), expected.0, "{how}");
        assert_eq!(world.names("done"), expected.1, "{how}");
        assert_eq!(fs::read_to_string(done(&world).join("a.csv")).unwrap(), "of last year");
        // Killed between the commit and the move.
        world.put("b.csv", "105,2\n");
        assert_eq!(world.settled(), "105,2\n");
        world.restart(&world.spool.position());
        assert_eq!(world.settled(), "", "{how}");
        assert_eq!(world.names("in").contains(&"b.csv".to_owned()), how == "leave");
    }
}

#[test]
fn what_is_killed_before_it_is_durable_is_read_again_from_where_it_was() {
    let mut world = World::new(options());
    let lines: Vec<String> = (0..200_000).map(|n| format!("105,{n:08}\n")).collect();
    world.put("a.csv", &lines[..150_000].concat());
    world.put("b.csv", &lines[150_000..].concat());
    let (mut text, mut pieces) = (String::new(), 0);
    let mut saved = (SpoolPosition::default(), 0);
    world.read();
    world.clock += SETTLE.as_secs();
    while let Some(Chunk { bytes, begins_file, last, .. }) = world.spool.poll(at(world.clock)).unwrap() {
        assert_eq!(begins_file, bytes.starts_with(b"105,00000000") || bytes.starts_with(b"105,00150000"));
        // The decoder leaves a line for later now and then.
        let used = if pieces % 3 == 0 && !last { bytes.len() - 13 } else { bytes.len() };
        text.push_str(std::str::from_utf8(&bytes[..used]).unwrap());
        world.spool.consume(used);
        pieces += 1;
        if pieces % 2 == 0 {
            saved = (world.spool.position(), text.len());
        }
        if pieces % 3 == 0 {
            text.truncate(saved.1);
            world.restart(&saved.0);
            world.read_nothing_before_it_settles();
        }
        assert!(pieces < 1000, "it goes on");
    }
    assert_eq!(text.len(), lines.concat().len());
    assert!(text == lines.concat());
}

impl World {
    fn read_nothing_before_it_settles(&mut self) {
        assert!(self.spool.poll(at(self.clock)).unwrap().is_none());
        self.clock += SETTLE.as_secs();
    }
}

#[test]
fn what_comes_again_is_read_if_it_is_something_else() {
    for afterwards in [Afterwards::Leave, Afterwards::Delete] {
        let mut world = World::new(SpoolOptions { afterwards, ..options() });
        world.put("a.csv", "105,1\n");
        assert_eq!(world.settled(), "105,1\n");
        world.spool.durable();
        let _ = fs::remove_file(world.path("a.csv"));
        world.put("a.csv", "105,1\n");
        assert_eq!(world.settled(), "", "the same once more");
        world.spool.durable();
        world.restart(&world.spool.position());
        world.put("a.csv", "106,1\n");
        assert_eq!(world.settled(), "106,1\n", "another under the same name");
        world.spool.durable();
        world.put("a.csv", "106,1\n106,2\n");
        assert_eq!(world.settled(), "106,2\n", "the same with more behind it");
    }
}

#[test]
fn packed_files_are_unpacked_and_a_bad_one_is_named_and_holds_nothing_up() {
    let mut world = World::new(SpoolOptions { afterwards: Afterwards::Delete, ..options() });
    fs::write(world.path("a.csv.gz"), gzip("105,1\n")).unwrap();
    let long = (0..50_000).map(|n| format!("106,{}\n", n * 7919 % 100_003)).collect::<Vec<_>>().concat();
    let packed = gzip(&long);
    fs::write(world.path("b.csv.gz"), &packed[..packed.len() / 2]).unwrap();
    fs::write(world.path("c.csv.zst"), zstd::encode_all(&b"107,1\n"[..], 1).unwrap()).unwrap();
    let text = world.settled();
    assert!(text.starts_with("105,1\n106,0\n") && text.ends_with("107,1\n"));
    assert_eq!(world.spool.counters().damaged, 1);
    let troubles: Vec<_> =
        world.spool.troubles().map(|(name, why)| (name.to_owned(), why.to_owned())).collect();
    assert_eq!(troubles.len(), 1);
    assert!(troubles[0].0 == "b.csv.gz" && troubles[0].1.contains("breaks off"), "{troubles:?}");
    world.spool.durable();
    assert_eq!(world.names("in"), ["b.csv.gz"], "what was not read is kept");
    assert_eq!(world.settled(), "", "and not tried again and again");
    // It is sent once more, whole.
    let before = text.len() - "105,1\n".len() - "107,1\n".len();
    fs::write(world.path("b.csv.gz"), packed).unwrap();
    let rest = world.settled();
    assert!(text["105,1\n".len()..][..before].to_owned() + &rest == long || rest == long);
    world.spool.durable();
    assert_eq!(world.spool.troubles().count(), 0);
    assert!(world.names("in").is_empty());
}

#[test]
fn what_the_decoder_gives_up_is_named_and_kept() {
    let mut world = World::new(SpoolOptions { afterwards: Afterwards::Delete, ..options() });
    world.put("a.csv", "morse\n");
    world.put("b.csv", "105,1\n");
    world.read();
    world.clock += SETTLE.as_secs();
    let expected = world.path("a.csv");
    assert_eq!(world.spool.poll(at(world.clock)).unwrap().unwrap().path, expected);
    world.spool.give_up("no known format");
    assert_eq!(world.read(), "105,1\n");
    world.spool.durable();
    assert_eq!(world.names("in"), ["a.csv"]);
    let (name, why) = world.spool.troubles().next().unwrap();
    assert_eq!((name.to_str(), why), (Some("a.csv"), "no known format"));
}

#[test]
fn a_directory_that_is_not_there_is_said_and_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("in");
    let mut spool = Spool::new(&directory, options());
    assert!(matches!(spool.poll(at(0)), Err(SourceError::Missing { path }) if path == directory));
    fs::create_dir(&directory).unwrap();
    assert!(spool.poll(at(1)).unwrap().is_none());
}

#[test]
fn a_file_that_was_gone_when_the_service_came_back_is_counted() {
    let mut world = World::new(options());
    world.put("a.csv", &"105,1\n".repeat(300_000));
    world.read();
    world.clock += SETTLE.as_secs();
    assert!(world.spool.poll(at(world.clock)).unwrap().is_some());
    world.spool.consume(6);
    world.restart(&world.spool.position());
    fs::remove_file(world.path("a.csv")).unwrap();
    assert_eq!(world.settled(), "");
    assert_eq!(world.spool.counters().vanished, 1);
}

#[test]
fn what_changed_after_it_was_read_is_not_deleted() {
    let mut world = World::new(SpoolOptions { afterwards: Afterwards::Delete, ..options() });
    world.put("a.csv", "105,1\n");
    assert_eq!(world.settled(), "105,1\n");
    append(&world.path("a.csv"), "105,2\n");
    world.spool.durable();
    assert_eq!(world.names("in"), ["a.csv"]);
    assert_eq!(world.settled(), "105,2\n");
    world.spool.durable();
    assert!(world.names("in").is_empty());
}

fn append(path: &Path, text: &str) {
    fs::File::options().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}
