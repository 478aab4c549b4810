//! Nothing: the baseline for the others.
#![no_std]
#![no_main]

mod world;

world::program!(0, ());
