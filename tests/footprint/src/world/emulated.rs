//! The world on an emulated board: a server behind `read` and `write`, a clock that advances, and a stack that is measured.
//!
//! The program runs once for each kind of [`Server`](peer::Server).

mod peer;
mod stack;

use core::cell::{Cell, RefCell};
use core::panic::PanicInfo;

use baremqtt::{Instant, QoS};
use critical_section::Mutex;
use semihosting::{print, process};

use peer::{Peer, Server};

/// Turns of a program's innermost loop. They suffice for a payload of 5,000 bytes that is handed over three bytes at a time.
const TURNS: u32 = 2_000;
/// Turns of all its loops, after which all of them end.
const ALL_TURNS: u32 = 3 * TURNS;

/// How often [`more`] was called.
static TURN: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));
static MILLIS: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));
static PEER: Mutex<RefCell<Peer>> = Mutex::new(RefCell::new(Peer::new(Server::RepliesToAll)));

fn with_peer<T>(use_it: impl FnOnce(&mut Peer) -> T) -> T {
    critical_section::with(|token| use_it(&mut PEER.borrow_ref_mut(token)))
}

fn turn() -> u32 {
    critical_section::with(|token| TURN.borrow(token).get())
}

#[inline(never)]
pub fn write(bytes: &[u8]) -> usize {
    stack::measure();
    let len = with_peer(|peer| peer.receive(bytes));
    stack::paint();
    len
}

#[inline(never)]
pub fn read(buffer: &mut [u8]) -> usize {
    stack::measure();
    let len = with_peer(|peer| peer.send(buffer));
    stack::paint();
    len
}

#[inline(never)]
pub fn now() -> Instant {
    critical_section::with(|token| {
        let millis = MILLIS.borrow(token);
        millis.set(millis.get().wrapping_add(1));
        Instant::from_millis(millis.get())
    })
}

/// Whether a loop continues: each ends after a number of turns, and all of them end with the program.
#[inline(never)]
pub fn more() -> bool {
    critical_section::with(|token| {
        let turn = TURN.borrow(token);
        turn.set(turn.get() + 1);
        let millis = MILLIS.borrow(token);
        millis.set(millis.get() + 100);
        turn.get() % TURNS != 0 && turn.get() < ALL_TURNS
    })
}

#[inline(never)]
pub fn sometimes() -> bool {
    static LAST: Mutex<Cell<bool>> = Mutex::new(Cell::new(false));
    critical_section::with(|token| {
        let last = LAST.borrow(token);
        last.set(!last.get());
        last.get()
    })
}

#[inline(never)]
pub fn qos() -> QoS {
    match turn() % TURNS {
        // For longer than the keep alive, nothing that the server answers.
        ..500 => QoS::AtMostOnce,
        turn if turn % 2 == 0 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

/// Runs a program with each server, prints the bytes of stack that it has used, and ends the emulation.
pub fn run(program: fn()) -> ! {
    for server in peer::SERVERS {
        stack::begin();
        begin(server);
        program();
        stack::measure();
    }
    end()
}

fn begin(server: Server) {
    with_peer(|peer| peer.restart_as(server));
    critical_section::with(|token| TURN.borrow(token).set(0));
    stack::paint();
}

fn end() -> ! {
    print!("{}", stack::used());
    process::exit(0)
}

/// The start of the program.
macro_rules! program {
    ($state:expr, $run:expr) => {
        #[cortex_m_rt::entry]
        fn main() -> ! {
            world::run(program)
        }

        /// The body of `main` in programs that run once.
        #[inline(never)]
        fn program() {
            $run
        }
    };
}

pub(crate) use program;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    semihosting::eprintln!("{info}");
    process::exit(2)
}
