//! The client with the `std` adapter against a real Mosquitto: over links that are cut, with a broker that is stopped or
//! killed, as time passes, with messages of any size. Needs `mosquitto`.

mod acknowledging;
mod backlog;
mod cuts;
mod keep_alive;
mod killed;
mod large;
mod mixed;
mod peer;
mod restored;
mod rough;
mod traffic;

#[path = "../common/choices.rs"]
mod choices;
#[path = "../support/mod.rs"]
mod support;
