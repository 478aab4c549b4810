//! Log lines of the server.

use std::fmt;

/// Receives log lines.
pub type Log = fn(fmt::Arguments<'_>);

/// Logs a line, if there is a receiver.
macro_rules! say {
    ($log:expr, $($text:tt)*) => {
        if let Some(log) = $log {
            log(format_args!($($text)*));
        }
    };
}
pub(super) use say;
