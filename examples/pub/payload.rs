//! Where payloads come from.

use std::fs;
use std::io::{self, BufRead, Read, stdin};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use crate::common::Failure;

/// Lines that are read ahead.
const AHEAD: usize = 1_000;

/// Where payloads come from.
pub enum Source {
    Text(Vec<u8>),
    File(PathBuf),
    /// The whole standard input.
    Input,
    /// Each line of the standard input.
    Lines,
}

impl Source {
    /// The one payload that this source has; `None` where there are many.
    pub fn whole(&self) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Source::Text(text) => Ok(Some(text.clone())),
            Source::File(path) => match fs::read(path) {
                Ok(content) => Ok(Some(content)),
                Err(error) => Err(Failure::Other(format!("{}: {error}", path.display()))),
            },
            Source::Input => {
                let mut content = Vec::new();
                stdin().read_to_end(&mut content)?;
                Ok(Some(content))
            }
            Source::Lines => Ok(None),
        }
    }
}

/// The lines of the standard input. They are read by a thread of their own, so that the connection lives on while
/// there is none.
pub fn lines() -> Receiver<io::Result<Vec<u8>>> {
    let (sender, lines) = sync_channel(AHEAD);
    thread::spawn(move || {
        for line in stdin().lock().split(b'\n') {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}
