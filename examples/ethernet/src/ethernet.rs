//! The Ethernet controller of the LM3S6965, as a driver for embassy-net. Frames pass through two FIFOs, a word at a time; the interrupt only
//! wakes the stack.

use core::task::Context;

use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};
use embassy_sync::waitqueue::AtomicWaker;

use register::Register;

#[path = "../../firmware/src/board/register.rs"]
mod register;

// SAFETY: the data sheet's addresses of the Ethernet controller and its clock; only this module uses them.
const CLOCKS: Register = unsafe { Register::at(0x400F_E108) };
const STATUS: Register = unsafe { Register::at(0x4004_8000) };
const INTERRUPT_MASK: Register = unsafe { Register::at(0x4004_8004) };
const RECEIVER: Register = unsafe { Register::at(0x4004_8008) };
const TRANSMITTER: Register = unsafe { Register::at(0x4004_800C) };
const DATA: Register = unsafe { Register::at(0x4004_8010) };
const ADDRESS_LOW: Register = unsafe { Register::at(0x4004_8014) };
const ADDRESS_HIGH: Register = unsafe { Register::at(0x4004_8018) };
const FRAMES: Register = unsafe { Register::at(0x4004_8034) };
const REQUEST: Register = unsafe { Register::at(0x4004_8038) };

/// MAC and PHY.
const ETHERNET_CLOCKS: u32 = 1 << 28 | 1 << 30;
/// A frame has been received; the transmit FIFO is empty.
const RECEIVED: u32 = 1 << 0;
const SENT: u32 = 1 << 2;
/// Enabled; frames with a wrong checksum are dropped; the FIFO is reset.
const RECEIVE: u32 = 1 << 0 | 1 << 3 | 1 << 4;
/// Enabled; frames are padded to 64 bytes and get a checksum; full duplex.
const TRANSMIT: u32 = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 4;

/// Length of the longest frame without its checksum, and length of its header.
const LONGEST: usize = 1_514;
const HEADER: usize = 14;

static WAKER: AtomicWaker = AtomicWaker::new();

/// The controller, and buffers for one frame in each direction.
pub struct Ethernet {
    address: [u8; 6],
    input: [u8; LONGEST],
    output: [u8; LONGEST],
}

impl Ethernet {
    pub const fn new(address: [u8; 6]) -> Self {
        Ethernet { address, input: [0; LONGEST], output: [0; LONGEST] }
    }

    pub fn start(&mut self) {
        CLOCKS.write(CLOCKS.read() | ETHERNET_CLOCKS);
        // The controller can be used after three cycles.
        cortex_m::asm::delay(3);
        let [a, b, c, d, e, f] = self.address;
        ADDRESS_LOW.write(u32::from_le_bytes([a, b, c, d]));
        ADDRESS_HIGH.write(u32::from_le_bytes([e, f, 0, 0]));
        INTERRUPT_MASK.write(0);
        TRANSMITTER.write(TRANSMIT);
        RECEIVER.write(RECEIVE);
        #[cfg(target_arch = "arm")]
        handler::unmask();
    }

    /// Reads the frame at the front of the FIFO. Its length field includes itself and the checksum at the end.
    fn take(&mut self) -> usize {
        let [low, high, first @ ..] = DATA.read().to_le_bytes();
        let len = usize::from(u16::from_le_bytes([low, high])).saturating_sub(6);
        let mut place = self.input.iter_mut();
        let mut put = |bytes: &[u8]| place.by_ref().zip(bytes).for_each(|(to, from)| *to = *from);
        put(&first);
        // The first two bytes were in this word; the checksum follows the frame.
        for _ in 0..(len + 2).div_ceil(4) {
            put(&DATA.read().to_le_bytes());
        }
        len.min(LONGEST)
    }
}

/// `lm3s6965` has this interrupt only when compiling for the chip.
#[cfg(target_arch = "arm")]
mod handler {
    use cortex_m::peripheral::NVIC;
    use lm3s6965::{Interrupt, interrupt};

    pub fn unmask() {
        // SAFETY: no critical section relies on this interrupt being masked.
        unsafe { NVIC::unmask(Interrupt::ETHERNET) };
    }

    #[interrupt]
    fn ETHERNET() {
        // The task that is woken checks the cause, and enables the interrupt again.
        super::INTERRUPT_MASK.write(0);
        super::WAKER.wake();
    }
}

fn is_sending() -> bool {
    REQUEST.read() & 1 != 0
}

impl Driver for Ethernet {
    type RxToken<'a> = Frame<'a>;
    type TxToken<'a> = Room<'a>;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Frame<'_>, Room<'_>)> {
        WAKER.register(cx.waker());
        STATUS.write(RECEIVED);
        if FRAMES.read() == 0 || is_sending() {
            INTERRUPT_MASK.write(RECEIVED | if is_sending() { SENT } else { 0 });
            return None;
        }
        let len = self.take();
        Some((Frame(self.input.get_mut(..len)?), Room(&mut self.output)))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Room<'_>> {
        WAKER.register(cx.waker());
        if is_sending() {
            STATUS.write(SENT);
            INTERRUPT_MASK.write(RECEIVED | SENT);
            return None;
        }
        Some(Room(&mut self.output))
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        // Without a cable, TCP connections simply fail, which is enough here.
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = LONGEST;
        capabilities.max_burst_size = Some(1);
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.address)
    }
}

/// A received frame.
pub struct Frame<'a>(&'a mut [u8]);

impl RxToken for Frame<'_> {
    fn consume<V, F: FnOnce(&mut [u8]) -> V>(self, f: F) -> V {
        f(self.0)
    }
}

/// Room for a frame to send.
pub struct Room<'a>(&'a mut [u8; LONGEST]);

impl TxToken for Room<'_> {
    fn consume<V, F: FnOnce(&mut [u8]) -> V>(self, len: usize, f: F) -> V {
        let frame = &mut self.0[..len];
        let value = f(frame);
        // The length excludes the header.
        let [low, high] = ((len - HEADER) as u16).to_le_bytes();
        let mut bytes = [low, high].into_iter().chain(frame.iter().copied());
        for _ in 0..(len + 2).div_ceil(4) {
            DATA.write(u32::from_le_bytes(core::array::from_fn(|_| bytes.next().unwrap_or(0))));
        }
        REQUEST.write(1);
        value
    }
}
