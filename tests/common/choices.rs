//! A configuration whose values a test can set at any time before they take effect.

use std::cell::Cell;

use baremqtt::{Config, LargeMessages, SessionLoss};

#[derive(Clone, Copy, Debug)]
pub struct Values {
    pub mqtt31: bool,
    pub connack_timeout_ms: u32,
    pub pingresp_timeout_ms: u32,
    pub ack_timeout_ms: u32,
    pub stall_timeout_ms: u32,
    pub ping_on_silence: bool,
    pub retry_ms: u32,
    pub reports_loss: bool,
    pub session_loss: SessionLoss,
    pub assume_session_kept: bool,
    pub max_requests: u16,
    pub max_exactly_once: u16,
    pub receives_exactly_once: bool,
    pub large_messages: LargeMessages,
    pub streams: bool,
    pub manual_acknowledgement: bool,
    pub durable: bool,
}

/// Starts with the defaults.
#[derive(Clone, Debug)]
pub struct Choices(Cell<Values>);

impl Choices {
    pub fn new() -> Self {
        let standard = baremqtt::Standard;
        Choices(Cell::new(Values {
            mqtt31: standard.mqtt31(),
            connack_timeout_ms: standard.connack_timeout_ms(),
            pingresp_timeout_ms: standard.pingresp_timeout_ms(),
            ack_timeout_ms: standard.ack_timeout_ms(),
            stall_timeout_ms: standard.stall_timeout_ms(),
            ping_on_silence: standard.ping_on_silence(),
            retry_ms: standard.retry_ms(),
            reports_loss: standard.reports_loss(),
            session_loss: standard.session_loss(),
            assume_session_kept: standard.assume_session_kept(),
            max_requests: standard.max_requests(),
            max_exactly_once: standard.max_exactly_once(),
            receives_exactly_once: standard.receives_exactly_once(),
            large_messages: standard.large_messages(),
            streams: standard.streams(),
            manual_acknowledgement: standard.manual_acknowledgement(),
            durable: standard.durable(),
        }))
    }

    /// The defaults, with these changes.
    #[allow(dead_code, reason = "some tests choose later")]
    pub fn with(choose: impl FnOnce(&mut Values)) -> Self {
        let choices = Choices::new();
        choices.choose(choose);
        choices
    }

    #[allow(dead_code, reason = "some tests carry them about")]
    pub fn values(&self) -> Values {
        self.0.get()
    }

    pub fn choose(&self, choose: impl FnOnce(&mut Values)) {
        let mut values = self.0.get();
        choose(&mut values);
        self.0.set(values);
    }
}

macro_rules! choices {
    ($($name:ident: $kind:ty;)*) => {
        impl Config for Choices {
            $(fn $name(&self) -> $kind {
                self.0.get().$name
            })*
        }
    };
}

choices! {
    mqtt31: bool;
    connack_timeout_ms: u32;
    pingresp_timeout_ms: u32;
    ack_timeout_ms: u32;
    stall_timeout_ms: u32;
    ping_on_silence: bool;
    retry_ms: u32;
    reports_loss: bool;
    session_loss: SessionLoss;
    assume_session_kept: bool;
    max_requests: u16;
    max_exactly_once: u16;
    receives_exactly_once: bool;
    large_messages: LargeMessages;
    streams: bool;
    manual_acknowledgement: bool;
    durable: bool;
}
