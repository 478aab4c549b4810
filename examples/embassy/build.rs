//! Passes the linker scripts; the crate `lm3s6965` contains the board's memory map.

fn main() {
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    // Both Debian's and rustup's linker understand this.
    println!("cargo:rustc-link-arg-bins=--nmagic");
}
