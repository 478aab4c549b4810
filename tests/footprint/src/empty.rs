//! Nothing: what the others are compared with.
#![no_std]
#![no_main]

mod world;

world::program!(0, ());
