//! `run` returns within 200 ms of `stop`, whatever it is doing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::transport::HandleError;
use baremqtt::transport::net::{Stream, Update};
use baremqtt::{Backoff, Event, Message};

use crate::{
    ACCEPTED, CONNECT, CONNECT_LEN, Choices, Running, TIMEOUT, accept, connection_refused, open,
    open_and_run, read_all, runner, runner_with, serve, start, unsplit,
};

const LIMIT: Duration = Duration::from_millis(200);

/// Stops what `begin` has started. The machine may be busy: one attempt that is in time is enough.
fn assert_stops_in_time<V>(begin: impl Fn() -> (Running, V)) -> V {
    let (first, mut late) = (Instant::now(), Vec::new());
    while first.elapsed() < TIMEOUT {
        let (running, rest) = begin();
        let started = Instant::now();
        running.stop().unwrap();
        let took = started.elapsed();
        if took < LIMIT {
            return rest;
        }
        late.push(took);
    }
    panic!("{late:?}");
}

#[test]
fn while_opening_the_stream_hangs() {
    assert_stops_in_time(|| {
        let (opening_sender, opening) = mpsc::channel();
        let running = start(runner(Backoff::new(1, 1)), move || -> std::io::Result<TcpStream> {
            opening_sender.send(()).unwrap();
            loop {
                thread::park();
            }
        });
        opening.recv().unwrap();
        (running, ())
    });
}

#[test]
fn while_waiting_for_connack() {
    fn begin<S: Stream + Send + 'static>(wrap: fn(TcpStream) -> S) -> (Running, thread::JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = open(listener.local_addr().unwrap());
        let running = start(runner(Backoff::new(1, 1)), move || open().map(wrap));
        let (mut socket, _) = listener.accept().unwrap();
        socket.read_exact(&mut [0; CONNECT_LEN]).unwrap();
        (running, thread::spawn(|| read_all(socket)))
    }
    assert_stops_in_time(|| begin(|tcp| tcp)).join().unwrap();
    assert_stops_in_time(|| begin(unsplit)).join().unwrap();
}

#[test]
fn while_waiting_for_the_next_attempt() {
    assert_stops_in_time(|| {
        let running = start(runner(Backoff::new(600_000, 600_000)), connection_refused);
        running.wait_for_report("lost");
        (running, ())
    });
}

#[test]
fn while_online_it_sends_disconnect() {
    fn begin<S: Stream + Send + 'static>(wrap: fn(TcpStream) -> S) -> (Running, thread::JoinHandle<Vec<u8>>) {
        let (address, server) = serve(read_all);
        let open = open(address);
        let running = start(runner(Backoff::new(1, 1)), move || open().map(wrap));
        running.wait_for_report("Connected");
        (running, server)
    }
    assert_eq!(assert_stops_in_time(|| begin(|tcp| tcp)).join().unwrap(), [0xE0, 0]);
    assert_eq!(assert_stops_in_time(|| begin(unsplit)).join().unwrap(), [0xE0, 0]);
}

/// The queued output does not fit into the buffers of TCP, and the server does not read it.
#[test]
fn while_the_server_reads_nothing() {
    fn begin<S: Stream + Send + 'static>(wrap: fn(TcpStream) -> S) -> (Running, TcpListener, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = open(listener.local_addr().unwrap());
        let running =
            start(runner_with(33 << 20, Choices::new(), Backoff::new(1, 1)), move || open().map(wrap));
        let socket = accept(&listener);
        running.wait_for_report("Connected");
        running.handle.publish(&Message::new("large", &vec![0; 32 << 20])).unwrap();
        thread::sleep(Duration::from_millis(150));
        (running, listener, socket)
    }
    assert_stops_in_time(|| {
        let (running, listener, socket) = begin(|tcp| tcp);
        (running, (listener, socket))
    });
    assert_stops_in_time(|| {
        let (running, listener, socket) = begin(unsplit);
        (running, (listener, socket))
    });
}

/// A server that sends continuously keeps the runner busy. After the stop its writes fail.
#[test]
fn during_an_endless_inbound_stream() {
    let server = assert_stops_in_time(|| {
        let (address, server) = serve(|mut socket| {
            let messages = b"\x30\x03\x00\x01a".repeat(1_000);
            while socket.write_all(&messages).is_ok() {}
        });
        let running = start(runner(Backoff::new(1, 1)), open(address));
        running.wait_for_report("Message");
        (running, server)
    });
    let stopped = Instant::now();
    server.join().unwrap();
    assert!(stopped.elapsed() < TIMEOUT, "{:?}", stopped.elapsed());
}

#[test]
fn before_and_after_the_runner_runs() {
    let runner = runner(Backoff::new(1, 1));
    let handle = runner.handle();
    handle.stop();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let running = start(runner, open(listener.local_addr().unwrap()));
    running.thread.join().unwrap().unwrap();
    handle.stop();
    assert_eq!(handle.publish(&Message::new("a", b"").at_least_once()), Err(HandleError::Stopped));
}

/// The input is drained when a connection ends; a stop cuts that short.
#[test]
fn while_a_connection_is_drained() {
    assert_stops_in_time(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = open(listener.local_addr().unwrap());
        let running = start(runner(Backoff::new(1, 1)), open);
        let (mut socket, _) = listener.accept().unwrap();
        socket.read_exact(&mut [0; CONNECT_LEN]).unwrap();
        socket.write_all(&ACCEPTED).unwrap();
        running.wait_for_report("Connected");
        // No packet has this form.
        socket.write_all(&[0xF0, 0]).unwrap();
        let mut end = [0; 1];
        assert_eq!(socket.read(&mut end).unwrap(), 0, "the client ends its output first");
        (running, (listener, socket))
    });
}

/// A message that has not been passed to the handler is not acknowledged, so the server keeps it.
#[test]
fn a_handler_acknowledges_only_its_own_message() {
    let (address, server) = serve(|mut socket| {
        socket.write_all(b"\x32\x05\x00\x01a\x00\x01\x32\x05\x00\x01a\x00\x02").unwrap();
        read_all(socket)
    });
    let runner = runner(Backoff::new(1, 1));
    let (handle, mut messages) = (runner.handle(), 0);
    let result = runner.run(open_and_run(open(address), CONNECT), |update, _| {
        if let Update::Event(Event::Message(_)) = update {
            messages += 1;
            handle.stop();
        }
        Ok(())
    });
    result.unwrap();
    assert_eq!(messages, 1);
    assert_eq!(server.join().unwrap(), [0x40, 2, 0, 1, 0xE0, 0]);
}

/// The output that precedes DISCONNECT may need a save first.
#[test]
fn after_a_required_save() {
    let (address, server) = serve(read_all);
    let choices = Choices::with(|values| values.durable = true);
    let runner = runner_with(512, choices, Backoff::new(1, 1));
    let handle = runner.handle();
    let result = runner.run(open_and_run(open(address), CONNECT), |update, outbound| {
        match update {
            Update::Event(Event::Connected { .. }) => {
                outbound.publish(&Message::new("a", b"").at_least_once())?;
                handle.stop();
            }
            Update::Event(Event::SaveDue) => {
                outbound.save(&mut [0; 700])?;
                outbound.saved(outbound.revision());
            }
            _ => {}
        }
        Ok(())
    });
    result.unwrap();
    assert_eq!(server.join().unwrap(), b"\x32\x05\x00\x01a\x00\x01\xE0\x00");
}
