//! A client in a static: its initial value is all zeros, which take no flash.
#![no_std]
#![no_main]

mod config;
mod world;

static mut CLIENT: config::Mqtt = config::client();

world::program!(0, {
    world::any(&raw mut CLIENT);
});
