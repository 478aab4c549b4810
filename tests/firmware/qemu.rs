//! An emulated board with firmware.

use std::env;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::mosquitto::Guarded;

/// An emulated board whose serial line, or whose network, is connected to a broker. Dropping it is a power cut.
pub struct Board {
    _qemu: Guarded,
}

impl Board {
    /// Starts a board. The serial line is reconnected automatically when the broker comes back.
    pub fn start(machine: &str, firmware: &str, broker: SocketAddr) -> Self {
        let (host, port) = (broker.ip(), broker.port());
        let line = format!("socket,id=line,host={host},port={port},reconnect=1");
        Self::start_qemu(machine, firmware, &["-chardev", &line, "-serial", "chardev:line"])
    }

    /// Starts a board with an address in a network of its own, which contains only the broker.
    pub fn start_on_ethernet(machine: &str, firmware: &str, broker: SocketAddr) -> Self {
        let (host, port) = (broker.ip(), broker.port());
        let both_ways = "cat <&4 >&3 & cat <&3 & wait -n; kill $(jobs -p)";
        let pass = format!("bash -c 'exec 3<>/dev/tcp/{host}/{port} 4<&0; {both_ways}'");
        let net = format!("user,model=stellaris,restrict=on,guestfwd=tcp:10.0.2.9:1883-cmd:{pass}");
        Self::start_qemu(machine, firmware, &["-serial", "none", "-nic", &net])
    }

    fn start_qemu(machine: &str, firmware: &str, connection: &[&str]) -> Self {
        // tests/all.sh puts it there.
        let firmware = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("firmware").join(firmware);
        assert!(firmware.is_file(), "{firmware:?} is missing: run `tests/all.sh firmware`");
        let qemu = Guarded::start(
            Command::new("qemu-system-arm")
                .args(["-M", machine, "-nographic", "-monitor", "none"])
                .args(connection)
                .args(["-semihosting-config", "enable=on,target=native"])
                .arg("-kernel")
                .arg(firmware)
                .stdin(Stdio::null())
                // The logs: they are not text, and nothing decodes them here.
                .stdout(Stdio::null()),
        );
        Board { _qemu: qemu }
    }
}
