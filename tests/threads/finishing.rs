//! `finish` and `disconnect` end the runner, whatever happens to the connection meanwhile.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use baremqtt::transport::HandleError;
use baremqtt::transport::net::{Error, Runner, Update};
use baremqtt::{Backoff, Buffers, Client, Event, LargeMessages, Message, QoS, State, StreamedMessage};

use crate::{
    CONNECT, CONNECT_LEN, Choices, SHORT_BACKOFF, TIMEOUT, accept, connection_refused, open, open_and_run,
    read_all, runner, runner_with, serve, start,
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
    while handle.with(|client| client.state()).unwrap() != State::Connected {
        thread::sleep(Duration::from_millis(1));
    }
    handle.stop();
    running.join().unwrap().unwrap();
    assert_eq!(server.join().unwrap(), [0xE0, 0]);
}

/// Until the runner has ended, too: what is accepted is sent.
#[test]
fn nothing_is_accepted_after_disconnect() {
    let (sends, disconnected) = mpsc::channel();
    let (address, server) = serve(move |mut socket| {
        socket.read_exact(&mut [0; 2]).unwrap();
        sends.send(()).unwrap();
        // The runner waits for the end of the stream.
        let _ = sends.send(());
        socket
    });
    let runner = runner(SHORT_BACKOFF);
    let handle = runner.handle();
    let running = thread::spawn(move || {
        runner.run(open_and_run(open(address), CONNECT), |update, outbound| {
            if let Update::Event(Event::Connected { .. }) = update {
                outbound.finish();
            }
            Ok(())
        })
    });
    disconnected.recv_timeout(TIMEOUT).unwrap();
    while handle.with(|client| client.state()).unwrap() != State::Offline {
        thread::yield_now();
    }
    assert_eq!(handle.publish(&CONFIRMED), Err(HandleError::Stopped));
    drop(server.join().unwrap());
    running.join().unwrap().unwrap();
}

/// The handler publishes the next message when one has been acknowledged, which is refused once the runner has been stopped.
#[test]
fn a_handler_that_fails_after_stop_does_not_prevent_disconnect() {
    let (address, server) = serve(|mut socket| {
        socket.read_exact(&mut [0; 14]).unwrap();
        socket.write_all(&[0x40, 2, 0, 1, 0x40, 2, 0, 2]).unwrap();
        read_all(socket)
    });
    let runner = runner(SHORT_BACKOFF);
    let handle = runner.handle();
    let result = runner.run(open_and_run(open(address), CONNECT), |update, outbound| {
        match update {
            Update::Event(Event::Connected { .. }) => {
                outbound.publish(&CONFIRMED)?;
                outbound.publish(&CONFIRMED)?;
            }
            Update::Event(Event::Published { .. }) => {
                outbound.publish(&CONFIRMED)?;
                handle.stop();
            }
            _ => {}
        }
        Ok(())
    });
    result.unwrap();
    assert!(server.join().unwrap().ends_with(&[0xE0, 0]));
}

/// A SUBSCRIBE ends with its connection, so that nothing is left to connect for.
#[test]
fn what_ends_with_the_connection_is_not_waited_for() {
    let (address, server) = serve(|mut socket| socket.read_exact(&mut [0; 8]).unwrap());
    let mut reported = Vec::new();
    let result =
        runner(SHORT_BACKOFF.limit(0)).run(open_and_run(open(address), CONNECT), |update, outbound| {
            if let Update::Event(Event::Connected { .. }) = update {
                outbound.subscribe(&[("a", QoS::AtMostOnce)])?;
                outbound.finish();
            }
            reported.push(matches!(update, Update::Event(Event::Ended { .. })));
            Ok(())
        });
    result.unwrap();
    server.join().unwrap();
    assert_eq!(reported, [false, true]);
}

/// Messages that arrive with those for which an image is due are no reason to wait.
#[test]
fn stop_sends_disconnect_although_an_image_is_due() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.read_exact(&mut [0; CONNECT_LEN]).unwrap();
        // CONNACK, a QoS 2 and a QoS 0 message in one segment.
        socket.write_all(b"\x20\x02\x00\x00\x34\x05\x00\x01a\x00\x01\x30\x03\x00\x01b").unwrap();
        read_all(socket)
    });
    let choices = Choices::new();
    choices.choose(|c| c.durable = true);
    let runner = runner_with(512, choices, SHORT_BACKOFF);
    let handle = runner.handle();
    let result = runner.run(open_and_run(open(address), CONNECT), |update, outbound| {
        match update {
            Update::Event(Event::SaveDue) => {
                outbound.save(&mut [0; 1_024])?;
                outbound.saved(outbound.revision());
            }
            Update::Event(Event::Message(_)) => handle.stop(),
            _ => {}
        }
        Ok(())
    });
    result.unwrap();
    assert!(server.join().unwrap().ends_with(&[0xE0, 0]));
}

/// What the handler queues after DISCONNECT, when it learns that a message was cut off, is sent on another connection.
#[test]
fn what_is_queued_after_disconnect_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let mut socket = accept(&listener);
        // The head and the first bytes of a message that is larger than the buffer.
        socket.write_all(b"\x30\xff\x09\x00\x01b").unwrap();
        socket.write_all(&[0; 600]).unwrap();
        assert_eq!(read_all(socket), [0xE0, 0]);
        let mut socket = accept(&listener);
        let mut publish = [0; 7];
        socket.read_exact(&mut publish).unwrap();
        socket.write_all(&[0x40, 2, publish[5], publish[6]]).unwrap();
        assert_eq!(read_all(socket), [0xE0, 0]);
    });
    let choices = Choices::new();
    choices.choose(|c| c.large_messages = LargeMessages::Pieces);
    let runner = runner_with(512, choices, SHORT_BACKOFF);
    let mut is_acknowledged = false;
    let result = runner.run(open_and_run(open(address), CONNECT), |update, outbound| {
        match update {
            Update::Event(Event::MessagePiece(_)) => outbound.finish(),
            Update::Event(Event::MessageAborted) => {
                outbound.publish(&CONFIRMED)?;
            }
            Update::Event(Event::Published { .. }) => is_acknowledged = true,
            _ => {}
        }
        Ok(())
    });
    result.unwrap();
    server.join().unwrap();
    assert!(is_acknowledged);
}
