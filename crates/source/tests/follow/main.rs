//! A log that grows, followed through every kind of rotation, on a real disk.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]
mod any_order;
mod cases;

use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tollwatch_source::{Chunk, Follow, FollowOptions};

/// How long a rotated file must be quiet in these tests.
const QUIET: Duration = Duration::from_secs(10);

fn options() -> FollowOptions {
    FollowOptions { quiet: QUIET, archive: None }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

fn append(path: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// What `gzip` and `zstd --rm` do: the time of change goes with the content.
fn compress(from: &Path, to: &Path) {
    let content = std::fs::read(from).unwrap();
    let packed = if to.extension().is_some_and(|extension| extension == "gz") {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&content).unwrap();
        encoder.finish().unwrap()
    } else {
        zstd::encode_all(content.as_slice(), 1).unwrap()
    };
    std::fs::write(to, packed).unwrap();
    let modified = std::fs::metadata(from).unwrap().modified().unwrap();
    std::fs::File::options().write(true).open(to).unwrap().set_modified(modified).unwrap();
    std::fs::remove_file(from).unwrap();
}

/// Reads all there is, as a decoder that uses everything.
fn read(follow: &mut Follow, now: SystemTime) -> String {
    let mut text = String::new();
    while let Ok(Some(Chunk { bytes, .. })) = follow.poll(now) {
        text.push_str(std::str::from_utf8(bytes).unwrap());
        let used = bytes.len();
        follow.consume(used);
    }
    text
}
