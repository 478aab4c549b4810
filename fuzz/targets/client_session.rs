#![no_main]

#[path = "../../tests/fuzz/client_session/mod.rs"]
mod body;
#[path = "../../tests/common/choices.rs"]
mod choices;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
