//! How a program ends that has failed.

use std::process::ExitCode;
use std::{fmt, io};

use baremqtt::transport::net::Error as ConnectionError;
use baremqtt::{ConnectError, Error, RefusalCode, RequestError};

/// Why a program has failed.
pub enum Failure {
    /// The arguments are invalid.
    Usage(String),
    /// The server refuses this client. Trying again would not help.
    Refused(RefusalCode),
    /// There is no connection, or it has ended. Trying again may help.
    Link(ConnectionError),
    /// The time limit that the user has given has passed.
    #[allow(dead_code, reason = "only `sub` is given a time")]
    TimedOut,
    /// Anything else.
    Other(String),
}

impl Failure {
    /// The exit codes of `mosquitto_pub` and `mosquitto_sub`: a refusal has its own number.
    fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) | Failure::Link(_) | Failure::Other(_) => 1,
            Failure::Refused(code) => code.code(),
            Failure::TimedOut => 27,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(text) => write!(f, "{text}\nTry --help."),
            Failure::Refused(code) => write!(f, "connection refused: {code}"),
            Failure::Link(error) => error.fmt(f),
            Failure::TimedOut => f.write_str("timed out"),
            Failure::Other(text) => f.write_str(text),
        }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Failure::Usage(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Other(error.to_string())
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        Failure::Other(error.to_string())
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        Failure::Other(error.to_string())
    }
}

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Self {
        match error {
            // A server that is only overloaded may accept the client later.
            ConnectionError::Client(Error::Refused(code)) if code != RefusalCode::SERVER_UNAVAILABLE => {
                Failure::Refused(code)
            }
            error if error.is_end() => Failure::Link(error),
            error => Failure::Other(error.to_string()),
        }
    }
}

/// Prints the error, unless that is turned off, and converts it to an exit code.
pub fn end(program: &str, result: Result<(), Failure>, quiet: bool) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !quiet {
                eprintln!("{program}: {failure}");
            }
            failure.code().into()
        }
    }
}
