//! Many threads with handles for one connection.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::transport::net::{GaveUp, Update};
use baremqtt::transport::{HandleError, WaitError};
use baremqtt::{
    AcknowledgeError, Backoff, Connect, Event, Full, GiveUpError, Message, Outcome, PacketId, QoS,
    RequestError, SessionLoss, SubAckCode,
};

use crate::server::{Options, Server};
use crate::{
    ACCEPTED, CONNECT, CONNECT_LEN, Choices, Handle, SHORT_BACKOFF, TIMEOUT, accept, connection_refused,
    open, open_and_run, read_all, runner, runner_with, serve, start, unflushed, unsplit,
};

fn assert_sendable<V: Clone + Send + Sync + 'static>(_: &V) {}

const SHORT: Option<Duration> = Some(Duration::from_millis(50));

fn is_full<V>(result: &Result<V, HandleError>) -> bool {
    matches!(result, Err(HandleError::Refused(RequestError::Full(Full::Buffer))))
}

/// A buffer for a few messages slows down threads that publish hundreds, and nothing is lost.
fn three_threads_publish_and_one_receives<S: baremqtt::transport::net::Stream + Send + 'static>(
    wrap: fn(std::net::TcpStream) -> S,
    count: u32,
) {
    let server =
        Server::start(Options { listen: "127.0.0.1:0".parse().unwrap(), ..Options::default() }).unwrap();
    let runner = runner_with(512, Choices::new(), SHORT_BACKOFF);
    let handle = runner.handle();
    assert_sendable(&handle);
    let open = open(server.addr());
    let (received_sender, received) = mpsc::channel();
    let (ready, is_ready) = mpsc::channel();
    let running = thread::spawn(move || {
        runner.run(open_and_run(move || open().map(wrap), CONNECT), |update, outbound| {
            match update {
                Update::Event(Event::Connected { .. }) => {
                    outbound.subscribe(&[("t/+", QoS::ExactlyOnce)])?;
                }
                Update::Event(Event::Subscribed { codes, .. }) => {
                    assert_eq!(codes.get(0), Some(SubAckCode::Granted(QoS::ExactlyOnce)));
                    ready.send(()).unwrap();
                }
                Update::Event(Event::Message(message)) => {
                    let number: u32 = std::str::from_utf8(message.payload).unwrap().parse().unwrap();
                    received_sender.send((message.topic.as_str().to_owned(), number)).unwrap();
                }
                _ => {}
            }
            Ok(())
        })
    });
    is_ready.recv_timeout(TIMEOUT).unwrap();
    let publishers: Vec<_> = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]
        .into_iter()
        .map(|qos| {
            let handle = handle.clone();
            thread::spawn(move || {
                let topic = format!("t/{}", qos as u8);
                for n in 0..count {
                    handle.publish(&Message::new(&topic, n.to_string().as_bytes()).qos(qos)).unwrap();
                }
            })
        })
        .collect();
    let mut next = BTreeMap::new();
    for _ in 0..3 * count {
        let (topic, number) = received.recv_timeout(TIMEOUT).unwrap();
        let expected = next.entry(topic).or_insert(0);
        assert_eq!(number, *expected, "in order");
        *expected += 1;
    }
    publishers.into_iter().for_each(|thread| thread.join().unwrap());
    handle.stop();
    running.join().unwrap().unwrap();
}

#[test]
fn over_halves() {
    three_threads_publish_and_one_receives(|tcp| tcp, 500);
}

#[test]
fn over_one_object() {
    three_threads_publish_and_one_receives(unsplit, 50);
}

