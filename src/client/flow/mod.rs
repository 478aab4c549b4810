//! The stories: a file for each, and the only ones that know how the parts of a client play together.
//!
//! ```text
//! requests streams give_up manual image     what the application asks for
//! connection                                how a connection begins and ends, and what becomes of the session
//! output                                    what leaves next
//! advance -> incoming (header) -> messages large acknowledgements      one step: what has come
//!         -> release                        the end of the event before
//!         -> settle (keep_alive)            which countdowns run, and what is due
//! events                                    the event at hand, as the application sees it
//! ```

mod acknowledgements;
pub(super) mod advance;
pub(super) mod connection;
pub(super) mod events;
pub(super) mod give_up;
mod header;
pub(super) mod image;
mod incoming;
mod keep_alive;
mod large;
pub(super) mod manual;
mod messages;
pub(super) mod output;
mod release;
pub(super) mod requests;
pub(super) mod settle;
pub(super) mod streams;
