//! A connection that is not TCP: pipes in memory, attached the way a WebSocket would be.

use std::io;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use baremqtt::codec::{self, ConnAck, Connect, Decoded, Packet, Version};

use crate::server::Stream;
use crate::start;

const TIMEOUT: Duration = Duration::from_secs(60);

/// The server's end: a message in each direction is the argument of one `send`; an empty one is the end.
struct Pipe {
    input: Mutex<Receiver<Vec<u8>>>,
    end_input: Sender<Vec<u8>>,
    output: Mutex<Option<Sender<Vec<u8>>>>,
}

impl Stream for Pipe {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.lock().expect("not poisoned").recv().unwrap_or_default();
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let output = self.output.lock().expect("not poisoned");
        let sent = output.as_ref().and_then(|output| output.send(bytes.to_vec()).ok());
        sent.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    fn finish(&self) {
        self.output.lock().expect("not poisoned").take();
    }

    fn close(&self) {
        self.finish();
        let _ = self.end_input.send(Vec::new());
    }
}

#[test]
fn any_stream_can_be_used() {
    let server = start();
    let (to_server, input) = channel();
    let (output, from_server) = channel();
    let output = Mutex::new(Some(output));
    server.serve(Pipe { input: Mutex::new(input), end_input: to_server.clone(), output });

    let send = |packet: Packet<'_>| {
        let mut bytes = vec![0; packet.encoded_len()];
        packet.encode(Version::Mqtt311, &mut bytes).expect("a good packet");
        to_server.send(bytes).expect("the server reads");
    };
    let expect = |expected: Packet<'_>| {
        let bytes = from_server.recv_timeout(TIMEOUT).expect("bytes in time");
        let len = bytes.len();
        assert_eq!(codec::decode(&bytes, Version::Mqtt311), Ok(Decoded::Complete { packet: expected, len }));
    };
    send(Packet::Connect(Connect::new("pipe")));
    expect(Packet::ConnAck(ConnAck::Accepted { session_present: false }));
    send(Packet::PingReq);
    expect(Packet::PingResp);
    let stopped = Instant::now();
    server.stop();
    assert!(stopped.elapsed() < TIMEOUT, "a thread is left over");
    from_server.recv_timeout(TIMEOUT).expect_err("the server has stopped");
}
