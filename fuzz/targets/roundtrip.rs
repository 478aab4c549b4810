#![no_main]

#[path = "../../tests/fuzz/roundtrip.rs"]
mod body;
#[path = "../../tests/common/model.rs"]
mod model;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
