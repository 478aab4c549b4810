//! Gives the linker the memory of the emulated board, for programs that run.

use std::path::PathBuf;
use std::{env, fs};

const MEMORY: &str = "../../examples/firmware/memory/lm3s6965evb.x";

fn main() {
    if env::var_os("CARGO_FEATURE_EMULATED").is_none() {
        return;
    }
    println!("cargo:rerun-if-changed={MEMORY}");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where"));
    fs::copy(MEMORY, out.join("memory.x")).expect("a copy for the linker");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
}
