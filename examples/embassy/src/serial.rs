//! embedded-io-async over the board's UART. The interrupt handler stores received bytes, and wakes the waiting task.

use core::cell::RefCell;
use core::future::poll_fn;
use core::task::Poll;

use embassy_sync::blocking_mutex::CriticalSectionMutex;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;
use embassy_sync::waitqueue::AtomicWaker;
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use lm3s6965::interrupt;

use crate::board::{InterruptUart, Port};

static UART: CriticalSectionMutex<RefCell<Option<InterruptUart>>> =
    CriticalSectionMutex::new(RefCell::new(None));

/// Received bytes: enough for 11 ms at 115,200 baud.
static RECEIVED: Channel<CriticalSectionRawMutex, Result<u8, ErrorKind>, 128> = Channel::new();

/// The task that waits for room to send.
static SENDER: AtomicWaker = AtomicWaker::new();

/// Starts the UART. The two halves of the line can be used at the same time.
pub fn start() -> (Input, Output) {
    UART.lock(|uart| *uart.borrow_mut() = Some(InterruptUart::start()));
    listen();
    (Input(()), Output(()))
}

/// Discards received bytes.
pub fn discard() {
    with_uart(|uart| {
        while uart.port.has_byte() {
            let _ = uart.port.byte();
        }
    });
    RECEIVED.clear();
    listen();
}

#[interrupt]
fn UART0() {
    with_uart(|uart| {
        while uart.port.has_byte() && !RECEIVED.is_full() {
            let _ = RECEIVED.try_send(uart.port.byte());
        }
        if RECEIVED.is_full() {
            // The rest stays in the UART until a task has read.
            uart.interrupt_when_received(false);
        }
        if uart.port.has_room() {
            uart.interrupt_when_sent(false);
            SENDER.wake();
        }
    });
}

/// Enables storing of received bytes.
fn listen() {
    with_uart(|uart| uart.interrupt_when_received(true));
}

/// Runs without interrupts. `None` before the start.
fn with_uart<T>(f: impl FnOnce(&mut InterruptUart) -> T) -> Option<T> {
    UART.lock(|uart| uart.borrow_mut().as_mut().map(f))
}

/// The receiving half.
pub struct Input(());

impl ErrorType for Input {
    type Error = ErrorKind;
}

impl Read for Input {
    /// Returns the bytes that are there; waits for the first one. Nothing is taken before that, so it can be cancelled.
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        let Some((first, rest)) = buffer.split_first_mut() else { return Ok(0) };
        *first = RECEIVED.receive().await?;
        let mut len = 1;
        for place in rest {
            let Ok(byte) = RECEIVED.try_receive() else { break };
            *place = byte?;
            len += 1;
        }
        listen();
        Ok(len)
    }
}

/// The sending half.
pub struct Output(());

impl ErrorType for Output {
    type Error = ErrorKind;
}

impl Write for Output {
    /// Accepts as many bytes as there is room for; waits for the first. Nothing is accepted before that, so it can be cancelled.
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|cx| {
            SENDER.register(cx.waker());
            let len = with_uart(|uart| {
                let len = put(&mut uart.port, bytes);
                uart.interrupt_when_sent(len == 0);
                len
            });
            match len {
                Some(0) if !bytes.is_empty() => Poll::Pending,
                len => Poll::Ready(len.ok_or(ErrorKind::NotConnected)),
            }
        })
        .await
    }

    /// A UART sends its bytes without being flushed.
    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// Sends as many of these bytes as there is room for.
fn put(port: &mut impl Port, bytes: &[u8]) -> usize {
    let mut len = 0;
    for &byte in bytes {
        if !port.has_room() {
            break;
        }
        port.put(byte);
        len += 1;
    }
    len
}
