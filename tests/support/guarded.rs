//! A program that ends when the test ends, however that happens.

use std::process::{Child, Command, Stdio};

/// A process, with a guard that ends it if this process dies first. Dropping it ends the process.
pub struct Guarded {
    pub process: Child,
    guard: Child,
}

impl Guarded {
    pub fn start(command: &mut Command) -> Self {
        let process = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        // The guard reads from a pipe that is never written to: the pipe closes when this process ends.
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
        // The guard first: once the process has been waited for, its number can be reused.
        for child in [&mut self.guard, &mut self.process] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
