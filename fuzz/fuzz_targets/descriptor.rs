//! Any text as a descriptor: a format, or all that is wrong with it.
#![no_main]
use libfuzzer_sys::fuzz_target;
use tollwatch_cdr::Format;

fuzz_target!(|text: &str| {
    if let Err(error) = Format::define(text) {
        assert!(!error.faults.is_empty());
    }
});
