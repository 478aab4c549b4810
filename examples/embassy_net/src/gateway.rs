//! The other end of the cable: accepts TCP connections, and forwards them to the broker.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use embassy_net::Stack;
use embassy_net::tcp::TcpSocket;
use embassy_time::{Duration, Timer, with_timeout};

/// How often the broker's side is polled, in ms.
const INTERVAL: u64 = 2;

/// One connection after another.
#[embassy_executor::task]
pub async fn pass(stack: Stack<'static>, broker: SocketAddr) {
    let (mut rx, mut tx) = ([0; 4096], [0; 4096]);
    loop {
        let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
        socket.set_nagle_enabled(false);
        if socket.accept(1883).await.is_ok() {
            // However it ends, inform the device.
            let _ = join(&mut socket, broker).await;
            socket.close();
            let _ = with_timeout(Duration::from_millis(500), socket.flush()).await;
        }
    }
}

/// Forwards bytes in both directions until one side ends.
async fn join(socket: &mut TcpSocket<'_>, broker: SocketAddr) -> io::Result<()> {
    let mut outside = TcpStream::connect(broker)?;
    outside.set_nonblocking(true)?;
    outside.set_nodelay(true)?;
    let mut buffer = [0; 2048];
    loop {
        if socket.can_recv() || !socket.may_recv() {
            match socket.read(&mut buffer).await {
                Ok(len @ 1..) => outside.write_all(&buffer[..len])?,
                _ => return Ok(()),
            }
        }
        let room = (socket.send_capacity() - socket.send_queue()).min(buffer.len());
        match outside.read(&mut buffer[..room]) {
            Ok(0) if room > 0 => return Ok(()),
            Ok(mut len) => {
                let mut rest = &buffer[..];
                while len > 0 {
                    let Ok(sent) = socket.write(&rest[..len]).await else { return Ok(()) };
                    (rest, len) = (&rest[sent..], len - sent);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Timer::after_millis(INTERVAL).await,
            Err(error) => return Err(error),
        }
    }
}