#[test]
fn a_full_buffer_is_an_error_or_blocks() {
    let (resume, resumed) = mpsc::channel::<()>();
    let (address, server) = serve(move |mut socket| {
        resumed.recv().unwrap();
        let mut publish = [0; 7];
        while socket.read_exact(&mut publish).is_ok() && publish[0] == 0x32 {
            socket.write_all(&[0x40, 2, publish[5], publish[6]]).unwrap();
        }
    });
    let running = start(runner_with(64, Choices::new(), SHORT_BACKOFF), open(address));
    running.wait_for_report("Connected");
    let message = Message::new("a", b"").at_least_once();
    let mut taken = 0;
    while !is_full(&running.handle.try_publish(&message)) {
        taken += 1;
    }
    assert_eq!(taken, 4, "of 64 bytes, 32 are for answers");
    let late = running.handle.publish_and_wait(&message, SHORT);
    let expected = WaitError::Request(RequestError::Full(Full::Buffer));
    assert_eq!(late, Err(HandleError::Refused(expected)), "the time is for both");
    let handle = running.handle.clone();
    let publisher = thread::spawn(move || handle.publish(&Message::new("a", b"").at_least_once()));
    thread::sleep(Duration::from_millis(50));
    assert!(!publisher.is_finished());
    resume.send(()).unwrap();
    assert_eq!(publisher.join().unwrap(), Ok(PacketId::new(5)));
    running.wait_for_report("Published { id: PacketId(5)");
    running.stop().unwrap();
    server.join().unwrap();
}

/// QoS 0 messages need room too, and no event reports that it is free again.
#[test]
fn publish_waits_for_room_at_qos_0_too() {
    let (address, server) = serve(read_all);
    let running = start(runner_with(64, Choices::new(), SHORT_BACKOFF), open(address));
    running.wait_for_report("Connected");
    for _ in 0..200 {
        running.handle.publish(&Message::new("a", &[0; 20])).unwrap();
    }
    running.stop().unwrap();
    assert_eq!(server.join().unwrap().len(), 200 * 25 + 2);
}

#[test]
fn room_is_used_before_what_made_it_is_flushed() {
    let (address, server) = serve(read_all);
    let open = open(address);
    let running = start(runner_with(64, Choices::new(), SHORT_BACKOFF), move || open().map(unflushed));
    running.wait_for_report("Connected");
    let (handle, (done, all)) = (running.handle.clone(), mpsc::channel());
    thread::spawn(move || {
        for _ in 0..20 {
            handle.publish(&Message::new("a", &[0; 20])).unwrap();
        }
        done.send(()).unwrap();
    });
    all.recv_timeout(TIMEOUT).expect("room for all");
    running.stop().unwrap();
    server.join().unwrap();
}

#[test]
fn a_closure_that_panics_is_no_reason_to_wait() {
    let running = start(runner(SHORT_BACKOFF), connection_refused);
    let message = Message::new("a", b"").at_least_once();
    let handle = running.handle.clone();
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(handle.publish_and_wait(&message, None)));
    let started = Instant::now();
    while running.handle.with(|client| client.in_flight()) != Ok(1) {
        assert!(started.elapsed() < TIMEOUT);
    }
    let handle = running.handle.clone();
    let panics = thread::spawn(move || {
        handle.with(|client| {
            client.give_up(PacketId::FIRST).unwrap();
            panic!("on purpose");
        })
    });
    assert!(panics.join().is_err());
    let given_up = Err(HandleError::Refused(WaitError::GivenUp));
    assert_eq!(end.recv_timeout(TIMEOUT), Ok(given_up));
    running.stop().unwrap();
}

#[test]
fn publish_and_wait_returns_once_the_message_is_acknowledged() {
    let (address, server) = serve(|mut socket| {
        socket.read_exact(&mut [0; 7]).unwrap();
        socket.write_all(&[0x40, 2, 0, 1]).unwrap();
        socket
    });
    let running = start(runner(SHORT_BACKOFF), open(address));
    let message = Message::new("a", b"").at_least_once();
    assert_eq!(running.handle.publish_and_wait(&message, Some(TIMEOUT)), Ok(()), "before it is connected");
    assert_eq!(running.handle.publish_and_wait(&Message::new("a", b""), None), Ok(()), "QoS 0");
    let id = PacketId::new(2).unwrap();
    let late = running.handle.publish_and_wait(&message, SHORT);
    assert_eq!(late, Err(HandleError::Refused(WaitError::TimedOut { id })));
    let handle = running.handle.clone();
    let waiting = thread::spawn(move || handle.publish_and_wait(&message, None));
    thread::sleep(Duration::from_millis(50));
    running.stop().unwrap();
    assert_eq!(waiting.join().unwrap(), Err(HandleError::Stopped));
    drop(server.join().unwrap());
}

