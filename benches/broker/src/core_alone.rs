//! The client without an adapter: a loop that writes everything there is, reads once, and handles the events.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant as Clock;

use baremqtt::{Buffers, Client, Connect, Event, Instant, Message, QoS, RequestError};

use crate::job::{Job, Role, TOPIC, Trips, WINDOW, done, ready};
use crate::std_adapter::Bench;

type Done = Result<(), Box<dyn Error>>;

struct Link {
    client: Client<Vec<u8>, Vec<u8>, Bench>,
    stream: TcpStream,
    began: Clock,
}

impl Link {
    fn write(&mut self) -> Done {
        while !self.client.pending().is_empty() {
            let len = self.stream.write(self.client.pending())?;
            self.client.sent(len);
        }
        Ok(())
    }

    /// Writes, waits for input, and returns how many of its events are of this kind.
    fn turn(&mut self, is_one: fn(Event<'_>) -> bool) -> Result<u64, Box<dyn Error>> {
        self.write()?;
        // It is full while its contents wait until there is room for their answers.
        if !self.client.receive_buffer().is_empty() {
            let len = self.stream.read(self.client.receive_buffer())?;
            if len == 0 {
                return Err("the broker has closed the connection".into());
            }
            self.client.received(len);
        }
        let now = Instant::from_millis(self.began.elapsed().as_millis() as u32);
        let mut found = 0;
        while self.client.advance(now)? {
            found += u64::from(self.client.event().is_some_and(is_one));
        }
        Ok(found)
    }

    fn wait_for(&mut self, count: u64, is_one: fn(Event<'_>) -> bool) -> Done {
        let mut found = 0;
        while found < count {
            found += self.turn(is_one)?;
        }
        Ok(())
    }
}

pub fn run(job: &Job) -> Done {
    let stream = TcpStream::connect(job.broker)?;
    stream.set_nodelay(true)?;
    let client = Client::with_config(Buffers { rx: job.buffer(), tx: job.buffer() }, Bench);
    let mut link = Link { client, stream, began: Clock::now() };
    link.client.connect(&Connect::new(&job.client_id()).keep_alive(60))?;
    link.wait_for(1, |event| matches!(event, Event::Connected { .. }))?;
    if job.role != Role::Out {
        link.client.subscribe(&[(TOPIC, job.qos)])?;
        link.wait_for(1, |event| matches!(event, Event::Subscribed { .. }))?;
    }
    ready()?;
    let mut trips = Trips::new();
    match job.role {
        Role::Out if job.qos == QoS::AtMostOnce => out_unanswered(job, &mut link)?,
        Role::Out => out(job, &mut link)?,
        Role::In => link.wait_for(job.count, is_message)?,
        Role::Ping => {
            for _ in 0..job.count {
                trips.begin();
                link.client.publish(&message(job))?;
                link.wait_for(1, is_message)?;
                trips.end();
            }
        }
    }
    Ok(done(&mut trips.took)?)
}

fn message(job: &Job) -> Message<'_> {
    Message::new(TOPIC, &job.payload).qos(job.qos)
}

fn is_message(event: Event<'_>) -> bool {
    matches!(event, Event::Message(_))
}

fn out_unanswered(job: &Job, link: &mut Link) -> Done {
    let mut sent = 0;
    while sent < job.count {
        match link.client.publish(&message(job)) {
            Ok(_) => sent += 1,
            Err(RequestError::Full(_)) => link.write()?,
            Err(error) => return Err(error.into()),
        }
    }
    link.write()
}

fn out(job: &Job, link: &mut Link) -> Done {
    let (mut sent, mut published) = (0, 0);
    while published < job.count {
        while sent < job.count && sent - published < WINDOW {
            link.client.publish(&message(job))?;
            sent += 1;
        }
        published += link.turn(|event| matches!(event, Event::Published { .. }))?;
    }
    Ok(())
}
