//! A sensor station: MQTT 3.1 over a serial line, on a Cortex-M without an allocator.
//!
//! - `board/`: the three boards; a feature chooses one
//! - `serial.rs`: embedded-io over the board's UART
//! - `clock.rs`: SysTick as a clock
//! - `station.rs`: the application
#![no_std]
#![no_main]

mod board;
mod clock;
mod serial;
mod station;

use core::panic::PanicInfo;

use baremqtt::{Buffers, Client};
use cortex_m_rt::entry;
#[cfg(not(feature = "semihosting"))]
use defmt_rtt as _;
#[cfg(feature = "semihosting")]
use defmt_semihosting as _;

use serial::Serial;
use station::{Choices, Station};

#[entry]
fn main() -> ! {
    // `entry` turns each of these into a `&'static mut`.
    static mut RX: [u8; 256] = [0; 256];
    static mut TX: [u8; 768] = [0; 768];

    let Some(peripherals) = cortex_m::Peripherals::take() else { halt() };
    clock::start(peripherals.SYST, board::CORE_HZ);
    let line = Serial::new(board::Uart::start());
    let client = Client::with_config(Buffers { rx: &mut RX[..], tx: &mut TX[..] }, Choices);
    defmt::info!("station on {=str}", board::NAME);
    Station::new(line, client).run()
}

/// Prints nothing: a message would take more flash than the rest of the program.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    halt()
}

fn halt() -> ! {
    loop {
        cortex_m::asm::wfi();
    }
}