#[test]
fn giving_up_an_unsent_message_ends_the_wait_for_it() {
    let running = start(runner(SHORT_BACKOFF), connection_refused);
    let message = Message::new("a", b"").at_least_once();
    let handle = running.handle.clone();
    let waiting = thread::spawn(move || handle.publish_and_wait(&message, None));
    let started = Instant::now();
    while running.handle.give_up(PacketId::FIRST) == Err(HandleError::Refused(GiveUpError::Unknown)) {
        assert!(started.elapsed() < TIMEOUT);
    }
    assert_eq!(waiting.join().unwrap(), Err(HandleError::Refused(WaitError::GivenUp)));
    running.stop().unwrap();
}

/// The server has lost the session in which the message was sent; with an event that says so, and without one.
#[test]
fn a_lost_message_ends_the_wait_for_it() {
    for (reports_loss, expected) in [(true, WaitError::Ended(Outcome::Lost)), (false, WaitError::GivenUp)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = open(listener.local_addr().unwrap());
        let choices = Choices::with(|values| {
            values.session_loss = SessionLoss::Drop;
            values.reports_loss = reports_loss;
        });
        let running = start(runner_with(512, choices, SHORT_BACKOFF), open);
        let mut socket = accept(&listener);
        let (handle, message) = (running.handle.clone(), Message::new("a", b"").at_least_once());
        let waiting = thread::spawn(move || handle.publish_and_wait(&message, None));
        socket.read_exact(&mut [0; 7]).unwrap();
        drop(socket);
        let socket = accept(&listener);
        assert_eq!(waiting.join().unwrap(), Err(HandleError::Refused(expected)));
        running.stop().unwrap();
        drop(socket);
    }
}

#[test]
fn calls_that_would_deadlock_are_refused_within_with() {
    let runner = runner(SHORT_BACKOFF);
    let handle = runner.handle();
    let message = Message::new("a", b"").at_least_once();
    let inner = handle.with(|client| {
        assert_eq!(handle.publish(&message), Err(HandleError::WouldDeadlock));
        assert_eq!(handle.with(|_| ()), Err(HandleError::WouldDeadlock));
        client.publish(&message)
    });
    assert!(inner.is_ok_and(|id| id.is_ok()));
    let panics = std::thread::spawn({
        let handle = handle.clone();
        move || handle.with(|_| panic!("on purpose"))
    });
    assert!(panics.join().is_err());
    assert!(handle.try_publish(&message).is_ok(), "afterwards they are not");
}

/// A handler cannot wait for something that only its own thread can bring about, nor take the lock that it already holds.
#[test]
fn calls_that_would_deadlock_are_refused_in_a_handler() {
    let (address, server) = serve(read_all);
    let runner = runner(SHORT_BACKOFF);
    let handle = runner.handle();
    let (other_handle, mut calls) = (handle.clone(), 0);
    let result = runner.run(
        |link| {
            assert_eq!(other_handle.publish(&Message::new("a", b"")), Err(HandleError::WouldDeadlock));
            let stream = link.open(open(address))?;
            link.run(stream, &CONNECT)
        },
        |update, outbound| {
            calls += 1;
            let message = Message::new("a", b"").at_least_once();
            assert_eq!(handle.publish(&message), Err(HandleError::WouldDeadlock));
            assert_eq!(handle.try_publish(&message), Err(HandleError::WouldDeadlock));
            assert_eq!(handle.publish_and_wait(&message, None), Err(HandleError::WouldDeadlock));
            assert_eq!(handle.subscribe(&[("a", QoS::AtMostOnce)]), Err(HandleError::WouldDeadlock));
            assert_eq!(handle.unsubscribe(&["a"]), Err(HandleError::WouldDeadlock));
            assert_eq!(handle.give_up(PacketId::FIRST), Err(HandleError::WouldDeadlock));
            assert_eq!(handle.with(|_| ()), Err(HandleError::WouldDeadlock));
            assert_eq!(handle.write_payload(b""), Err(HandleError::WouldDeadlock));
            if let Update::Event(Event::Connected { .. }) = update {
                // Its own half reports when there is no room.
                while outbound.publish(&message).is_ok() {}
                let error = outbound.publish(&message);
                assert_eq!(error, Err(RequestError::Full(Full::Buffer)));
                handle.stop();
            }
            Ok(())
        },
    );
    result.unwrap();
    assert!(calls > 0);
    let saved = handle.with(|client| client.save(&mut [0; 600]));
    assert!(matches!(saved, Ok(Ok(_))), "after the end it can be saved");
    assert_eq!(server.join().unwrap().last_chunk(), Some(&[0xE0, 0]));
}

