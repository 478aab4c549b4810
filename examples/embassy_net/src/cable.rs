//! A cable between two TCP/IP stacks: packets that enter at one end leave at the other.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Waker};

use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};

/// The maximum number of packets in transit.
const PACKETS: usize = 8;

/// Packets in transit in one direction, and the tasks that wait for packets or for room.
#[derive(Default)]
struct Wire {
    packets: VecDeque<Vec<u8>>,
    receiver: Option<Waker>,
    sender: Option<Waker>,
}

/// One end of a cable.
pub struct Plug {
    input: Rc<RefCell<Wire>>,
    output: Rc<RefCell<Wire>>,
}

/// The two ends of a cable.
pub fn new() -> (Plug, Plug) {
    let (there, back) = (Rc::<RefCell<Wire>>::default(), Rc::<RefCell<Wire>>::default());
    let plug = Plug { input: Rc::clone(&back), output: Rc::clone(&there) };
    (plug, Plug { input: there, output: back })
}

pub struct Received(Vec<u8>);

pub struct Sends<'a>(&'a RefCell<Wire>);

impl Driver for Plug {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sends<'a>;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Received, Sends<'_>)> {
        let answer = self.output.borrow().packets.len() < PACKETS;
        let mut input = self.input.borrow_mut();
        if input.packets.is_empty() || !answer {
            input.receiver = Some(cx.waker().clone());
            self.output.borrow_mut().sender = Some(cx.waker().clone());
            return None;
        }
        let packet = input.packets.pop_front()?;
        input.sender.take().into_iter().for_each(Waker::wake);
        Some((Received(packet), Sends(&self.output)))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Sends<'_>> {
        let mut output = self.output.borrow_mut();
        if output.packets.len() >= PACKETS {
            output.sender = Some(cx.waker().clone());
            return None;
        }
        Some(Sends(&self.output))
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = 1500;
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ip
    }
}

impl RxToken for Received {
    fn consume<V, F: FnOnce(&mut [u8]) -> V>(mut self, f: F) -> V {
        f(&mut self.0)
    }
}

impl TxToken for Sends<'_> {
    fn consume<V, F: FnOnce(&mut [u8]) -> V>(self, len: usize, f: F) -> V {
        let mut packet = vec![0; len];
        let value = f(&mut packet);
        let mut wire = self.0.borrow_mut();
        wire.packets.push_back(packet);
        wire.receiver.take().into_iter().for_each(Waker::wake);
        value
    }
}
