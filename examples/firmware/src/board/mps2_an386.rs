//! Arm MPS2 with the FPGA image AN386, Cortex-M4F: `qemu-system-arm -M mps2-an386`. Its UART is a CMSDK UART.

use embedded_io::ErrorKind;

use super::{Port, Register};

pub const NAME: &str = "mps2-an386";
pub const CORE_HZ: u32 = 25_000_000;

// SAFETY: the data sheet's addresses of UART0; only this module uses them.
const DATA: Register = unsafe { Register::at(0x4000_4000) };
const STATE: Register = unsafe { Register::at(0x4000_4004) };
const CONTROL: Register = unsafe { Register::at(0x4000_4008) };
const BAUD_DIVIDER: Register = unsafe { Register::at(0x4000_4010) };

const TX_FULL: u32 = 1;
const RX_FULL: u32 = 1 << 1;
const RX_OVERRUN: u32 = 1 << 3;
/// Transmitter and receiver on.
const ON: u32 = 3;

pub struct Uart;

impl Uart {
    /// 115,200 baud.
    pub fn start() -> Self {
        BAUD_DIVIDER.write(CORE_HZ / 115_200);
        CONTROL.write(ON);
        Uart
    }
}

impl Port for Uart {
    fn has_byte(&self) -> bool {
        STATE.read() & RX_FULL != 0
    }

    fn byte(&mut self) -> Result<u8, ErrorKind> {
        let overrun = STATE.read() & RX_OVERRUN;
        STATE.write(overrun);
        let byte = DATA.read() as u8;
        if overrun == 0 { Ok(byte) } else { Err(ErrorKind::Other) }
    }

    fn has_room(&self) -> bool {
        STATE.read() & TX_FULL == 0
    }

    fn put(&mut self, byte: u8) {
        DATA.write(byte.into());
    }
}
