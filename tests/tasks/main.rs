//! The async runner and its handles, under an executor that polls only what was woken, over streams that are as awkward as can be.

#[path = "../adapters/peer.rs"]
mod peer;

mod links;
mod talks;
mod world;
