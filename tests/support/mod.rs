//! What tests share: a real broker, a link to it that can be cut, and what goes over that.

// Each test program uses some of it.
#![allow(dead_code)]

pub mod mosquitto;
pub mod order;
pub mod proxy;
pub mod wire;
