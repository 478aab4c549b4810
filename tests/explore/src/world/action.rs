//! What can happen, and the order in which it happens if nothing goes wrong.

use super::World;
use crate::packets::Kind;

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
    Send Receive PubAck PubRec PubRel PubComp SubAck UnsubAck PingResp Serve Connect Close
    SendPart SendLost Offer OfferPart OfferAll ReceivePart Break LoseSession Crash Jump
    GiveUp0 GiveUp1 GiveUp2 Finish Disconnect OutputLost
}

use Action::*;

/// Fair schedules: the first of these that changes anything happens next. In one the application is quick, in the other
/// everything that can be read is read first.
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

impl World {
    /// Whether an honest peer and an honest application would do this now.
    pub fn is_fair(&self, action: Action) -> bool {
        match action {
            Save => self.app.is_save_due,
            _ => true,
        }
    }
}
