//! The sources of payloads.

use std::fs;
use std::io::{self, BufRead, Read, stdin};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use crate::common::Failure;

/// How many lines are read ahead.
const AHEAD: usize = 1_000;

/// The source of payloads.
pub enum Source {
    Text(Vec<u8>),
    File(PathBuf),
    /// The whole standard input.
    Input,
    /// Each line of the standard input.
    Lines,
}

impl Source {
    /// The single payload of this source; `None` if there are several.
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

/// The lines of the standard input. A separate thread reads them, so that the connection is kept alive while
/// there are none.
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
