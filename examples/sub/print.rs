//! Prints received messages.

use std::io::{self, Write, stdout};

use baremqtt::codec::Delivery;
use baremqtt::{Event, LargeMessage, TopicFilter, TopicName};

use crate::format::Format;
use crate::json::Received;

/// Prints messages, and counts them.
pub struct Printer {
    pub format: Format,
    pub line_end: bool,
    pub skip_retained: bool,
    pub retained_only: bool,
    pub remove_retained: bool,
    /// The topics of printed messages that the server has still to forget.
    pub to_remove: Vec<String>,
    /// Topic filters of messages that are not printed.
    pub filter_out: Vec<String>,
    /// The number of messages still to print, if there is a limit.
    pub left: Option<u64>,
    /// A message that is larger than the receive buffer, and is received in pieces.
    collected: Option<Collected>,
}

struct Collected {
    topic: String,
    payload: Vec<u8>,
    delivery: Delivery,
    retain: bool,
}

impl Default for Printer {
    fn default() -> Self {
        Printer {
            format: Format::default(),
            line_end: true,
            skip_retained: false,
            retained_only: false,
            remove_retained: false,
            to_remove: Vec::new(),
            filter_out: Vec::new(),
            left: None,
            collected: None,
        }
    }
}

impl Printer {
    /// Whether the requested number of messages has been printed.
    pub fn is_done(&self) -> bool {
        self.left == Some(0)
    }

    /// Prints the message that the event completes.
    pub fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        match *event {
            Event::Message(message) => self.print(&Received {
                topic: message.topic.as_str(),
                payload: message.payload,
                delivery: message.delivery,
                retain: message.retain,
            }),
            Event::MessageStart(start) => {
                self.collected = Some(Collected::new(&start));
                Ok(())
            }
            Event::MessagePiece(piece) => {
                if let Some(collected) = &mut self.collected {
                    collected.payload.extend_from_slice(piece);
                }
                Ok(())
            }
            Event::MessageEnd => match self.collected.take() {
                Some(collected) => self.print(&collected.borrow()),
                None => Ok(()),
            },
            // It will be received again, from the start.
            Event::MessageAborted => {
                self.collected = None;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn print(&mut self, message: &Received<'_>) -> io::Result<()> {
        if self.is_done() {
            return Ok(());
        }
        if self.retained_only && !message.retain {
            self.left = Some(0);
            return Ok(());
        }
        if (self.skip_retained && message.retain) || self.is_filtered_out(message.topic) {
            return Ok(());
        }
        if self.remove_retained && message.retain {
            self.to_remove.push(message.topic.to_owned());
        }
        let mut out = stdout().lock();
        self.format.print(message, &mut out)?;
        if self.line_end {
            out.write_all(b"\n")?;
        }
        out.flush()?;
        self.left = self.left.map(|left| left.saturating_sub(1));
        Ok(())
    }

    fn is_filtered_out(&self, topic: &str) -> bool {
        let Ok(topic) = TopicName::new(topic) else { return false };
        self.filter_out
            .iter()
            .any(|filter| TopicFilter::new(filter).is_ok_and(|filter| filter.matches(topic)))
    }
}

impl Collected {
    fn new(start: &LargeMessage<'_>) -> Self {
        Collected {
            topic: start.topic.map(|topic| topic.as_str().to_owned()).unwrap_or_default(),
            payload: Vec::with_capacity(start.payload_len),
            delivery: start.delivery,
            retain: start.retain,
        }
    }

    fn borrow(&self) -> Received<'_> {
        Received { topic: &self.topic, payload: &self.payload, delivery: self.delivery, retain: self.retain }
    }
}
