//! Registers of peripherals. With the addresses in the files of the boards, all the `unsafe` there is.

/// A register of a peripheral.
#[derive(Clone, Copy)]
pub struct Register(*mut u32);

impl Register {
    /// # Safety
    /// There must be a register of 32 bits at this address, and nothing else may use it.
    pub const unsafe fn at(address: usize) -> Self {
        Register(address as *mut u32)
    }

    pub fn read(self) -> u32 {
        // SAFETY: whoever made it has promised that it is a register.
        unsafe { self.0.read_volatile() }
    }

    pub fn write(self, value: u32) {
        // SAFETY: as above.
        unsafe { self.0.write_volatile(value) }
    }
}
