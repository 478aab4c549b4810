//! The lines that `log` receives. (`defmt` receives the same, if `DEFMT_LOG` enables it at compile time.)

use std::cell::RefCell;

use baremqtt::codec::Packet;
use log::{LevelFilter, Log, Metadata, Record};

use crate::conversation::{async_over, connect, end};
use crate::wire::Wire;

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Lines;

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format!("{} {}", record.level(), record.args());
        LINES.with_borrow_mut(|lines| lines.push(line));
    }

    fn flush(&self) {}
}

#[test]
fn a_connection_and_its_end() {
    log::set_logger(&Lines).expect("there is no other");
    log::set_max_level(LevelFilter::Trace);
    let io = Wire::default();
    let mut adapter = async_over(&io);
    connect(&mut adapter);
    io.peer().send(&Packet::PingReq);
    end(&mut adapter);
    assert_eq!(
        LINES.take(),
        [
            "INFO MQTT: connected",
            "WARN MQTT: the server broke the protocol: packet that a server does not send here [MQTT-4.8.0-1]",
        ]
    );
}
