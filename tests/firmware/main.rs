//! The firmware of `examples/firmware`, `examples/embassy` and `examples/ethernet` on emulated boards, with the serial line or the
//! network connected to a Mosquitto. Mosquitto's own clients receive its messages, and send it messages.
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
