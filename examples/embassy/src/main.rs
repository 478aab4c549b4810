//! The sensor station of `../firmware` in embassy: tasks that share one MQTT connection over a serial line, on a
//! Cortex-M3 without an allocator.
//!
//! - `station.rs`: keeps the connection, and publishes
//! - `sensors.rs`, `lamp.rs`: tasks that are independent of MQTT
//! - `reports.rs`: the channels between them
//! - `clock.rs`: embassy-time as the clock of the connection
//! - `serial.rs`: embedded-io-async over the board's UART
//! - `time_driver.rs`: SysTick as the clock of embassy-time
//! - `idle.rs`: an idle loop that sleeps in QEMU too
//! - `board.rs`: the board, and all `unsafe` code
#![no_std]
#![no_main]

mod board;
mod clock;
#[cfg(feature = "qemu")]
mod idle;
mod lamp;
mod reports;
mod sensors;
mod serial;
mod station;
mod time_driver;

use core::panic::PanicInfo;

use baremqtt::transport::asynch::Handle;
use baremqtt::{Buffers, Client};
#[cfg(not(feature = "qemu"))]
use defmt_rtt as _;
#[cfg(feature = "qemu")]
use defmt_semihosting as _;
use embassy_executor::Spawner;
use static_cell::{ConstStaticCell, StaticCell};

use station::Mqtt;

static RX: ConstStaticCell<[u8; 256]> = ConstStaticCell::new([0; 256]);
static TX: ConstStaticCell<[u8; 768]> = ConstStaticCell::new([0; 768]);
static MQTT: StaticCell<Mqtt> = StaticCell::new();

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let core = defmt::unwrap!(cortex_m::Peripherals::take());
    time_driver::start(core.SYST, board::CORE_HZ);
    let (input, output) = serial::start();
    let mqtt: &'static Mqtt = MQTT.init_with(|| {
        let buffers = Buffers { rx: &mut RX.take()[..], tx: &mut TX.take()[..] };
        let client = Client::with_config(buffers, station::Choices);
        Handle::new(client)
    });
    defmt::info!("station on {=str}", board::NAME);
    spawner.spawn(defmt::unwrap!(station::connect(mqtt, input, output)));
    spawner.spawn(defmt::unwrap!(station::publish(mqtt)));
    spawner.spawn(defmt::unwrap!(sensors::read()));
    spawner.spawn(defmt::unwrap!(lamp::blink(board::Lamp::start())));
    #[cfg(feature = "qemu")]
    spawner.spawn(defmt::unwrap!(idle::sleep()));
}

/// Prints nothing: a message would take more flash than the rest of the program.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        cortex_m::asm::wfi();
    }
}
