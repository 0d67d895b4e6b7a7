//! `cargo +nightly fuzz run frame`
#![no_main]

libfuzzer_sys::fuzz_target!(init: targets::quiet(), |data: &[u8]| {
    let _ = targets::frame(data);
});
