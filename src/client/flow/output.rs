//! What is sent next.
//!
//! A partly sent packet continues first. Between two packets, PINGREQ goes before everything else, answers go before requests, and
//! DISCONNECT goes last.

use crate::client::answers::AnswersState;
use crate::client::bytes::IS_LARGE;
use crate::client::config::Config;
use crate::client::outbox::OutboxState;
use crate::client::parts::Parts;
use crate::client::state::{Control, Offer, Source, State};
use crate::client::timers::Note;
use crate::codec::PacketType;

use super::connection;

const PINGREQ: [u8; 2] = [PacketType::PingReq.first_byte(), 0];
const DISCONNECT: [u8; 2] = [PacketType::Disconnect.first_byte(), 0];

/// A quick check whether there is nothing to send. `false` means only that there may be something.
#[inline]
pub(in crate::client) fn has_nothing_to_send(
    control: &Control,
    outbox: &OutboxState,
    answers: &AnswersState,
) -> bool {
    let Control { link, offer, .. } = control;
    link.state == State::Connected
        && !link.is_ping_due
        && (offer.is_settled || offer.len == 0)
        && answers.cur == answers.end
        && outbox.cur == outbox.tail
        && outbox.streams == 0
}

impl<C: Config> Parts<'_, C> {
    /// What to offer next, and how many bytes of it.
    fn next_offer(&self) -> (Source, usize) {
        let control = &*self.control;
        let link = &control.link;
        if link.state == State::Offline || link.is_output_lost {
            return (Source::None, 0);
        }
        if control.inbox.holds_connect {
            return (Source::Connect, control.inbox.fill.wrapping_sub(control.inbox.start));
        }
        let rest_of_fixed = PINGREQ.len().wrapping_sub(link.fixed_sent.into());
        if link.fixed_sent != 0 {
            // The rest of the packet that was offered last, whatever is due by now.
            return (control.offer.source, rest_of_fixed);
        }
        if self.outbox.is_inside_packet() {
            return self.rest_of_request();
        }
        let pings = link.is_ping_due && link.is_accepted;
        if pings && !self.answers.is_inside_packet() {
            return (Source::PingReq, rest_of_fixed);
        }
        let len = self.answers.sendable(pings, self.config().durable());
        if len != 0 {
            return (Source::Answers, len);
        }
        let len = self.outbox.sendable(false);
        if len != 0 {
            return (Source::Requests, len);
        }
        if self.sends_disconnect() { (Source::Disconnect, rest_of_fixed) } else { (Source::None, 0) }
    }

    /// The rest of a partly sent request, and the requests after it if nothing waits to be sent before them.
    fn rest_of_request(&self) -> (Source, usize) {
        let durable = self.config().durable();
        let waits = self.control.link.is_ping_due || self.answers.sendable(false, durable) != 0;
        let len = self.outbox.sendable(waits);
        if len != 0 || !self.config().streams() {
            return (Source::Requests, len);
        }
        (Source::Payload, self.outbox.sendable_payload())
    }

    /// Whether it is DISCONNECT's turn: there is nothing left that could be sent before it.
    fn sends_disconnect(&self) -> bool {
        let control = &*self.control;
        if control.link.state != State::Closing || !self.answers.is_empty() || control.inbox.owed != 0 {
            return false;
        }
        if control.leaving.is_finishing() {
            return self.outbox.is_empty();
        }
        !control.link.is_accepted || (self.outbox.is_open() && !self.is_held())
    }

    /// Whether something is held back only because no image is durable.
    pub(super) fn is_held(&self) -> bool {
        self.config().durable() && (self.outbox.is_held() || self.answers.is_held())
    }

    /// Whether there is something to send.
    pub(super) fn has_output(&self) -> bool {
        let is_idle = IS_LARGE && has_nothing_to_send(self.control, self.outbox.state, self.answers.state);
        !is_idle && self.next_offer().1 != 0
    }

    /// See [`Client::sent`](crate::Client::sent).
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(in crate::client) fn sent(&mut self, len: usize) {
        let control = &mut *self.control;
        let source = control.offer.source;
        let len = len.min(control.offer.len);
        control.offer.len = control.offer.len.wrapping_sub(len);
        control.offer.is_settled = true;
        if len == 0 {
            return;
        }
        control.notes.add(Note::SENT);
        let whole_packet = match source {
            Source::None => false,
            Source::Connect => {
                control.inbox.connect_sent(len);
                !control.inbox.holds_connect
            }
            Source::Answers => self.answers.sent(len),
            Source::Requests => self.outbox.sent(len),
            Source::Payload => self.outbox.payload_sent(len),
            Source::PingReq | Source::Disconnect => {
                let sent = control.link.fixed_sent.wrapping_add(len as u8);
                control.link.fixed_sent = sent & 1;
                if sent == 2 && source == Source::PingReq {
                    control.link.is_ping_due = false;
                } else if sent == 2 {
                    info!("MQTT: disconnected");
                    return connection::link_lost(self);
                }
                sent == 2
            }
        };
        if whole_packet {
            control.notes.add(Note::SENT_PACKET);
        }
    }
}

/// See [`Client::pending`](crate::Client::pending). The offer stays the same until `sent` is called.
pub(in crate::client) fn pending<'a, C: Config>(
    parts: Parts<'a, C>,
    rx: &'a mut [u8],
) -> (&'a mut [u8], &'a [u8]) {
    if parts.control.offer.is_settled || parts.control.offer.len == 0 {
        let (source, len) = parts.next_offer();
        parts.control.offer = Offer { source, is_settled: false, len };
        parts.control.link.is_ping_awaited |= source == Source::PingReq;
    }
    let Parts { control, answers, outbox, .. } = parts;
    let control = &*control;
    let Offer { source, len, .. } = if control.link.is_output_lost { Offer::NONE } else { control.offer };
    let (bytes, from) = match source {
        Source::None => return (control.inbox.free(rx), &[]),
        Source::Connect => return (&mut [], control.inbox.bytes(rx)),
        Source::PingReq => (&PINGREQ[..], control.link.fixed_sent.into()),
        Source::Disconnect => (&DISCONNECT[..], control.link.fixed_sent.into()),
        Source::Answers => (&*answers.bytes, answers.sending()),
        Source::Requests => (&*outbox.log, outbox.sending()),
        Source::Payload => (&*outbox.log, outbox.sending_payload()),
    };
    (control.inbox.free(rx), bytes.get(from..).and_then(|bytes| bytes.get(..len)).unwrap_or_default())
}
