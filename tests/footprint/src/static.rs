//! A client in a static: in its beginning it is nothing but zeros, which take no flash.
#![no_std]
#![no_main]

mod config;
mod world;

static mut CLIENT: config::Mqtt = config::client();

world::program!(0, {
    world::any(&raw mut CLIENT);
});
