#![no_main]

#[path = "../../tests/fuzz/routes.rs"]
mod body;
#[path = "../../tests/common/topic_rules.rs"]
mod topic_rules;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
