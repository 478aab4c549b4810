//! A program that ends with the test, however the test ends.

use std::process::{Child, Command, Stdio};

/// A process, with a guard that ends it should this process die first. Dropping it ends it.
pub struct Guarded {
    pub process: Child,
    guard: Child,
}

impl Guarded {
    pub fn start(command: &mut Command) -> Self {
        let process = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        // The guard reads from a pipe that nobody writes to: it ends with this process.
        let guard = Command::new("sh")
            .args(["-c", "read -r _; kill -KILL \"$1\"", "guard", &process.id().to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh starts");
        Guarded { process, guard }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // The guard goes first: once the process has been waited for, its number can be another one's.
        for child in [&mut self.guard, &mut self.process] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
