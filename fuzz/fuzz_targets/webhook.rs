//! Alertmanager's webhook: `cargo +nightly fuzz run webhook`.
#![no_main]

#[path = "../checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    checks::webhook(bytes);
});
