//! The client with the `std` adapter against a real Mosquitto: over links that are cut, with a broker that is stopped or
//! killed, as time passes, with messages of any size. Needs `mosquitto`.

mod acknowledging;
mod backlog;
mod broker_killed;
mod cut_links;
mod keep_alive;
mod large_messages;
mod mixed_qos;
mod peer;
mod restored_sessions;
mod rough_links;
mod traffic;

#[path = "../common/choices.rs"]
mod choices;
#[path = "../support/mod.rs"]
mod support;
