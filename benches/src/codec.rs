//! What a codec has to provide to be measured: each operation as its users would call it.

use crate::input;

pub trait Codec: 'static {
    const NAME: &'static str;

    type Connect;
    type Publish;
    type Subscribe;
    type PubAck;

    // From borrowed values, with the checks that the codec makes when a packet is built.
    fn connect(values: &'static input::Connect) -> Self::Connect;
    fn publish(values: &'static input::Publish) -> Self::Publish;
    fn subscribe(values: &'static input::Subscribe) -> Self::Subscribe;
    fn puback(id: u16) -> Self::PubAck;

    /// What packets are written to, always at the beginning.
    type Out;
    fn out() -> Self::Out;
    fn written(out: &Self::Out) -> &[u8];

    fn encode_connect(packet: &Self::Connect, out: &mut Self::Out);
    fn encode_publish(packet: &Self::Publish, out: &mut Self::Out);
    fn encode_subscribe(packet: &Self::Subscribe, out: &mut Self::Out);
    fn encode_puback(packet: &Self::PubAck, out: &mut Self::Out);

    /// What packets are read from.
    type In;
    fn input(bytes: &'static [u8]) -> Self::In;

    /// Takes a packet off the front, and passes it to `black_box`.
    fn decode(input: &mut Self::In);
    /// Takes a packet off the front, and encodes it.
    fn transcode(input: &mut Self::In, out: &mut Self::Out);
}

/// A slice to write to, and the number of bytes written.
pub struct Slice {
    pub room: Box<[u8]>,
    pub len: usize,
}

impl Slice {
    pub fn new() -> Self {
        Slice { room: vec![0; 20_000].into(), len: 0 }
    }

    pub fn written(&self) -> &[u8] {
        &self.room[..self.len]
    }
}

/// The length of the packet at the front, for codecs that do not report it.
#[cfg(feature = "peers")]
#[inline(always)]
pub fn packet_len(bytes: &[u8]) -> usize {
    let (mut len, mut at) = (0, 1);
    loop {
        len |= ((bytes[at] & 0x7F) as usize) << (7 * (at - 1));
        at += 1;
        if bytes[at - 1] < 0x80 {
            return at + len;
        }
    }
}
