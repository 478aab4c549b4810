//! Why a request is refused.

use std::fmt;

use crate::link::Failure;
use crate::message::Unfit;

#[derive(Debug)]
pub enum Refusal {
    /// Not a valid request.
    Malformed(String),
    Invalid(&'static str),
    TooLarge,
    NotAPicture,
    Stranger,
    NotYours,
    Taken,
    Unknown,
    TooFast,
    Failed(&'static str),
    Late,
}

/// The broker cannot be reached.
pub const AWAY: Refusal = Refusal::Failed("the broker is unavailable");

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Malformed(why) => why,
            Refusal::Invalid(why) | Refusal::Failed(why) => why,
            Refusal::TooLarge => "this is too large",
            Refusal::NotAPicture => "a picture is JPEG, PNG, GIF or WebP",
            Refusal::Stranger => "sign in first",
            Refusal::NotYours => "this is not your name",
            Refusal::Taken => "this name is taken",
            Refusal::Unknown => "there is nothing of this name",
            Refusal::TooFast => "too many messages, wait a moment",
            Refusal::Late => "the broker did not acknowledge in time",
        })
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Away => AWAY,
            Failure::Busy => Refusal::Failed("too much is under way"),
            Failure::Late => Refusal::Late,
        }
    }
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::TooLarge => Refusal::TooLarge,
            Unfit::NotAPicture => Refusal::NotAPicture,
        }
    }
}

/// A problem for the operator, who is informed.
pub fn said(why: impl fmt::Display) -> Refusal {
    eprintln!("webchat: {why}");
    Refusal::Failed("the server cannot do that now, and says why in its window")
}
