//! Files of every kind, as they lie on a disk.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]
use std::io::Write;
use std::path::{Path, PathBuf};
use tollwatch_source::{Blocks, Compression, Input, SourceError};

fn rows(range: std::ops::Range<u32>) -> Vec<u8> {
    range
        .flat_map(|row| {
            format!("\"105\",\"{row:011}\",12,{}\n", row.wrapping_mul(2_654_435_761)).into_bytes()
        })
        .collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn write(directory: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Reads as a decoder of lines would: whole lines only, but for the last block.
fn read_lines(path: &Path) -> (Vec<u8>, Option<SourceError>, Blocks) {
    let mut blocks = Blocks::new(Input::open(path).unwrap());
    let mut seen = Vec::new();
    loop {
        match blocks.fill() {
            Ok(Some(block)) => {
                let line_ends = block.bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
                let used = if block.last { block.bytes.len() } else { line_ends };
                seen.extend_from_slice(&block.bytes[..used]);
                blocks.consume(used);
            }
            Ok(None) => return (seen, None, blocks),
            Err(error) => return (seen, Some(error), blocks),
        }
    }
}

#[test]
fn plain_and_packed_files_give_the_same_bytes_whatever_they_are_called() {
    let directory = tempfile::tempdir().unwrap();
    let expected = rows(0..100_000);
    let (first, second) = expected.split_at(1_234_567);
    let zstandard = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    let cases = [
        ("plain.csv", expected.clone(), Compression::Plain),
        ("plain.csv.gz", expected.clone(), Compression::Plain),
        ("packed.gz", gzip(&expected), Compression::Gzip),
        ("packed-without-a-telling-name", gzip(&expected), Compression::Gzip),
        ("two-members.gz", [gzip(first), gzip(second)].concat(), Compression::Gzip),
        ("packed.zst", zstandard(&expected), Compression::Zstandard),
        ("two-frames.zst", [zstandard(first), zstandard(second)].concat(), Compression::Zstandard),
        (
            "skippable-frame.zst",
            [&[0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9], zstandard(&expected).as_slice()].concat(),
            Compression::Zstandard,
        ),
    ];
    for (name, bytes, compression) in cases {
        let path = write(directory.path(), name, &bytes);
        let (seen, error, blocks) = read_lines(&path);
        assert!(error.is_none(), "{name}: {error:?}");
        assert!(seen == expected, "{name}");
        assert_eq!(blocks.input().compression(), compression, "{name}");
        assert_eq!(blocks.input().size_hint(), Some(bytes.len() as u64), "{name}");
        assert_eq!(blocks.input().position(), bytes.len() as u64, "{name}");
    }
}

#[test]
fn an_empty_file_and_one_shorter_than_a_magic_number_are_plain() {
    let directory = tempfile::tempdir().unwrap();
    for bytes in [b"".as_slice(), b"\n", b"\x1f\x8b"] {
        let path = write(directory.path(), "short", bytes);
        let (seen, error, blocks) = read_lines(&path);
        assert!(error.is_none());
        assert_eq!(seen, bytes);
        assert_eq!(blocks.input().compression(), Compression::Plain);
    }
}

#[test]
fn a_truncated_file_gives_all_it_holds_and_then_says_where_it_breaks_off() {
    let directory = tempfile::tempdir().unwrap();
    let expected = rows(0..100_000);
    for (name, packed) in
        [("cut.gz", gzip(&expected)), ("cut.zst", zstd::encode_all(expected.as_slice(), 1).unwrap())]
    {
        let cut = packed.len() / 2;
        let path = write(directory.path(), name, &packed[..cut]);
        let (seen, error, mut blocks) = read_lines(&path);
        // Zstandard unpacks whole blocks of up to 128 KiB only (RFC 8878 §3.1.1.2).
        let least = expected.len() * 2 / 5;
        assert!(seen.len() > least && expected.starts_with(&seen), "{name}: {} bytes", seen.len());
        match error {
            Some(SourceError::Truncated { path: named, at }) => {
                assert_eq!((named, at), (path, cut as u64));
            }
            other => panic!("{name}: {other:?}"),
        }
        assert!(blocks.fill().unwrap().is_none(), "the error is told once");
    }
}

#[test]
fn damage_in_the_middle_is_told_apart_from_a_truncated_file() {
    let directory = tempfile::tempdir().unwrap();
    let expected = rows(0..100_000);
    let mut packed = gzip(&expected);
    let middle = packed.len() / 2;
    packed[middle..middle + 400].fill(0xff);
    let (seen, error, _) = read_lines(&write(directory.path(), "bad.gz", &packed));
    assert!(seen.len() > expected.len() / 4);
    assert!(matches!(error, Some(SourceError::Damaged { .. })), "{error:?}");
}

#[test]
fn a_missing_file_and_a_directory_are_named_in_the_error() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.csv");
    let error = Input::open(&missing).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot open {}", missing.display()));
    let error = Input::open(directory.path()).unwrap_err();
    assert_eq!(error.to_string(), format!("{} is a directory", directory.path().display()));
}
