//! Any bytes as `asterisk_ami`, cut by what the first bytes say.
#![no_main]
#[path = "../../crates/cdr/tests/common/check.rs"]
mod check;
use libfuzzer_sys::fuzz_target;
use tollwatch_cdr::Format;

fuzz_target!(|data: &[u8]| {
    let Ok(format) = Format::parse("asterisk_ami") else { return };
    let (cuts, input) = data.split_at(data.len().min(4));
    let cuts: Vec<usize> = cuts.iter().map(|&cut| usize::from(cut) * 3).collect();
    check::any_bytes_are_accounted_for_however_they_are_cut(format, input, &cuts);
});
