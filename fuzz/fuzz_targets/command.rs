//! `cargo +nightly fuzz run command`
#![no_main]

libfuzzer_sys::fuzz_target!(init: targets::quiet(), |data: &[u8]| {
    let _ = targets::command(data);
});
