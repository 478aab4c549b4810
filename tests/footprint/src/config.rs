//! The configuration of the programs with a client: the default, less what features of this package turn off, so that the table
//! can show what each saves.

use baremqtt::Config;
#[cfg(any(feature = "refuse-large", feature = "everything"))]
use baremqtt::LargeMessages;

pub struct Chosen;

impl Config for Chosen {
    #[cfg(feature = "no-mqtt31")]
    fn mqtt31(&self) -> bool {
        false
    }

    #[cfg(feature = "no-timeouts")]
    fn ack_timeout_ms(&self) -> u32 {
        0
    }

    #[cfg(feature = "no-timeouts")]
    fn stall_timeout_ms(&self) -> u32 {
        0
    }

    #[cfg(feature = "no-timeouts")]
    fn ping_on_silence(&self) -> bool {
        false
    }

    #[cfg(feature = "no-loss-reports")]
    fn reports_loss(&self) -> bool {
        false
    }

    #[cfg(feature = "no-inbound-qos2")]
    fn receives_exactly_once(&self) -> bool {
        false
    }

    #[cfg(feature = "refuse-large")]
    fn large_messages(&self) -> LargeMessages {
        LargeMessages::Refuse
    }

    #[cfg(feature = "everything")]
    fn large_messages(&self) -> LargeMessages {
        LargeMessages::Pieces
    }

    #[cfg(feature = "everything")]
    fn streams(&self) -> bool {
        true
    }

    #[cfg(feature = "everything")]
    fn manual_acknowledgement(&self) -> bool {
        crate::world::sometimes()
    }

    #[cfg(feature = "everything")]
    fn durable(&self) -> bool {
        true
    }

    #[cfg(feature = "everything")]
    fn retry_ms(&self) -> u32 {
        crate::world::any(0)
    }
}

/// Bytes for the identifiers of inbound messages of QoS 2: the default, few where the program is to be lean, or none.
#[cfg(feature = "no-inbound-qos2")]
pub const IDS: usize = 0;
#[cfg(all(feature = "lean", not(feature = "no-inbound-qos2")))]
pub const IDS: usize = 20;
#[cfg(not(any(feature = "lean", feature = "no-inbound-qos2")))]
pub const IDS: usize = size_of::<baremqtt::InboundIds>();

pub type Mqtt = baremqtt::Client<[u8; 256], [u8; 256], Chosen, [u8; IDS]>;

pub const fn client() -> Mqtt {
    Mqtt::with_inbound_ids(baremqtt::Buffers { rx: [0; 256], tx: [0; 256] }, Chosen, [0; IDS])
}
