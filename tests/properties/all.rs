//! Properties of every packet and every topic. The inputs are random; failures are minimised.

#[path = "../common/model.rs"]
mod model;
mod roundtrip;
mod topics;
