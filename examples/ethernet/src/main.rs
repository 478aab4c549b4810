//! A thermometer on Ethernet, without an operating system or an allocator: embassy-net and the async runner on a Cortex-M3.
//!
//! - `thermometer.rs`: keeps the connection, and publishes
//! - `ethernet.rs`: the driver for the chip's Ethernet controller, with all `unsafe` code
//! - of `../embassy`: `clock.rs`, embassy-time as the clock of the connection; `time_driver.rs`, SysTick as the clock of embassy-time;
//!   `idle.rs`, an idle loop that sleeps in QEMU too
#![no_std]
#![no_main]

#[path = "../../embassy/src/clock.rs"]
mod clock;
mod ethernet;
#[cfg(feature = "qemu")]
#[path = "../../embassy/src/idle.rs"]
mod idle;
mod thermometer;
#[path = "../../embassy/src/time_driver.rs"]
mod time_driver;

use core::panic::PanicInfo;

#[cfg(not(feature = "qemu"))]
use defmt_rtt as _;
#[cfg(feature = "qemu")]
use defmt_semihosting as _;
use embassy_executor::Spawner;
use embassy_net::{Config, Runner, StackResources};
use static_cell::{ConstStaticCell, StaticCell};

use ethernet::Ethernet;
use thermometer::Mqtt;

/// The frequency of the core after reset, in Hz.
const CORE_HZ: u32 = 12_000_000;

/// Unique to this board: a local address, and the seed for TCP and DHCP.
const MAC: [u8; 6] = [2, 0, 0, 0, 0, 17];
const SEED: u64 = 17;

/// The sockets for the broker and for DHCP.
static RESOURCES: StaticCell<StackResources<2>> = StaticCell::new();
static ETHERNET: ConstStaticCell<Ethernet> = ConstStaticCell::new(Ethernet::new(MAC));
static MQTT: ConstStaticCell<Mqtt> = ConstStaticCell::new(thermometer::new());

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let core = defmt::unwrap!(cortex_m::Peripherals::take());
    time_driver::start(core.SYST, CORE_HZ);
    let ethernet = ETHERNET.take();
    ethernet.start();
    let resources = RESOURCES.init_with(StackResources::new);
    let (stack, runner) = embassy_net::new(ethernet, Config::dhcpv4(Default::default()), resources, SEED);
    let mqtt: &'static Mqtt = MQTT.take();
    spawner.spawn(defmt::unwrap!(run(runner)));
    spawner.spawn(defmt::unwrap!(thermometer::link(mqtt, stack)));
    spawner.spawn(defmt::unwrap!(thermometer::measure(mqtt)));
    #[cfg(feature = "qemu")]
    spawner.spawn(defmt::unwrap!(idle::sleep()));
}

#[embassy_executor::task]
async fn run(mut runner: Runner<'static, &'static mut Ethernet>) -> ! {
    runner.run().await
}

/// Prints nothing: a message would take more flash than the rest of the program.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        cortex_m::asm::wfi();
    }
}
