//! One test for each normative statement of MQTT 3.1.1 that applies to a client: `mqtt_3_1_2_23` is for MQTT-3.1.2-23.
//! The table in `tests/README.md` maps each statement to its test; `table.rs` checks that it is complete.

#[path = "../common/choices.rs"]
mod choices;
mod connect;
mod delivery;
mod disconnect;
#[path = "../client/harness.rs"]
mod harness;
mod packets;
mod strings;
mod table;
