//! What leaves next.
//!
//! A packet that has left in part goes on first. Between two packets PINGREQ passes everything, answers pass requests, and
//! DISCONNECT comes last.

use crate::client::config::Config;
use crate::client::parts::Whole;
use crate::client::timers::Note;
use crate::client::work::{Offer, Source, State};
use crate::codec::PacketType;

use super::connection;

const PINGREQ: [u8; 2] = [PacketType::PingReq.first_byte(), 0];
const DISCONNECT: [u8; 2] = [PacketType::Disconnect.first_byte(), 0];

impl<C: Config> Whole<'_, C> {
    /// What is to be offered next.
    fn next_offer(&self) -> Offer {
        let work = &*self.out.work;
        let (link, durable) = (&work.link, self.out.config.durable());
        if link.state == State::Offline || link.is_output_lost {
            return Offer::NONE;
        }
        if work.inbox.holds_connect {
            return Offer::new(Source::Connect, work.inbox.bytes(self.rx).len());
        }
        let ping = Offer::new(Source::PingReq, PINGREQ.len().wrapping_sub(link.fixed_sent.into()));
        if link.fixed_sent != 0 {
            return if link.is_ping_due { ping } else { Offer::new(Source::Disconnect, ping.len) };
        }
        let pings = link.is_ping_due;
        if self.out.outbox.is_inside_packet() {
            return self.rest_of_request(pings);
        }
        let pings = pings && link.is_accepted;
        if pings && !self.out.answers.is_inside_packet() {
            return ping;
        }
        let len = self.out.answers.sendable(pings, durable);
        if len != 0 {
            return Offer::new(Source::Answers, len);
        }
        let len = self.out.outbox.sendable(false);
        if len != 0 {
            return Offer::new(Source::Requests, len);
        }
        if self.disconnects() { Offer::new(Source::Disconnect, DISCONNECT.len()) } else { Offer::NONE }
    }

    /// The rest of a request that has left in part; those behind it too where nothing waits to pass.
    fn rest_of_request(&self, pings: bool) -> Offer {
        let durable = self.out.config.durable();
        let waits = pings || self.out.answers.sendable(false, durable) != 0;
        let len = self.out.outbox.sendable(waits);
        if len != 0 || !self.out.config.streams() {
            return Offer::new(Source::Requests, len);
        }
        Offer::new(Source::Payload, self.out.outbox.sendable_payload())
    }

    /// Whether it is DISCONNECT's turn: nothing that could leave before it is left.
    fn disconnects(&self) -> bool {
        let work = &*self.out.work;
        if work.link.state != State::Closing || !self.out.answers.is_empty() || work.inbox.owed != 0 {
            return false;
        }
        if work.link.is_finishing {
            return self.out.outbox.is_empty();
        }
        !work.link.is_accepted || (self.out.outbox.is_open() && !self.is_held())
    }

    /// Whether something would leave if an image were durable.
    pub(super) fn is_held(&self) -> bool {
        self.out.config.durable() && (self.out.outbox.is_held() || self.out.answers.is_held())
    }

    /// Whether there is something to be sent.
    pub(super) fn has_output(&self) -> bool {
        self.next_offer().len != 0
    }

    /// See [`Client::sent`](crate::Client::sent).
    pub(in crate::client) fn sent(&mut self, len: usize) {
        let work = &mut *self.out.work;
        let source = work.offer.source;
        let len = len.min(work.offer.len);
        work.offer.len = work.offer.len.wrapping_sub(len);
        work.offer.is_told = true;
        if len == 0 {
            return;
        }
        work.timers.note(Note::SENT);
        let whole_packet = match source {
            Source::None => false,
            Source::Connect => {
                work.inbox.connect_sent(len);
                !work.inbox.holds_connect
            }
            Source::Answers => self.out.answers.sent(len),
            Source::Requests => self.out.outbox.sent(len),
            Source::Payload => self.out.outbox.payload_sent(len),
            Source::PingReq | Source::Disconnect => {
                let sent = work.link.fixed_sent.wrapping_add(len as u8);
                work.link.fixed_sent = sent & 1;
                if sent == 2 && source == Source::PingReq {
                    work.link.is_ping_due = false;
                } else if sent == 2 {
                    info!("MQTT: disconnected");
                    return connection::link_lost(&mut self.out);
                }
                sent == 2
            }
        };
        if whole_packet {
            work.timers.note(Note::SENT_PACKET);
        }
    }
}

/// See [`Client::pending`](crate::Client::pending): what is offered stays offered until it is told how much was taken.
pub(in crate::client) fn pending<C: Config>(whole: Whole<'_, C>) -> (&mut [u8], &[u8]) {
    if whole.out.work.offer.is_told || whole.out.work.offer.len == 0 {
        whole.out.work.offer = whole.next_offer();
        if whole.out.work.offer.source == Source::PingReq {
            whole.out.work.link.is_ping_awaited = true;
        }
    }
    let Whole { rx, out } = whole;
    let work = &*out.work;
    let Offer { source, len, .. } = work.offer;
    let (bytes, from) = match source {
        Source::None => return (work.inbox.free(rx), &[]),
        Source::Connect => return (&mut [], work.inbox.bytes(rx)),
        Source::PingReq => (&PINGREQ[..], work.link.fixed_sent.into()),
        Source::Disconnect => (&DISCONNECT[..], work.link.fixed_sent.into()),
        Source::Answers => (&*out.answers.bytes, out.answers.sending()),
        Source::Requests => (&*out.outbox.log, out.outbox.sending()),
        Source::Payload => (&*out.outbox.log, out.outbox.sending_payload()),
    };
    (work.inbox.free(rx), bytes.get(from..).and_then(|bytes| bytes.get(..len)).unwrap_or_default())
}
