//! Lines for whoever watches the server.

use std::fmt;

/// Is told, in one line each, what happens.
pub type Log = fn(fmt::Arguments<'_>);

/// Says something, if somebody listens.
macro_rules! say {
    ($log:expr, $($text:tt)*) => {
        if let Some(log) = $log {
            log(format_args!($($text)*));
        }
    };
}
pub(super) use say;
