//! What makes no difference any more is forgotten after each step, so that states which differ only in that are one.
//!
//! Only what no step and no check asks for again may be forgotten, whatever the client does: not because a correct client would not do
//! something, but because another check fails if it does. For instance, a message that has ended is in no order any more, because to send
//! it at all is a fault. `faults.py` shows if this goes too far.

use super::World;
use super::steps::JUMPS;
use crate::app::{App, SUBSCRIBE, Stage};
use crate::broker::Broker;
use crate::rules::{Feature, Rules, of_qos};
use baremqtt::QoS;

/// The messages that may still be sent, in this run or in another one that begins without an image or from one of them; and the
/// identifiers of requests that are open in one of them.
pub struct Kept {
    pub messages: u16,
    pub ids: u16,
}

impl World {
    /// Forgets what makes no difference any more, so that states which differ only in that are one.
    pub(super) fn forget(&mut self) {
        let ids = self.images().fold(self.app.open_ids(), |ids, image| ids | image.app.open_ids());
        let begins_anew = self.rules.is_durable() && self.disk.is_none();
        let ended = if begins_anew { 0 } else { self.app.ended() };
        let kept =
            Kept { messages: !self.images().fold(ended, |ended, image| ended & image.app.ended()), ids };
        self.app.forget(&self.broker, &kept, self.rules);
        self.broker.forget(&self.app, &kept, self.rules);
        if !self.has(Feature::Time) || self.jumps == JUMPS {
            // The silence is only checked when the clock moves.
            self.silent = 0;
        }
        if !self.has(Feature::Mqtt31)
            && let Some(offered) = &mut self.offered
        {
            offered.beyond.1 = 0;
        }
    }
}

impl App {
    /// Forgets what makes no difference any more.
    pub fn forget(&mut self, broker: &Broker, kept: &Kept, rules: &Rules) {
        // What was seen must not be sent without DUP, or at QoS 0 not again. Only MQTT 3.1 has DUP in PUBREL.
        self.seen &= kept.messages | of_qos(&rules.out, QoS::AtMostOnce);
        self.seen_pubrel &= if rules.has(Feature::Mqtt31) { kept.messages } else { 0 };
        self.seen_here &= self.open();
        self.restored &= self.open();
        if rules.is_durable() {
            return;
        }
        // Requests that have ended will not end again. That excuses only messages that have not arrived.
        let open = self.requests.iter().enumerate().filter(|(_, stage)| matches!(stage, Stage::Open(_)));
        let open = open.fold(0, |bits, (request, _)| bits | 1 << request);
        let missed = !broker.arrived & ((1 << SUBSCRIBE) - 1);
        self.may_end = (self.may_end & open) | ((self.may_end | self.given_up) & missed);
        self.given_up &= open;
        self.discarded &= open;
        for stage in &mut self.requests {
            if let Stage::Told(id) = stage {
                *id = 0;
            }
        }
    }
}

impl Broker {
    /// Forgets what makes no difference any more.
    pub fn forget(&mut self, app: &App, kept: &Kept, rules: &Rules) {
        // Only what is sent again arrives again, and only at QoS 2 must it not.
        self.exposed &= kept.messages & of_qos(&rules.out, QoS::ExactlyOnce);
        // What cannot be sent again is in no order; neither is anything if packets are repeated.
        let is_ordered = !rules.has(Feature::Retry);
        let sent = app.open() | of_qos(&rules.out, QoS::AtMostOnce);
        let may_come = |message: &u8| is_ordered && sent & (1 << message) != 0;
        self.newest = self.newest.and_then(|newest| (0..=newest).rev().find(may_come));
        // Only a request that is open has a PUBREL.
        self.retain_pubrecs(|id| is_ordered && kept.ids & (1 << id) != 0);
        self.given_up &= app.open_ids();
        // What has come in is not missed; but a restart can take a message of QoS 2 back.
        let taken_back = if rules.is_durable() { of_qos(&rules.into, QoS::ExactlyOnce) } else { 0 };
        self.lost &= !app.got | taken_back;
        // Only what is sent again can come in again.
        self.forgotten &= self.unanswered();
    }
}
