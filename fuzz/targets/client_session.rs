#![no_main]

#[path = "../../tests/fuzz/client_session/mod.rs"]
mod body;
#[path = "../../tests/common/image.rs"]
mod image;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
