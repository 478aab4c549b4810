//! A sensor station: MQTT 3.1 over a serial line, on a Cortex-M without an allocator.
//!
//! - `board/`: the three boards, of which a feature chooses one
//! - `serial.rs`: embedded-io over the board's UART
//! - `clock.rs`: SysTick as a clock
//! - `link.rs`: moves bytes between the client and the serial line
//! - `station.rs`: what the station does with it
#![no_std]
#![no_main]

mod board;
mod clock;
mod link;
mod serial;
mod station;

use core::panic::PanicInfo;

use baremqtt::{Buffers, Client};
use cortex_m_rt::entry;
#[cfg(not(feature = "semihosting"))]
use defmt_rtt as _;
#[cfg(feature = "semihosting")]
use defmt_semihosting as _;

use clock::Clock;
use link::Link;
use serial::Serial;
use station::Station;

#[entry]
fn main() -> ! {
    // `entry` makes a `&'static mut` of it.
    static mut CLIENT: link::Mqtt =
        Client::with_options(Buffers { rx: [0; link::RX], tx: [0; link::TX] }, station::OPTIONS);

    let Some(peripherals) = cortex_m::Peripherals::take() else { halt() };
    let clock = Clock::start(peripherals.SYST, board::CORE_HZ);
    let line = Serial::new(board::Uart::start());
    defmt::info!("station on {=str}", board::NAME);
    Station::new(Link::new(line, CLIENT), clock).run()
}

/// Says nothing: a message would take more flash than the rest of the program.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    halt()
}

fn halt() -> ! {
    loop {
        cortex_m::asm::wfi();
    }
}
