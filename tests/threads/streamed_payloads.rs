//! Payloads larger than the transmit buffer.

use std::io::Read;
use std::sync::mpsc;
use std::thread;

use baremqtt::transport::HandleError;
use baremqtt::transport::net::Update;
use baremqtt::{Event, StreamError, StreamedMessage};

use crate::{CONNECT, Choices, SHORT_BACKOFF, open, open_and_run, runner_with, serve};

const LEN: usize = 300_000;

fn byte(at: usize) -> u8 {
    (at ^ (at >> 8)) as u8
}

/// The handler hands over as much as fits, and continues when that has been sent.
#[test]
fn a_payload_is_supplied_as_room_becomes_free() {
    let (address, server) = serve(|mut socket| {
        let mut bytes = vec![0; 1 + 3 + 3 + LEN];
        socket.read_exact(&mut bytes).unwrap();
        (0..LEN).all(|at| bytes[7 + at] == byte(at))
    });
    let choices = Choices::with(|values| values.streams = true);
    let runner = runner_with(512, choices, SHORT_BACKOFF);
    let handle = runner.handle();
    let (mut payload_is_requested, mut taken) = (false, 0);
    let running = thread::spawn(move || {
        runner.run(open_and_run(open(address), CONNECT), |update, outbound| {
            match update {
                Update::Event(Event::Connected { .. }) => {
                    outbound.publish_streamed(&StreamedMessage::new("a", LEN))?;
                }
                Update::Event(Event::StreamReady { .. }) => payload_is_requested = true,
                _ => {}
            }
            while payload_is_requested && taken < LEN {
                let piece: Vec<u8> = (taken..LEN).take(100).map(byte).collect();
                let len = outbound.write_payload(&piece)?;
                taken += len;
                if len == 0 {
                    break;
                }
            }
            Ok(())
        })
    });
    assert!(server.join().unwrap());
    handle.stop();
    running.join().unwrap().unwrap();
}

/// Another thread hands the payload over, and waits for room.
#[test]
fn a_payload_is_supplied_by_another_thread() {
    let (address, server) = serve(|mut socket| {
        let mut bytes = vec![0; 1 + 3 + 3 + LEN];
        socket.read_exact(&mut bytes).unwrap();
        (0..LEN).all(|at| bytes[7 + at] == byte(at))
    });
    let runner = runner_with(512, Choices::with(|values| values.streams = true), SHORT_BACKOFF);
    let (handle, (reports, reported)) = (runner.handle(), mpsc::channel());
    let running = thread::spawn(move || {
        runner.run(open_and_run(open(address), CONNECT), |update, _| {
            if let Update::Event(Event::Connected { .. } | Event::StreamReady { .. }) = update {
                reports.send(()).unwrap();
            }
            Ok(())
        })
    });
    reported.recv().unwrap();
    assert_eq!(handle.write_payload(b"early"), Err(StreamError::NotAsked.into()));
    handle.publish_streamed(&StreamedMessage::new("a", LEN)).unwrap();
    reported.recv().unwrap();
    let payload: Vec<u8> = (0..LEN).map(byte).collect();
    let mut rest = &payload[..];
    while !rest.is_empty() {
        let taken = handle.write_payload(rest).unwrap();
        assert_ne!(taken, 0, "it waits");
        rest = &rest[taken..];
    }
    assert!(server.join().unwrap());
    handle.stop();
    running.join().unwrap().unwrap();
    assert_eq!(handle.write_payload(b"late"), Err(HandleError::Stopped));
}
