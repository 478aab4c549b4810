#![no_main]

#[allow(dead_code, reason = "`progress` is a test of tests/properties")]
#[path = "../../tests/fuzz/client_session/mod.rs"]
mod body;
#[path = "../../tests/common/choices.rs"]
mod choices;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
