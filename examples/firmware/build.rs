//! Passes the memory map of the selected board to the linker.

use std::path::PathBuf;
use std::{env, fs};

const BOARDS: [&str; 3] = ["lm3s6965evb", "mps2-an386", "microbit"];

fn main() {
    let is_chosen = |board: &&str| {
        let feature = board.to_uppercase().replace('-', "_");
        env::var_os(format!("CARGO_FEATURE_{feature}")).is_some()
    };
    let chosen: Vec<&str> = BOARDS.into_iter().filter(is_chosen).collect();
    let [board] = chosen[..] else {
        panic!("choose one board of {BOARDS:?}; the default needs --no-default-features to go");
    };
    let memory = format!("memory/{board}.x");
    println!("cargo:rerun-if-changed={memory}");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where"));
    fs::copy(memory, out.join("memory.x")).expect("a copy for the linker");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    // Both Debian's and rustup's linker understand this.
    println!("cargo:rustc-link-arg-bins=--nmagic");
}
