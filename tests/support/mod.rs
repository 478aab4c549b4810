//! Shared by the tests: a real broker, a link to it that can be cut, and checks of the traffic over it.

// Each test program uses some of it.
#![allow(dead_code)]

pub mod mosquitto;
pub mod order;
pub mod proxy;
pub mod wire;
