//! `examples/ethernet`, on the network.

use crate::operator::{Operator, broker};
use crate::qemu::Board;

fn start(broker: &crate::mosquitto::Mosquitto) -> Board {
    Board::start_on_ethernet("lm3s6965evb", "ethernet", broker.addr())
}

/// Two consecutive temperatures.
fn expect_temperatures(operator: &mut Operator) {
    let mut receive = || operator.receive("temperature", 1).parse::<u32>().expect("a number");
    let (first, second) = (receive(), receive());
    assert_eq!(second, 20 + (first + 1) % 10);
}

#[test]
fn publishes_over_tcp_and_leaves_a_will() {
    let broker = broker();
    let mut operator = Operator::listen(&broker);
    let board = start(&broker);
    operator.wait_for("status", 1, "online");
    expect_temperatures(&mut operator);
    drop(board);
    operator.wait_for("status", 1, "offline");
}

#[test]
fn reconnects_after_the_broker_was_killed() {
    let mut broker = broker();
    let _board = start(&broker);
    Operator::listen(&broker).wait_for("status", 1, "online");
    for _ in 0..2 {
        broker.kill();
        broker.restart();
        let mut operator = Operator::listen(&broker);
        operator.wait_for("status", 1, "online");
        expect_temperatures(&mut operator);
    }
}
