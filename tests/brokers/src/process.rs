//! Servers as processes, and their files.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A process and its children, in a process group of their own. Dropping it ends them as a power cut would; so does a guard if this
/// program dies first.
pub struct Process {
    leader: Child,
    guard: Child,
}

impl Process {
    /// Starts it; its output is appended to a file.
    pub fn start(mut command: Command, log: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{command:?}: {error}");
        let output = File::options().create(true).append(true).open(log).map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
        let leader = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        // The guard reads from a pipe that is never written to: the pipe closes when this program ends.
        let mut guard = Command::new("sh");
        guard.args(["-c", "read -r _; kill -KILL \"-$1\"", "guard", &leader.id().to_string()]);
        let guard = guard.stdin(Stdio::piped()).process_group(0).spawn().expect("sh starts");
        Ok(Process { leader, guard })
    }

    /// Waits until it has ended by itself.
    pub fn wait(mut self) {
        let _ = self.guard.kill();
        let _ = self.leader.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The guard first: once the leader has been waited for, its process number can be reused.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
        if let Ok(None) = self.leader.try_wait() {
            let group = format!("-{}", self.leader.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
            let _ = self.leader.wait();
        }
    }
}

pub fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("a file of the broker");
    path
}