/// Messages that another thread has not acknowledged hold the server back.
#[test]
fn messages_can_be_acknowledged_by_another_thread() {
    let server =
        Server::start(Options { listen: "127.0.0.1:0".parse().unwrap(), ..Options::default() }).unwrap();
    let choices = Choices::with(|values| values.manual_acknowledgement = true);
    let runner = runner_with(2_048, choices, SHORT_BACKOFF);
    let handle = runner.handle();
    let open = open(server.addr());
    let (messages, received) = mpsc::sync_channel(64);
    let (ready, is_ready) = mpsc::channel();
    let running = thread::spawn(move || {
        runner.run(open_and_run(open, CONNECT), |update, outbound| {
            match update {
                Update::Event(Event::Connected { .. }) => {
                    outbound.subscribe(&[("t", QoS::AtLeastOnce)])?;
                }
                Update::Event(Event::Subscribed { .. }) => ready.send(()).unwrap(),
                Update::Event(Event::Message(message)) => {
                    let number = message.payload.first().copied();
                    messages.try_send((number, outbound.receipt())).unwrap();
                }
                _ => {}
            }
            Ok(())
        })
    });
    is_ready.recv_timeout(TIMEOUT).unwrap();
    let publisher = handle.clone();
    let publishing = thread::spawn(move || {
        for n in 0..200 {
            publisher.publish(&Message::new("t", &[n]).at_least_once()).unwrap();
        }
    });
    let mut first = None;
    for n in 0..200 {
        let (number, receipt) = received.recv_timeout(TIMEOUT).unwrap();
        assert_eq!(number, Some(n));
        if n == 0 {
            thread::sleep(Duration::from_millis(100));
        }
        handle.acknowledge(receipt.unwrap()).unwrap();
        first = first.or(receipt);
    }
    publishing.join().unwrap();
    let again = handle.acknowledge(first.unwrap());
    assert_eq!(again, Err(HandleError::Refused(AcknowledgeError::Stale)));
    handle.stop();
    running.join().unwrap().unwrap();
}

/// The server publishes the will, and keeps the unacknowledged message.
#[test]
fn a_handler_that_fails_ends_the_runner_without_disconnect() {
    let (address, server) = serve(|mut socket| {
        socket.write_all(b"\x32\x05\x00\x01a\x00\x07").unwrap();
        read_all(socket)
    });
    let runner = runner(SHORT_BACKOFF);
    let handle = runner.handle();
    let error = runner
        .run(open_and_run(open(address), CONNECT), |update, _| match update {
            Update::Event(Event::Message(_)) => Err("the disk is full".into()),
            _ => Ok(()),
        })
        .unwrap_err();
    assert!(matches!(error, GaveUp::Handler(_)));
    assert_eq!(error.to_string(), "the disk is full");
    assert_eq!(server.join().unwrap(), [], "neither PUBACK nor DISCONNECT");
    assert_eq!(handle.try_publish(&Message::new("a", b"")), Err(HandleError::Stopped));
}

/// The server sends it again, to a client that continues the session, and the handler may be able to handle it then.
#[test]
fn a_message_for_which_the_handler_fails_is_delivered_again() {
    const CONNECT: Connect<'static> = crate::CONNECT.clean_session(false);
    for first in [0x32, 0x34] {
        let publish = move |dup: u8| [first | dup << 3, 5, 0, 1, b'a', 0, 7];
        let (address, server) = serve(move |mut socket| {
            socket.write_all(&publish(0)).unwrap();
            read_all(socket)
        });
        let runner = runner(SHORT_BACKOFF);
        let handle = runner.handle();
        let error = runner.run(open_and_run(open(address), CONNECT), |update, _| match update {
            Update::Event(Event::Message(_)) => Err("the disk is full".into()),
            _ => Ok(()),
        });
        assert!(error.is_err());
        assert_eq!(server.join().unwrap(), []);

        let mut image = [0; 256];
        let len = handle.with(|client| client.save(&mut image)).unwrap().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            socket.read_exact(&mut [0; CONNECT_LEN]).unwrap();
            socket.write_all(&[0x20, 2, 1, 0]).unwrap();
            socket.write_all(&publish(1)).unwrap();
            let mut answer = [0; 4];
            socket.read_exact(&mut answer).unwrap();
            (answer[0], read_all(socket))
        });
        let runner = crate::runner(SHORT_BACKOFF);
        runner.handle().with(|client| client.restore(&image[..len])).unwrap().unwrap();
        let mut messages = 0;
        let ended = runner.run(open_and_run(open(address), CONNECT), |update, outbound| {
            if let Update::Event(Event::Message(_)) = update {
                messages += 1;
                outbound.finish();
            }
            Ok(())
        });
        let answer = if first == 0x32 { 0x40 } else { 0x50 };
        assert_eq!((ended.is_ok(), messages, server.join().unwrap()), (true, 1, (answer, vec![0xE0, 0])));
    }
}

