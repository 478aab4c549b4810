//! The programs in docs/: `cargo test --manifest-path tests/guide/Cargo.toml`.

#[doc = include_str!("../../docs/codec.md")]
mod codec {}
#[doc = include_str!("../../docs/comparison.md")]
mod comparison {}
#[doc = include_str!("../../docs/embassy.md")]
mod embassy {}
#[doc = include_str!("../../docs/firmware.md")]
mod firmware {}
#[doc = include_str!("../../docs/recipes.md")]
mod recipes {}
#[doc = include_str!("../../docs/server.md")]
mod server {}
#[doc = include_str!("../../docs/testing.md")]
mod testing {}
