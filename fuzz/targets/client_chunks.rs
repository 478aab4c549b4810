#![no_main]

#[path = "../../tests/fuzz/client_chunks.rs"]
mod body;
#[path = "../../tests/common/choices.rs"]
mod choices;
#[path = "../../tests/common/model.rs"]
mod model;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
