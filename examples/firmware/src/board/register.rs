//! Registers of peripherals. Together with the addresses in the files of the boards, this is all `unsafe` code.

/// A register of a peripheral.
#[derive(Clone, Copy)]
pub struct Register(*mut u32);

impl Register {
    /// # Safety
    /// There must be a 32-bit register at this address, and nothing else may use it.
    pub const unsafe fn at(address: usize) -> Self {
        Register(address as *mut u32)
    }

    pub fn read(self) -> u32 {
        // SAFETY: the caller of `new` has guaranteed that this is a register.
        unsafe { self.0.read_volatile() }
    }

    pub fn write(self, value: u32) {
        // SAFETY: as above.
        unsafe { self.0.write_volatile(value) }
    }
}
