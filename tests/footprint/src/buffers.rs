//! The buffers of the application, zeroed, and nothing else.
#![no_std]
#![no_main]

mod world;

use world::any;

world::program!(0, {
    any(&mut [0_u8; 256 + 256]);
});
