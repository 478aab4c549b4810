//! What can happen, and the order in which it happens if nothing goes wrong.

use super::World;
use crate::packets::Kind;
use crate::rules::{Feature, Rules};

macro_rules! actions {
    ($($action:ident)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Action { $($action,)* }

        impl Action {
            pub const ALL: &'static [Action] = &[$(Action::$action,)*];
        }
    };
}

actions! {
    Told Advance Acknowledge TellSaved Write Save Publish Subscribe Unsubscribe Payload
    Send Receive PubAck PubRec PubRel PubComp SubAck UnsubAck PingResp Serve Connect ConnectClean Close
    SendPart SendLost Offer OfferPart OfferAll ReceivePart Break LoseSession Crash Jump
    GiveUp0 GiveUp1 GiveUp2 Abandon Finish Disconnect OutputLost
}

use Action::*;

/// Fair schedules: the first of these that changes anything happens next. In one the application is quick, in the other
/// everything that can be read is read first. Sessions
/// that can be clean are so in the second one.
pub const FAIR: [&[Action]; 2] = [
    &[
        Close,
        Told,
        Advance,
        Acknowledge,
        TellSaved,
        Write,
        Save,
        Publish,
        Subscribe,
        Unsubscribe,
        Payload,
        Send,
        Receive,
        PubAck,
        PubRec,
        PubRel,
        PubComp,
        SubAck,
        UnsubAck,
        PingResp,
        Serve,
        Connect,
        ConnectClean,
    ],
    &[
        Close,
        Serve,
        PingResp,
        UnsubAck,
        SubAck,
        PubComp,
        PubRel,
        PubRec,
        PubAck,
        Receive,
        Advance,
        Send,
        Told,
        TellSaved,
        Write,
        Save,
        Payload,
        ConnectClean,
        Connect,
        Publish,
        Subscribe,
        Unsubscribe,
        Acknowledge,
    ],
];

impl Action {
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    pub fn named(name: &str) -> Option<Self> {
        Action::ALL.iter().copied().find(|action| action.name() == name)
    }

    /// The answer of the broker that this action sends.
    pub fn kind(self) -> Option<Kind> {
        Some(match self {
            PubAck => Kind::PubAck,
            PubRec => Kind::PubRec,
            PubRel => Kind::PubRel,
            PubComp => Kind::PubComp,
            SubAck => Kind::SubAck,
            UnsubAck => Kind::UnsubAck,
            PingResp => Kind::PingResp,
            _ => return None,
        })
    }
}

impl Action {
    /// Whether this can happen in a walk at all.
    pub fn is_part_of(self, rules: &Rules) -> bool {
        match self {
            TellSaved | Write | Save | Crash => rules.is_durable(),
            Told | Offer | OfferPart | OfferAll => rules.has(Feature::Late),
            Acknowledge => rules.has(Feature::Manual),
            Subscribe | Unsubscribe => rules.has(Feature::Subscribe),
            Payload => rules.has(Feature::Stream),
            PubAck | PubRec | PubRel | PubComp | SubAck | UnsubAck | PingResp => rules.has(Feature::Order),
            LoseSession => rules.loses_session(),
            Jump => rules.has_time(),
            GiveUp0 | GiveUp1 | GiveUp2 => rules.has(Feature::GiveUp),
            Abandon => rules.has(Feature::GiveUp) && rules.has(Feature::Stream),
            Finish | Disconnect => rules.has(Feature::Finish),
            OutputLost => rules.has(Feature::OutputLost),
            Connect => !rules.has(Feature::Clean),
            ConnectClean => rules.has(Feature::Clean) || rules.has(Feature::Mixed),
            _ => true,
        }
    }
}

impl World {
    /// Whether an honest peer and an honest application would do this now.
    pub fn is_fair(&self, action: Action) -> bool {
        match action {
            Save => self.app.is_save_due,
            _ => true,
        }
    }
}
