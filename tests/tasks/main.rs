//! The async runner and its handles, under an executor that polls only tasks that were woken,
//! over streams that are as awkward as possible.

#[path = "../adapters/peer.rs"]
mod peer;

mod at_the_same_time;
mod dropped;
mod finishing;
mod link_lifecycle;
mod live_link;
mod world;
