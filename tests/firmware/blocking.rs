//! `examples/firmware`, on its three boards.

use crate::operator::{Operator, broker, send};
use crate::station::Station;

const fn on(board: &'static str) -> Station {
    Station {
        machine: board,
        firmware: board,
        version: "p1",
        interval: |ms| ("station/command", format!("interval {ms}")),
    }
}

const LM3S6965EVB: Station = on("lm3s6965evb");
const MPS2_AN386: Station = on("mps2-an386");
const MICROBIT: Station = on("microbit");

#[test]
fn lm3s6965evb_publishes_at_each_qos_and_executes_commands() {
    LM3S6965EVB.publishes_at_each_qos_and_executes_commands();
}

#[test]
fn mps2_an386_publishes_at_each_qos_and_executes_commands() {
    MPS2_AN386.publishes_at_each_qos_and_executes_commands();
}

#[test]
fn microbit_publishes_at_each_qos_and_executes_commands() {
    MICROBIT.publishes_at_each_qos_and_executes_commands();
}

#[test]
fn stays_connected_while_idle_and_leaves_a_will() {
    LM3S6965EVB.stays_connected_while_idle_and_leaves_a_will();
}

#[test]
fn lm3s6965evb_reconnects_after_the_broker_was_killed() {
    LM3S6965EVB.reconnects_after_the_broker_was_killed();
}

#[test]
fn mps2_an386_reconnects_after_the_broker_was_killed() {
    MPS2_AN386.reconnects_after_the_broker_was_killed();
}

#[test]
fn microbit_reconnects_after_the_broker_was_killed() {
    MICROBIT.reconnects_after_the_broker_was_killed();
}

#[test]
fn lm3s6965evb_receives_a_message_that_is_larger_than_its_buffer() {
    receives_a_message_that_is_larger_than_its_buffer(&LM3S6965EVB);
}

#[test]
fn mps2_an386_receives_a_message_that_is_larger_than_its_buffer() {
    receives_a_message_that_is_larger_than_its_buffer(&MPS2_AN386);
}

#[test]
fn microbit_receives_a_message_that_is_larger_than_its_buffer() {
    receives_a_message_that_is_larger_than_its_buffer(&MICROBIT);
}

fn receives_a_message_that_is_larger_than_its_buffer(station: &Station) {
    let broker = broker();
    let mut operator = Operator::listen(&broker);
    let _board = station.start(&broker);
    operator.wait_for("status", 1, "online");
    let numbers: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
    for file in [numbers.join(" "), "123456789".to_owned()] {
        send(&broker, "station/file", "2", &file);
        let report = format!("{} {}", file.len(), crc32(file.as_bytes()));
        assert_eq!(operator.receive("received", 1), report);
    }
    // The check value found in every table of CRCs.
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    })
}
