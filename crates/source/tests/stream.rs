//! A stream that is read once.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]
use std::io::{PipeWriter, Write as _};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tollwatch_source::{SourceError, Stream, StreamPosition};

fn stream(position: StreamPosition) -> (PipeWriter, Stream, Receiver<()>) {
    let (reader, writer) = std::io::pipe().unwrap();
    let (sender, woken) = sync_channel(100);
    (writer, Stream::new("-", reader, position, move || sender.send(()).unwrap()), woken)
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// What is handed out now; all of it is used.
fn take(stream: &mut Stream) -> Option<(String, bool)> {
    let chunk = stream.poll(at(1)).unwrap()?;
    let (text, last) = (String::from_utf8(chunk.bytes.to_vec()).unwrap(), chunk.last);
    stream.consume(text.len());
    Some((text, last))
}

/// Waits for whole lines, and takes them.
fn next(stream: &mut Stream, woken: &Receiver<()>) -> (String, bool) {
    loop {
        if let Some(taken) = take(stream) {
            return taken;
        }
        woken.recv_timeout(Duration::from_mins(1)).unwrap();
    }
}

#[test]
fn nothing_more_is_read_before_what_was_read_is_durable() {
    let (mut writer, mut stream, woken) = stream(StreamPosition::default());
    writer.write_all(b"105,1\n105,").unwrap();
    assert_eq!(next(&mut stream, &woken), ("105,1\n".to_owned(), false));
    assert!(stream.waits_for_durability());
    while woken.try_recv().is_ok() {}
    writer.write_all(b"2\n").unwrap();
    assert_eq!(take(&mut stream), None);
    assert!(woken.try_recv().is_err(), "nobody has asked for more");
    stream.durable();
    assert_eq!(next(&mut stream, &woken), ("105,2\n".to_owned(), false));
    stream.durable();
    drop(writer);
    assert_eq!(next(&mut stream, &woken), (String::new(), true));
    assert!(stream.is_over());
    assert_eq!(take(&mut stream), None);
}

#[test]
fn half_a_record_is_read_on_at_once_and_used_at_the_end() {
    let (mut writer, mut stream, woken) = stream(StreamPosition::default());
    writer.write_all(b"105,1").unwrap();
    assert_eq!(take(&mut stream), None);
    woken.recv_timeout(Duration::from_mins(1)).unwrap();
    assert_eq!(take(&mut stream), None);
    writer.write_all(b"\n106").unwrap();
    assert_eq!(next(&mut stream, &woken), ("105,1\n".to_owned(), false));
    stream.durable();
    drop(writer);
    assert_eq!(next(&mut stream, &woken), ("106".to_owned(), true));
}

#[test]
fn what_a_decoder_leaves_comes_again_with_more_behind_it() {
    let (mut writer, mut stream, woken) = stream(StreamPosition::default());
    writer.write_all(b"105,1\n105,2\n").unwrap();
    while stream.poll(at(1)).unwrap().is_none() {
        woken.recv_timeout(Duration::from_mins(1)).unwrap();
    }
    assert_eq!(stream.poll(at(1)).unwrap().unwrap().bytes.len(), 12);
    stream.consume(6);
    stream.durable();
    writer.write_all(b"105,3\n").unwrap();
    assert_eq!(next(&mut stream, &woken), ("105,2\n105,3\n".to_owned(), false));
}

#[test]
fn half_a_record_that_a_restart_has_lost_is_counted() {
    let (mut writer, mut first, woken) = stream(StreamPosition::default());
    writer.write_all(b"105,1\n105,").unwrap();
    assert_eq!(next(&mut first, &woken).0, "105,1\n");
    let (mut writer, mut second, woken) = stream(first.position());
    assert_eq!((second.counters().vanished, second.counters().lost_bytes_suspected), (1, 4));
    writer.write_all(b"106,1\n").unwrap();
    assert_eq!(next(&mut second, &woken), ("106,1\n".to_owned(), false));
}

#[test]
fn a_packed_stream_is_unpacked_and_its_damage_told_after_what_is_before_it() {
    let (mut writer, mut stream, woken) = stream(StreamPosition::default());
    let packed = zstd::encode_all(&b"105,1\n"[..], 1).unwrap();
    writer.write_all(&packed[..packed.len() - 2]).unwrap();
    drop(writer);
    let mut text = String::new();
    let mut errors = 0;
    while !stream.is_over() {
        match stream.poll(at(1)) {
            Ok(Some(chunk)) => {
                text.push_str(std::str::from_utf8(chunk.bytes).unwrap());
                let used = chunk.bytes.len();
                stream.consume(used);
                stream.durable();
            }
            Ok(None) => woken.recv_timeout(Duration::from_mins(1)).unwrap(),
            Err(error) => {
                assert!(matches!(error, SourceError::Truncated { .. }), "{error}");
                errors += 1;
            }
        }
    }
    assert!("105,1\n".starts_with(&text), "{text:?}");
    assert_eq!(errors + stream.counters().damaged, 1, "it is told or counted");
}
