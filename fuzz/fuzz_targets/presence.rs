//! `cargo +nightly fuzz run presence`
#![no_main]

libfuzzer_sys::fuzz_target!(init: targets::quiet(), |data: &[u8]| {
    let _ = targets::presence(data);
});
