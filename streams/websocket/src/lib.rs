#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod frames;
mod memory;
mod stream;

pub use stream::WebSocketStream;
pub use tungstenite;
