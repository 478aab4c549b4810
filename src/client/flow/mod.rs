//! The procedures that involve several parts of a client, in a file each. Nothing else knows how the parts work together.
//!
//! ```text
//! requests streams give_up manual session_image   requests of the application
//! connection                                      how a connection begins and ends; its session
//! output                                          what is sent next
//! advance -> incoming (header, step)              one step: received packets
//!               -> messages large acknowledgements
//!         -> handled                              the end of the previous event
//!         -> timeouts (keep_alive)                which countdowns run, and what is due
//! events                                          the current event, as the application sees it
//! ```

mod acknowledgements;
pub(super) mod advance;
pub(super) mod connection;
pub(super) mod events;
pub(super) mod give_up;
mod handled;
mod header;
mod incoming;
mod keep_alive;
mod large;
pub(super) mod manual;
pub(super) mod messages;
pub(super) mod output;
pub(super) mod requests;
pub(super) mod session_image;
mod step;
pub(super) mod streams;
pub(super) mod timeouts;
