//! The world of programs that are linked and not run.

use core::panic::PanicInfo;

use baremqtt::{Instant, QoS};

use super::any;

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

/// Whether a loop continues.
#[inline(always)]
pub fn more() -> bool {
    any(true)
}

/// One thing or the other.
#[inline(always)]
pub fn sometimes() -> bool {
    any(true)
}

/// One or the other.
#[inline(always)]
pub fn qos() -> QoS {
    any(QoS::ExactlyOnce)
}

/// The start of the program, including what all programs share.
macro_rules! program {
    ($state:expr, $run:expr) => {
        /// A section with the size of the state, from which the table takes it.
        #[unsafe(link_section = ".state")]
        static STATE: [u8; $state] = [0; $state];

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

pub(crate) use program;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
