//! The configuration of the programs with a client: the default, except for what features of this package turn off or on, so that
//! the table can show the cost of each.

use baremqtt::{Config, LargeMessages, SessionLoss};

pub struct Chosen;

impl Config for Chosen {
    fn mqtt31(&self) -> bool {
        !cfg!(feature = "no-mqtt31")
    }

    fn connack_timeout_ms(&self) -> u32 {
        if cfg!(feature = "no-connack-timeout") { 0 } else { 10_000 }
    }

    fn pingresp_timeout_ms(&self) -> u32 {
        if cfg!(feature = "no-pingresp-timeout") { 0 } else { 10_000 }
    }

    fn ack_timeout_ms(&self) -> u32 {
        if cfg!(feature = "no-ack-timeout") { 0 } else { 30_000 }
    }

    fn stall_timeout_ms(&self) -> u32 {
        if cfg!(feature = "no-stall-timeout") { 0 } else { 30_000 }
    }

    fn ping_on_silence(&self) -> bool {
        !cfg!(feature = "no-ping-on-silence")
    }

    fn retry_ms(&self) -> u32 {
        if cfg!(feature = "retry") { crate::world::any(0) } else { 0 }
    }

    fn reports_loss(&self) -> bool {
        !cfg!(feature = "no-loss-reports")
    }

    fn session_loss(&self) -> SessionLoss {
        if cfg!(feature = "drop-what-is-lost") { SessionLoss::Drop } else { SessionLoss::Resend }
    }

    fn assume_session_kept(&self) -> bool {
        !cfg!(feature = "assume-session-lost")
    }

    fn max_requests(&self) -> u16 {
        if cfg!(feature = "max-requests") { 10 } else { 0 }
    }

    fn max_exactly_once(&self) -> u16 {
        if cfg!(feature = "no-max-exactly-once") { 0 } else { 19 }
    }

    fn receives_exactly_once(&self) -> bool {
        !cfg!(feature = "no-inbound-qos2")
    }

    fn large_messages(&self) -> LargeMessages {
        if cfg!(feature = "pieces") {
            LargeMessages::Pieces
        } else if cfg!(feature = "refuse-large") {
            LargeMessages::Refuse
        } else {
            LargeMessages::Skip
        }
    }

    fn streams(&self) -> bool {
        cfg!(feature = "streams")
    }

    fn manual_acknowledgement(&self) -> bool {
        cfg!(feature = "manual-acknowledgement") && crate::world::sometimes()
    }

    fn durable(&self) -> bool {
        cfg!(feature = "durable")
    }
}

/// Bytes for the identifiers of inbound QoS 2 messages: the default, few if the program is to be small, or none.
pub const IDS: usize = if cfg!(feature = "no-inbound-qos2") {
    0
} else if cfg!(feature = "lean") {
    20
} else {
    size_of::<baremqtt::InboundIds>()
};

pub type Mqtt = baremqtt::Client<[u8; 256], [u8; 256], Chosen, [u8; IDS]>;

pub const fn client() -> Mqtt {
    Mqtt::with_inbound_ids(baremqtt::Buffers { rx: [0; 256], tx: [0; 256] }, Chosen, [0; IDS])
}
