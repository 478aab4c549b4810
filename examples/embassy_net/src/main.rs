//! A thermometer in embassy: tasks share a connection over embassy-net, with optional TLS, which is reopened when it is lost.
//!
//! ```text
//! device: thermometer -> Handle -> link: Runner -> [TLS] -> embassy-net  ==cable==  gateway -> the broker
//! ```
//!
//! On a board, `device` stays the same; a driver for Ethernet or Wi-Fi replaces the cable, and a router the gateway.

mod cable;
mod device;
mod gateway;
mod options;
mod tls;

use std::process;

use embassy_executor::Spawner;
use embassy_net::{Config, Ipv4Address, Ipv4Cidr, Stack, StackResources, StaticConfigV4};
use static_cell::StaticCell;

use cable::Plug;
use device::Mqtt;

const DEVICE: Ipv4Address = Ipv4Address::new(10, 0, 0, 2);
const GATEWAY: Ipv4Address = Ipv4Address::new(10, 0, 0, 1);

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    static MQTT: StaticCell<Mqtt> = StaticCell::new();

    let options = options::read();
    let (plug, other_plug) = cable::new();
    let stack = start(&spawner, plug, DEVICE);
    let other_stack = start(&spawner, other_plug, GATEWAY);
    spawner.spawn(gateway::pass(other_stack, options.broker).unwrap());

    let mqtt = MQTT.init(device::new());
    spawner.spawn(device::link(mqtt, stack, GATEWAY, options.ca).unwrap());
    let measured = device::measure(mqtt, options.count).await;
    // Closes the link properly.
    mqtt.stop();
    embassy_time::Timer::after_millis(300).await;
    process::exit(match measured {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error}");
            1
        }
    });
}

/// A TCP/IP stack with this address.
fn start(spawner: &Spawner, plug: Plug, address: Ipv4Address) -> Stack<'static> {
    let resources = Box::leak(Box::new(StackResources::<2>::new()));
    let address = Ipv4Cidr::new(address, 24);
    let config = StaticConfigV4 { address, gateway: None, dns_servers: Default::default() };
    let seed = u64::from(process::id());
    let (stack, runner) = embassy_net::new(plug, Config::ipv4_static(config), resources, seed);
    spawner.spawn(run(runner).unwrap());
    stack
}

#[embassy_executor::task(pool_size = 2)]
async fn run(mut runner: embassy_net::Runner<'static, Plug>) -> ! {
    runner.run().await
}
