//! What all the programs have: a transport, a clock, and arguments of which the optimiser knows nothing.
//!
//! Without the last, it would check topics while it compiles, and the figures would be too good.

use core::hint::black_box;
use core::mem::size_of;
use core::panic::PanicInfo;

use baremqtt::{Client, Instant};

/// A client with eight requests under way, without its buffers.
#[allow(dead_code, reason = "not all programs have one")]
pub const CLIENT: usize = size_of::<Client<[u8; 0], [u8; 0], 8>>();

/// A value that the optimiser knows nothing of.
#[inline(always)]
pub fn any<T>(value: T) -> T {
    black_box(value)
}

#[inline(never)]
pub fn write(bytes: &[u8]) -> usize {
    any(bytes).len()
}

#[inline(never)]
pub fn read(buffer: &mut [u8]) -> usize {
    any(buffer).len()
}

#[inline(never)]
pub fn now() -> Instant {
    Instant::from_millis(any(1))
}

/// A section as large as the state is: that is how the table learns it.
macro_rules! state {
    ($bytes:expr) => {
        #[unsafe(link_section = ".state")]
        static STATE: [u8; $bytes] = [0; $bytes];
    };
}

/// Begins the program, and keeps what belongs to all of them in it.
macro_rules! program {
    ($state:expr, $run:expr) => {
        world::state!($state);

        // SAFETY: no other symbol of this name is in the program, which has no start-up code.
        #[unsafe(no_mangle)]
        extern "C" fn _start() {
            world::any(&STATE);
            world::write(world::any(&[]));
            world::read(world::any(&mut []));
            world::any(world::now());
            $run
        }
    };
}

pub(crate) use {program, state};

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
