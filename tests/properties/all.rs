//! What holds for any packet and any topic. The inputs are drawn; what fails is made small.

#[path = "../common/model.rs"]
mod model;
mod roundtrip;
mod topics;
