//! BBC micro:bit of the first generation (nRF51822), Cortex-M0: `qemu-system-arm -M microbit`.
//!
//! QEMU emulates a SysTick, which the real chip does not have; there, use one of its timers as the clock.

use embedded_io::ErrorKind;

use super::{Port, Register};

pub const NAME: &str = "microbit";
pub const CORE_HZ: u32 = 16_000_000;

// SAFETY: the data sheet's addresses of UART0; only this module uses them.
const START_RX: Register = unsafe { Register::at(0x4000_2000) };
const START_TX: Register = unsafe { Register::at(0x4000_2008) };
const RX_READY: Register = unsafe { Register::at(0x4000_2108) };
const TX_READY: Register = unsafe { Register::at(0x4000_211C) };
const ERRORS: Register = unsafe { Register::at(0x4000_2480) };
const ENABLE: Register = unsafe { Register::at(0x4000_2500) };
const TX_PIN: Register = unsafe { Register::at(0x4000_250C) };
const RX_PIN: Register = unsafe { Register::at(0x4000_2514) };
const RX: Register = unsafe { Register::at(0x4000_2518) };
const TX: Register = unsafe { Register::at(0x4000_251C) };
const BAUD_RATE: Register = unsafe { Register::at(0x4000_2524) };

const ON: u32 = 4;
const BAUD_115200: u32 = 0x01D7_E000;
/// The pins that are connected to the USB interface.
const USB_TX_PIN: u32 = 24;
const USB_RX_PIN: u32 = 25;

pub struct Uart {
    /// A byte was passed to the transmitter, which signals when it is ready for the next one.
    sending: bool,
}

impl Uart {
    /// 115,200 baud.
    pub fn start() -> Self {
        TX_PIN.write(USB_TX_PIN);
        RX_PIN.write(USB_RX_PIN);
        BAUD_RATE.write(BAUD_115200);
        ENABLE.write(ON);
        START_TX.write(1);
        START_RX.write(1);
        Uart { sending: false }
    }
}

impl Port for Uart {
    fn has_byte(&self) -> bool {
        RX_READY.read() != 0
    }

    fn byte(&mut self) -> Result<u8, ErrorKind> {
        // In this order, because reading makes room for the next byte, and so for the next event.
        RX_READY.write(0);
        let byte = RX.read() as u8;
        let errors = ERRORS.read();
        ERRORS.write(errors);
        if errors == 0 { Ok(byte) } else { Err(ErrorKind::Other) }
    }

    fn has_room(&self) -> bool {
        !self.sending || TX_READY.read() != 0
    }

    fn put(&mut self, byte: u8) {
        TX_READY.write(0);
        TX.write(byte.into());
        self.sending = true;
    }
}
