//! `transport::net::Runner`: a thread that owns the connection, and a handle that publishes from another thread.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use std::{io, thread};

use baremqtt::transport::net::{Runner, Update, open_tcp};
use baremqtt::{Backoff, Buffers, Client, Config, Connect, Event, Message, QoS};

use crate::job::{Job, Role, TOPIC, Trips, WINDOW, done, ready};

struct Bench;

impl Config for Bench {
    fn max_requests(&self) -> u16 {
        WINDOW as u16
    }

    fn max_exactly_once(&self) -> u16 {
        0
    }
}

/// With this pause before each read.
pub fn run(job: Job, pause: Duration) -> Result<(), Box<dyn Error>> {
    let client = Client::with_config(Buffers { rx: job.buffer(), tx: job.buffer() }, Bench);
    let runner = Runner::new(client, Backoff::new(1_000, 1_000)).coalesce(pause);
    let handle = runner.handle();
    let job = Arc::new(job);
    let (sender, receiver) = mpsc::channel();
    let all_published = Arc::new(AtomicU64::new(0));
    let running = {
        let (job, all_published) = (Arc::clone(&job), Arc::clone(&all_published));
        let (id, broker) = (job.client_id(), job.broker);
        let (mut finished, mut trips) = (0, Trips::new());
        thread::spawn(move || {
            let connect = Connect::new(&id).keep_alive(60);
            runner.run(
                |link| {
                    let stream = link.open(move || open_tcp(broker, Duration::from_secs(5)))?;
                    link.run(stream, &connect)
                },
                |update, outbound| {
                    let is_one = match update {
                        Update::Event(Event::Connected { .. }) if job.role == Role::Out => {
                            sender.send(vec![]).map_err(io::Error::other)?;
                            false
                        }
                        Update::Event(Event::Connected { .. }) => {
                            outbound.subscribe(&[(TOPIC, job.qos)])?;
                            false
                        }
                        Update::Event(Event::Subscribed { .. }) => {
                            sender.send(vec![]).map_err(io::Error::other)?;
                            false
                        }
                        Update::Event(Event::Published { .. }) => true,
                        Update::Event(Event::Message(_)) => {
                            if job.role == Role::Ping {
                                trips.end();
                                trips.begin();
                                outbound.publish(&message(&job))?;
                            }
                            true
                        }
                        Update::AllSent if all_published.load(Ordering::Acquire) > 0 => {
                            if job.role == Role::Out && job.qos == QoS::AtMostOnce {
                                sender.send(vec![]).map_err(io::Error::other)?;
                            }
                            false
                        }
                        Update::LinkLost { error, .. } => return Err(error),
                        _ => false,
                    };
                    finished += u64::from(is_one);
                    if is_one && finished == job.count {
                        sender.send(std::mem::take(&mut trips.took)).map_err(io::Error::other)?;
                    }
                    Ok(())
                },
            )
        })
    };
    let receive = || receiver.recv().map_err(|_| io::Error::other("the connection has ended"));
    receive()?;
    ready()?;
    let count = match job.role {
        Role::Out => job.count,
        Role::In => 0,
        Role::Ping => 1,
    };
    for number in 0..count {
        if number + 1 == count {
            all_published.store(1, Ordering::Release);
        }
        handle.publish(&message(&job))?;
    }
    let mut trips = receive()?;
    done(&mut trips)?;
    handle.stop();
    running.join().map_err(|_| "the runner has panicked")??;
    Ok(())
}

fn message(job: &Job) -> Message<'_> {
    Message::new(TOPIC, &job.payload).qos(job.qos)
}
