//! A non-blocking TCP stream, for all traits that need one.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::Duration;
use std::{future, io, task, thread};

use baremqtt::Instant;
use baremqtt::transport::asynch::Timer;
use baremqtt::transport::polled;

#[derive(Clone)]
pub struct Tcp(Rc<TcpStream>);

impl Tcp {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nonblocking(true).expect("a socket");
        Tcp(Rc::new(stream))
    }
}

fn would_block(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}

impl embedded_io::ErrorType for Tcp {
    type Error = io::Error;
}

impl embedded_io::ReadReady for Tcp {
    fn read_ready(&mut self) -> io::Result<bool> {
        match self.0.peek(&mut [0]) {
            Err(error) if would_block(&error) => Ok(false),
            result => result.map(|_| true),
        }
    }
}

impl embedded_io::Read for Tcp {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

impl embedded_io::Write for Tcp {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn nb_result(result: io::Result<usize>) -> nb::Result<usize, io::Error> {
    result.map_err(|error| if would_block(&error) { nb::Error::WouldBlock } else { error.into() })
}

impl polled::Stream for Tcp {
    type Error = io::Error;

    fn read(&mut self, buffer: &mut [u8]) -> nb::Result<usize, io::Error> {
        nb_result((&*self.0).read(buffer))
    }

    fn write(&mut self, bytes: &[u8]) -> nb::Result<usize, io::Error> {
        nb_result((&*self.0).write(bytes))
    }
}

fn poll_result(result: io::Result<usize>) -> task::Poll<io::Result<usize>> {
    match result {
        Err(error) if would_block(&error) => task::Poll::Pending,
        result => task::Poll::Ready(result),
    }
}

impl embedded_io_async::Read for Tcp {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        future::poll_fn(|_| poll_result((&*self.0).read(buffer))).await
    }
}

impl embedded_io_async::Write for Tcp {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        future::poll_fn(|_| poll_result((&*self.0).write(bytes))).await
    }

    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Real time. A caller that reads the clock has nothing else to do, so this pauses for a moment.
#[derive(Clone, Copy)]
pub struct Clock(std::time::Instant);

impl Clock {
    pub fn start() -> Self {
        Clock(std::time::Instant::now())
    }

    pub fn now(self) -> Instant {
        thread::sleep(Duration::from_micros(100));
        Instant::from_millis(self.0.elapsed().as_millis() as u32)
    }
}

impl Timer for Clock {
    fn now(&self) -> Instant {
        Clock::now(*self)
    }

    async fn sleep(&self, ms: u32) {
        let start = Clock::now(*self);
        let is_over = || Clock::now(*self).since(start) >= ms;
        future::poll_fn(|_| if is_over() { task::Poll::Ready(()) } else { task::Poll::Pending }).await;
    }
}
