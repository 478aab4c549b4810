//! Tells the linker what goes where; the memory of the board is known to the crate `lm3s6965`.

fn main() {
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    // Debian's and rustup's linker agree on this one.
    println!("cargo:rustc-link-arg-bins=--nmagic");
}