/// However the closures of several threads follow each other.
#[test]
fn a_closure_always_knows_that_it_would_deadlock() {
    let runner = runner(SHORT_BACKOFF);
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let handle = runner.handle();
            thread::spawn(move || {
                for _ in 0..200_000 {
                    let inside = || handle.try_publish(&Message::new("a", b""));
                    assert_eq!(handle.with(|_| inside()), Ok(Err(HandleError::WouldDeadlock)));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// A panic propagates to the caller of `run`; no other thread waits forever.
#[test]
fn a_handler_that_panics_ends_all_waits() {
    let (address, server) = serve(|mut socket| {
        socket.read_exact(&mut [0; 7]).unwrap();
        socket.write_all(b"\x30\x03\x00\x01a").unwrap();
        read_all(socket)
    });
    let runner = runner(SHORT_BACKOFF);
    let handle: Handle = runner.handle();
    let running = thread::spawn(move || {
        runner.run(open_and_run(open(address), CONNECT), |update, _| {
            assert!(!matches!(update, Update::Event(Event::Message(_))), "on purpose");
            Ok(())
        })
    });
    let message = Message::new("a", b"").at_least_once();
    assert_eq!(handle.publish_and_wait(&message, Some(TIMEOUT)), Err(HandleError::Stopped));
    assert!(running.join().is_err());
    assert_eq!(server.join().unwrap(), []);
}

/// Before there is a connection, messages are queued; no thread waits forever for a runner that is never run.
#[test]
fn a_runner_that_is_dropped_stops_its_handles() {
    let runner = runner_with(64, Choices::new(), Backoff::new(1, 1));
    let handle = runner.handle();
    let message = Message::new("a", b"").at_least_once();
    let mut queued = 0;
    while handle.try_publish(&message).is_ok() {
        queued += 1;
    }
    assert_eq!(queued, 4);
    let waiting = thread::spawn(move || handle.publish(&message));
    thread::sleep(Duration::from_millis(20));
    drop(runner);
    assert_eq!(waiting.join().unwrap(), Err(HandleError::Stopped));
}

#[test]
fn connack_is_processed_before_the_end_of_the_stream() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = open(listener.local_addr().unwrap());
    let running = start(runner(SHORT_BACKOFF), open);
    let (mut socket, _) = listener.accept().unwrap();
    socket.read_exact(&mut [0; CONNECT_LEN]).unwrap();
    socket.write_all(&[&ACCEPTED[..], b"\x30\x03\x00\x01a"].concat()).unwrap();
    drop(socket);
    running.wait_for_report("Connected");
    running.wait_for_report("Message");
    running.wait_for_report("lost: the connection is closed");
    drop(listener);
    running.stop().unwrap();
}

/// The handler is called for something that another thread has left for it, connected or not.
#[test]
fn wake_calls_the_handler() {
    let running = start(runner(Backoff::new(600_000, 600_000)), connection_refused);
    running.wait_for_report("lost");
    running.handle.wake();
    running.wait_for_report("Woken");
    running.stop().unwrap();

    let (address, server) = serve(read_all);
    let running = start(runner(SHORT_BACKOFF), open(address));
    running.wait_for_report("Connected");
    running.handle.wake();
    running.wait_for_report("Woken");
    running.stop().unwrap();
    server.join().unwrap();
}
