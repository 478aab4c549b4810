//! A board with firmware in it, emulated.

use std::env;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::mosquitto::Guarded;

/// An emulated board whose serial line leads to a broker. Dropping it is a power cut.
pub struct Board {
    _qemu: Guarded,
}

impl Board {
    /// Switches a board on. The serial line is joined again by itself when the broker comes back.
    pub fn start(machine: &str, firmware: &str, broker: SocketAddr) -> Self {
        // tests/all.sh puts it there.
        let firmware = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("firmware").join(firmware);
        assert!(firmware.is_file(), "{firmware:?} is missing: run `tests/all.sh firmware`");
        let (host, port) = (broker.ip(), broker.port());
        let qemu = Guarded::start(
            Command::new("qemu-system-arm")
                .args(["-M", machine, "-nographic", "-monitor", "none"])
                .args(["-chardev", &format!("socket,id=line,host={host},port={port},reconnect=1")])
                .args(["-serial", "chardev:line"])
                .args(["-semihosting-config", "enable=on,target=native"])
                .arg("-kernel")
                .arg(firmware)
                .stdin(Stdio::null())
                // The logs: not text, and decoded by nobody here.
                .stdout(Stdio::null()),
        );
        Board { _qemu: qemu }
    }
}
