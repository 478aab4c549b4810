#![no_main]

#[path = "../../tests/fuzz/restore.rs"]
mod body;
#[path = "../../tests/common/choices.rs"]
mod choices;
#[path = "../../tests/common/image.rs"]
mod image;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
