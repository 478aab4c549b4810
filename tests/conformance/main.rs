//! One test for each normative statement of MQTT 3.1.1 that binds a client: `mqtt_3_1_2_23` is for MQTT-3.1.2-23.
//! The table in `tests/README.md` leads from each statement to its test; `table.rs` sees that it is complete.

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
