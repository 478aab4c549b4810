//! The firmware of `examples/firmware`, `examples/embassy` and `examples/ethernet` on emulated boards, with its serial line, or its
//! network, joined to a Mosquitto. What it says is heard, and what it is told is said, by Mosquitto's own clients.
//!
//! ```text
//! tests/all.sh firmware
//! ```

#[path = "../clients/process.rs"]
mod process;

#[path = "../support/mosquitto.rs"]
#[allow(dead_code)]
mod mosquitto;

mod blocking;
mod embassy;
mod ethernet;
mod operator;
mod qemu;
mod station;
