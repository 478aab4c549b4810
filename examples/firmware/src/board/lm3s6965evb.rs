//! Stellaris LM3S6965 evaluation board, Cortex-M3: `qemu-system-arm -M lm3s6965evb`. Its UART is a PL011.

use embedded_io::ErrorKind;

use super::{Port, Register};

pub const NAME: &str = "lm3s6965evb";
pub const CORE_HZ: u32 = 12_500_000;

// SAFETY: the data sheet's addresses of UART0 and of the clocks; only this module uses them.
const CLOCKS: Register = unsafe { Register::at(0x400F_E104) };
const DATA: Register = unsafe { Register::at(0x4000_C000) };
const FLAGS: Register = unsafe { Register::at(0x4000_C018) };
const BAUD_INTEGER: Register = unsafe { Register::at(0x4000_C024) };
const BAUD_FRACTION: Register = unsafe { Register::at(0x4000_C028) };
const LINE: Register = unsafe { Register::at(0x4000_C02C) };
const CONTROL: Register = unsafe { Register::at(0x4000_C030) };

const UART0_CLOCK: u32 = 1;
const RX_EMPTY: u32 = 1 << 4;
const TX_FULL: u32 = 1 << 5;
/// 8 bits, no parity, one stop bit, FIFOs on.
const EIGHT_N_ONE: u32 = 0x70;
/// UART, transmitter and receiver on.
const ON: u32 = 0x301;
/// Bits next to a byte that report an overrun, a break, wrong parity or wrong framing.
const ERRORS: u32 = 0xF00;

pub struct Uart;

impl Uart {
    /// 115,200 baud.
    pub fn start() -> Self {
        CLOCKS.write(CLOCKS.read() | UART0_CLOCK);
        CONTROL.write(0);
        // 12.5 MHz / (16 * 115,200) = 6 + 50 / 64
        BAUD_INTEGER.write(6);
        BAUD_FRACTION.write(50);
        LINE.write(EIGHT_N_ONE);
        CONTROL.write(ON);
        Uart
    }
}

impl Port for Uart {
    fn has_byte(&self) -> bool {
        FLAGS.read() & RX_EMPTY == 0
    }

    fn byte(&mut self) -> Result<u8, ErrorKind> {
        let data = DATA.read();
        if data & ERRORS == 0 { Ok(data as u8) } else { Err(ErrorKind::Other) }
    }

    fn has_room(&self) -> bool {
        FLAGS.read() & TX_FULL == 0
    }

    fn put(&mut self, byte: u8) {
        DATA.write(byte.into());
    }
}
