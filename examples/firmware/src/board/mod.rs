//! The board: its name, its clock, and the UART that the broker is at the other end of.

#[cfg(feature = "lm3s6965evb")]
mod lm3s6965evb;
#[cfg(feature = "lm3s6965evb")]
pub use lm3s6965evb::*;

#[cfg(feature = "microbit")]
mod microbit;
#[cfg(feature = "microbit")]
pub use microbit::*;

#[cfg(feature = "mps2-an386")]
mod mps2_an386;
#[cfg(feature = "mps2-an386")]
pub use mps2_an386::*;

/// A register of a peripheral.
#[derive(Clone, Copy)]
struct Register(*mut u32);

impl Register {
    /// # Safety
    /// There must be a register of 32 bits at this address, and nothing else may use it.
    const unsafe fn at(address: usize) -> Self {
        Register(address as *mut u32)
    }

    fn read(self) -> u32 {
        // SAFETY: whoever made it has promised that it is a register.
        unsafe { self.0.read_volatile() }
    }

    fn write(self, value: u32) {
        // SAFETY: as above.
        unsafe { self.0.write_volatile(value) }
    }
}
