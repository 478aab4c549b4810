#![no_main]

#[path = "../../tests/fuzz/other_codecs.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
