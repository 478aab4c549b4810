//! The conversation with the server, over as many connections as necessary.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use baremqtt::transport::net::{GaveUp, Handle, Runner, Update};
use baremqtt::{
    Backoff, Buffers, Client, Config, Event, LargeMessages, Message, Outbound, Request, RequestError,
    SubAckCode, SubAckCodes, UnderWay,
};

use crate::Task;
use crate::common::Failure;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The delay before the first reconnect. Each further delay is twice as long.
const FIRST_PAUSE_MS: u32 = 1_000;
const LONGEST_PAUSE_MS: u32 = 60_000;
/// Larger messages are received in pieces.
const RECEIVE_BUFFER: usize = 1 << 16;
/// The transmit buffer, in addition to the room for the topic filters of a SUBSCRIBE.
const TRANSMIT_BUFFER: usize = 1 << 14;

/// Listens until the task is done.
pub fn run(mut task: Task) -> Result<(), Failure> {
    let started = Instant::now();
    let timeout = task.time.map_or(CONNECT_TIMEOUT, |time| time.min(CONNECT_TIMEOUT));
    let link = task.link.clone();
    let connect = link.connect();
    let backoff = Backoff::new(FIRST_PAUSE_MS, LONGEST_PAUSE_MS).seed(std::process::id());
    let filters: Vec<_> = [&task.filters[..], &task.unsubscribe].concat();
    let runner = Runner::new(client(&filters, connect.encoded_len(), timeout), backoff);
    let handle = runner.handle();
    let is_late = task.time.map(|time| stop_after(time.saturating_sub(started.elapsed()), handle.clone()));

    let opened = link.clone();
    let mut was_connected = false;
    let mut done = Ok(false);
    let result = runner.run(
        |link| {
            let opened = opened.clone();
            let stream = link.open(move || opened.open(timeout))?;
            link.run(stream, &connect)
        },
        |update, outbound| {
            if matches!(done, Ok(false)) {
                was_connected |= matches!(update, Update::Event(Event::Connected { .. }));
                done = task.take(update, outbound, was_connected);
            }
            if !matches!(done, Ok(false)) {
                handle.stop();
            }
            Ok(())
        },
    );
    match result {
        Err(GaveUp::Limit(error)) => return Err(error.into()),
        Err(GaveUp::Refused(code)) => return Err(Failure::Refused(code)),
        Err(error) => return Err(Failure::Other(error.to_string())),
        Ok(()) => {}
    }
    match (done, is_late) {
        (Ok(false), Some(is_late)) if is_late.load(Ordering::Acquire) => Err(Failure::TimedOut),
        (done, _) => done.map(drop),
    }
}

impl Task {
    /// Returns whether the task is done.
    fn take(
        &mut self,
        update: Update<'_>,
        outbound: &mut Outbound<'_, Choices>,
        was_connected: bool,
    ) -> Result<bool, Failure> {
        match update {
            // Resubscribing does no harm if the server has kept the session, which a server does not say in MQTT 3.1.
            Update::Event(Event::Connected { .. }) => {
                let filters: Vec<_> = self.filters.iter().map(|filter| (filter.as_str(), self.qos)).collect();
                if !filters.is_empty() {
                    outbound.subscribe(&filters)?;
                }
                let filters: Vec<_> = self.unsubscribe.iter().map(String::as_str).collect();
                if !filters.is_empty() {
                    outbound.unsubscribe(&filters)?;
                }
            }
            Update::Event(Event::Subscribed { codes, .. }) => {
                check(&self.filters, codes, self.link.quiet)?;
                if self.until_subscribed && self.unsubscribe.is_empty() {
                    return Ok(true);
                }
            }
            Update::Event(Event::Unsubscribed { .. }) if self.until_subscribed => return Ok(true),
            Update::Event(event) => self.printer.take(&event)?,
            Update::LinkLost { error, retry_in } => {
                let text = error.to_string();
                match Failure::from(error) {
                    Failure::Link(_) if self.reconnect && was_connected => {}
                    failure => return Err(failure),
                }
                if !self.link.quiet {
                    eprintln!("sub: {text}; trying again in {:.1} s", retry_in.as_secs_f32());
                }
            }
            _ => {}
        }
        self.remove_retained(outbound)?;
        let is_message = |it: UnderWay<'_>| matches!(it.request, Request::Publish(_));
        let has_removed = self.printer.to_remove.is_empty() && !outbound.under_way().any(is_message);
        Ok(self.printer.is_done() && has_removed)
    }

    /// Asks the server to forget messages that were printed: as many as there is room for.
    fn remove_retained(&mut self, outbound: &mut Outbound<'_, Choices>) -> Result<(), Failure> {
        while let Some(topic) = self.printer.to_remove.last() {
            match outbound.publish(&Message::new(topic, b"").at_least_once().retain()) {
                Err(RequestError::Full(_)) => break,
                result => drop(result?),
            }
            self.printer.to_remove.pop();
        }
        Ok(())
    }
}

/// Stops the runner after this time; returns whether it did.
fn stop_after(time: Duration, handle: Handle<Vec<u8>, Vec<u8>, Choices>) -> Arc<AtomicBool> {
    let is_over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&is_over);
    thread::spawn(move || {
        thread::sleep(time);
        told.store(true, Ordering::Release);
        handle.stop();
    });
    is_over
}

struct Choices {
    connack_timeout_ms: u32,
}

impl Config for Choices {
    fn connack_timeout_ms(&self) -> u32 {
        self.connack_timeout_ms
    }

    fn large_messages(&self) -> LargeMessages {
        LargeMessages::Pieces
    }
}

fn client(filters: &[String], connect_len: usize, timeout: Duration) -> Client<Vec<u8>, Vec<u8>, Choices> {
    let filters_len: usize = filters.iter().map(|filter| filter.len() + 3).sum();
    let tx = vec![0; TRANSMIT_BUFFER + filters_len];
    let rx = vec![0; RECEIVE_BUFFER.max(connect_len)];
    let choices = Choices { connack_timeout_ms: timeout.as_millis() as u32 };
    Client::with_config(Buffers { rx, tx }, choices)
}

/// Reports the filters that the server has refused. If it has refused all, no message can ever arrive.
fn check(filters: &[String], codes: SubAckCodes<'_>, quiet: bool) -> Result<(), Failure> {
    let mut granted = false;
    for (filter, code) in filters.iter().zip(codes.iter()) {
        match code {
            SubAckCode::Granted(_) => granted = true,
            SubAckCode::Failure if !quiet => eprintln!("sub: the server denies a subscription to {filter}"),
            SubAckCode::Failure => {}
        }
    }
    if granted { Ok(()) } else { Err(Failure::Other("all subscriptions are denied".into())) }
}
