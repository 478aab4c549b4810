//! Stellaris LM3S6965 evaluation board, Cortex-M3: `qemu-system-arm -M lm3s6965evb`. The UART is that of `../firmware`,
//! which does not use interrupts. This file adds interrupts and a lamp.

#[path = "../../firmware/src/board/lm3s6965evb.rs"]
mod lm3s6965evb;
#[path = "../../firmware/src/board/port.rs"]
mod port;
#[path = "../../firmware/src/board/register.rs"]
mod register;

use cortex_m::peripheral::NVIC;
use lm3s6965::Interrupt;

use lm3s6965evb::Uart;
pub use lm3s6965evb::{CORE_HZ, NAME};
pub use port::Port;
use register::Register;

// SAFETY: the data sheet's addresses of UART0, GPIO F and its clock; only this module uses them.
const INTERRUPT_MASK: Register = unsafe { Register::at(0x4000_C038) };
const GPIO_CLOCKS: Register = unsafe { Register::at(0x400F_E108) };
const LAMP: Register = unsafe { Register::at(0x4002_5004) };
const DIRECTION: Register = unsafe { Register::at(0x4002_5400) };
const DIGITAL: Register = unsafe { Register::at(0x4002_551C) };

/// The receiver's FIFO is half full, or it is not empty and the line is idle.
const RECEIVED: u32 = 1 << 4 | 1 << 6;
/// The transmitter's FIFO has become half empty.
const SENT: u32 = 1 << 5;
const GPIO_F_CLOCK: u32 = 1 << 5;
const LAMP_PIN: u32 = 1;

/// The UART with its interrupt, `UART0`.
pub struct InterruptUart {
    pub port: Uart,
}

impl InterruptUart {
    /// Starts it without interrupts.
    pub fn start() -> Self {
        let port = Uart::start();
        INTERRUPT_MASK.write(0);
        // SAFETY: no critical section relies on this interrupt being masked.
        unsafe { NVIC::unmask(Interrupt::UART0) };
        InterruptUart { port }
    }

    /// Whether received bytes cause interrupts, for as long as there are any.
    pub fn interrupt_when_received(&mut self, wanted: bool) {
        Self::interrupt_when(RECEIVED, wanted);
    }

    /// Whether room for bytes to send causes interrupts.
    pub fn interrupt_when_sent(&mut self, wanted: bool) {
        Self::interrupt_when(SENT, wanted);
    }

    fn interrupt_when(causes: u32, wanted: bool) {
        let others = INTERRUPT_MASK.read() & !causes;
        INTERRUPT_MASK.write(if wanted { others | causes } else { others });
    }
}

/// The status LED.
pub struct Lamp(());

impl Lamp {
    pub fn start() -> Self {
        GPIO_CLOCKS.write(GPIO_CLOCKS.read() | GPIO_F_CLOCK);
        // The port can be used after three cycles.
        cortex_m::asm::delay(3);
        DIRECTION.write(DIRECTION.read() | LAMP_PIN);
        DIGITAL.write(DIGITAL.read() | LAMP_PIN);
        Lamp(())
    }

    pub fn set(&mut self, on: bool) {
        LAMP.write(if on { LAMP_PIN } else { 0 });
    }
}
