//! Decoding against the csv crate's loop that only counts the same rows.
//!
//! `cargo run --release -p tollwatch-cdr --example decode_speed [ROWS]`: rounds of both alternate over the
//! same bytes in memory, and the ratio of their medians is what counts.
#![allow(clippy::disallowed_methods, clippy::expect_used, reason = "a stopwatch")]
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tollwatch_cdr::{Decoder, Format, Place, Record, Rejected, Sink, Zone};

#[derive(Default)]
struct Sum {
    records: u64,
    rejected: u64,
    seconds: u64,
    sent: u64,
}

impl Sink for Sum {
    #[inline]
    fn record(&mut self, _: Place, record: &Record<'_>) {
        if let Record::Cdr(cdr) = record {
            self.records += 1;
            self.seconds += u64::from(cdr.billable_seconds);
            self.sent = self
                .sent
                .wrapping_add(cdr.sent.len() as u64 ^ cdr.identity.value() ^ cdr.started_at.micros() as u64);
            std::hint::black_box(cdr);
        }
    }
    fn passed_over(&mut self, _: Place) {}
    fn rejected(&mut self, _: &Rejected<'_>) {
        self.rejected += 1;
    }
}

/// Rows of 18 columns as `cdr_csv` writes them, in about the mix of an office.
fn rows(count: u64) -> Vec<u8> {
    let mut text = String::new();
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    for number in 0..count {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let extension = 1000 + random % 20_000;
        let second = number / 4;
        let (day, hour, minute, second) =
            (1 + second / 86_400 % 28, second / 3600 % 24, second / 60 % 60, second % 60);
        let duration = random >> 8 & 0x1f;
        let start = format!("2026-03-{day:02} {hour:02}:{minute:02}:{second:02}");
        let end = format!("2026-03-{day:02} {hour:02}:{minute:02}:{:02}", (second + duration).min(59));
        let duration = (second + duration).min(59) - second;
        let (answer, billable, disposition) = if random & 7 < 5 {
            (format!("\"{start}\""), duration, "ANSWERED")
        } else {
            (String::new(), 0, "NO ANSWER")
        };
        let dialled = format!("0{}", 300_000_000 + random % 600_000_000);
        let epoch = 1_772_323_200 + number / 4;
        let _ = writeln!(
            text,
            r#""tenant{}","{extension}","{dialled}","from-internal","""Name {extension}"" <{extension}>","PJSIP/{extension}-{:08x}","PJSIP/trunk-{:08x}","Dial","PJSIP/{dialled}@trunk,60,T","{start}",{answer},"{end}",{duration},{billable},"{disposition}","DOCUMENTATION","{epoch}.{number}","""#,
            extension % 50,
            number * 2,
            number * 2 + 1,
        );
    }
    text.into_bytes()
}

fn decode(bytes: &[u8]) -> Sum {
    let mut decoder = Decoder::new(
        Format::parse("asterisk_cdr_csv").expect("a format"),
        Zone::parse("Asia/Tokyo").expect("a zone"),
    );
    let mut sum = Sum::default();
    let (mut start, mut end) = (0, 0);
    while end < bytes.len() {
        end = (start + 512 * 1024).min(bytes.len());
        start += decoder.decode(bytes.get(start..end).unwrap_or_default(), end == bytes.len(), &mut sum);
    }
    sum
}

fn count(bytes: &[u8]) -> u64 {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    let mut count = 0;
    while reader.read_byte_record(&mut record).expect("rows of one width") {
        count += 1;
    }
    count
}

fn main() {
    let total = std::env::args().nth(1).and_then(|rows| rows.parse().ok()).unwrap_or(5_000_000u64);
    let rounds = 10;
    let bytes = rows(total / rounds);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let start = Instant::now();
        let counted = count(&bytes);
        theirs.push(start.elapsed());
        let start = Instant::now();
        let sum = decode(&bytes);
        ours.push(start.elapsed());
        assert_eq!((sum.records, sum.rejected), (counted, 0));
        std::hint::black_box((sum.seconds, sum.sent));
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64) * 1e9 / (total / rounds) as f64
    };
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    println!(
        "{:.0} bytes a row; csv count {theirs:.0} ns a row; decode {ours:.0} ns a row; ratio {:.2}",
        bytes.len() as f64 / (total / rounds) as f64,
        ours / theirs
    );
}
