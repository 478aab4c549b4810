//! What tests share: a real broker, and a link to it that can be cut.

// Each test program uses some of it.
#![allow(dead_code)]

pub mod mosquitto;
pub mod proxy;
