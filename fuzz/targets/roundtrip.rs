#![no_main]

#[path = "../../tests/fuzz/roundtrip.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
