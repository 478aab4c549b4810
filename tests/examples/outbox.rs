//! `outbox`, with the example broker.

use crate::kills::kill_outbox;
use crate::start;

#[test]
fn killed_fifty_times_it_sends_and_receives_each_message_once() {
    let server = start();
    kill_outbox(server.addr());
}
