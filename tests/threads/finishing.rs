//! `finish` and `disconnect` end the runner, whatever happens to the connection meanwhile.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use baremqtt::transport::HandleError;
use baremqtt::transport::net::{Error, Runner, Update};
use baremqtt::{Backoff, Buffers, Client, Event, Message, StreamedMessage};

use crate::{
    CONNECT, Choices, SHORT_BACKOFF, TIMEOUT, accept, connection_refused, open, open_and_run, read_all,
    runner, runner_with, serve, start,
};

const CONFIRMED: Message<'static> = Message::new("a", b"").at_least_once();
/// The next attempt is due long after the test.
const LONG_BACKOFF: Backoff = Backoff::new(3_600_000, 3_600_000);

/// Requests at the beginning of a connection are still accepted, so that a handler need not know about this.
#[test]
fn finish_continues_on_the_next_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connect = open_and_run(open(listener.local_addr().unwrap()), CONNECT);
    let runner = runner(SHORT_BACKOFF);
    let handle = runner.handle();
    let running = thread::spawn(move || {
        runner.run(connect, |update, outbound| {
            if let Update::Event(Event::Connected { .. }) = update {
                outbound.publish(&Message::new("o", b""))?;
            }
            Ok(())
        })
    });
    let mut publish = [0; 5 + 7];
    let mut socket = accept(&listener);
    handle.publish(&CONFIRMED).unwrap();
    handle.with(|client| client.finish()).unwrap();
    assert_eq!(
        handle.try_publish(&CONFIRMED),
        Err(HandleError::Refused(baremqtt::RequestError::NotConnected))
    );
    socket.read_exact(&mut publish).unwrap();
    drop(socket);
    let mut socket = accept(&listener);
    socket.read_exact(&mut publish).unwrap();
    let message = publish.iter().position(|byte| *byte == 0x3A).expect("DUP");
    socket.write_all(&[0x40, 2, publish[message + 5], publish[message + 6]]).unwrap();
    assert_eq!(read_all(socket), [0xE0, 0]);
    running.join().unwrap().unwrap();
}

#[test]
fn finish_and_disconnect_need_no_connection_if_nothing_is_under_way() {
    for finishes in [true, false] {
        // In the pause between two attempts, and while a stream is being opened.
        let running = start(runner(LONG_BACKOFF), connection_refused);
        running.wait_for_report("lost");
        running.handle.with(|client| if finishes { client.finish() } else { client.disconnect() }).unwrap();
        running.thread.join().unwrap().unwrap();

        let (opens, is_opening) = mpsc::channel();
        let (_never, forever) = mpsc::channel::<()>();
        let forever = std::sync::Arc::new(std::sync::Mutex::new(forever));
        let running = start(runner(LONG_BACKOFF), move || {
            opens.send(()).unwrap();
            let _ = forever.lock().unwrap().recv_timeout(TIMEOUT);
            connection_refused()
        });
        is_opening.recv_timeout(TIMEOUT).unwrap();
        running.handle.with(|client| if finishes { client.finish() } else { client.disconnect() }).unwrap();
        running.thread.join().unwrap().unwrap();
    }
}

/// Also before the runner begins.
#[test]
fn finish_waits_for_what_was_queued_offline() {
    let (address, server) = serve(|mut socket| {
        let mut publish = [0; 7];
        socket.read_exact(&mut publish).unwrap();
        socket.write_all(&[0x40, 2, publish[5], publish[6]]).unwrap();
        read_all(socket)
    });
    let runner = runner(SHORT_BACKOFF);
    let handle = runner.handle();
    handle.publish(&CONFIRMED).unwrap();
    handle.with(|client| client.finish()).unwrap();
    runner.run(open_and_run(open(address), CONNECT), |_, _| Ok(())).unwrap();
    assert_eq!(server.join().unwrap(), [0xE0, 0]);
}

/// In the middle of a payload DISCONNECT cannot be sent, and offline there is nobody to send it to.
#[test]
fn disconnect_ends_the_runner_even_if_it_cannot_be_sent() {
    let (address, server) = serve(read_all);
    let choices = Choices::new();
    choices.choose(|c| c.streams = true);
    let result = runner_with(160, choices, SHORT_BACKOFF).run(
        open_and_run(open(address), CONNECT),
        |update, outbound| {
            match update {
                Update::Event(Event::Connected { .. }) => {
                    outbound.publish_streamed(&StreamedMessage::new("t", 500))?;
                }
                Update::Event(Event::StreamReady { .. }) => {
                    outbound.write_payload(&[7; 20])?;
                }
                Update::AllSent => outbound.disconnect(),
                _ => {}
            }
            Ok(())
        },
    );
    result.unwrap();
    assert!(!server.join().unwrap().ends_with(&[0xE0, 0]));

    let result = runner(LONG_BACKOFF).run(open_and_run(connection_refused, CONNECT), |update, outbound| {
        if let Update::LinkLost { .. } = update {
            outbound.disconnect();
        }
        Ok(())
    });
    result.unwrap();
}

/// What the function returns after the connection does not matter.
#[test]
fn an_error_after_finish_is_no_lost_connection() {
    let (address, server) = serve(read_all);
    let mut attempts = 0;
    let result = runner(SHORT_BACKOFF).run(
        |link| {
            attempts += 1;
            let stream = link.open(open(address))?;
            link.run(stream, &CONNECT)?;
            Err(Error::Closed)
        },
        |update, outbound| {
            if let Update::Event(Event::Connected { .. }) = update {
                outbound.finish();
            }
            Ok(())
        },
    );
    result.unwrap();
    assert_eq!((server.join().unwrap(), attempts), (vec![0xE0, 0], 1));
}

/// What a client did before it was given to the runner does not end it.
#[test]
fn a_client_that_has_disconnected_can_be_used_again() {
    let mut client = Client::new(Buffers { rx: vec![0; 64], tx: vec![0; 64] });
    client.disconnect();
    let (address, server) = serve(read_all);
    let runner = Runner::new(client, SHORT_BACKOFF);
    let handle = runner.handle();
    let running = thread::spawn(move || {
        let mut stream = Some(open(address)().unwrap());
        runner.run(|link| link.run(stream.take().ok_or(Error::Closed)?, &CONNECT), |_, _| Ok(()))
    });
    while handle.with(|client| client.state()).unwrap() != baremqtt::State::Connected {
        thread::sleep(Duration::from_millis(1));
    }
    handle.stop();
    running.join().unwrap().unwrap();
    assert_eq!(server.join().unwrap(), [0xE0, 0]);
}
