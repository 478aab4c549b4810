//! Servers as processes, and their files.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A process with its children, all of them a group of its own. Dropping it ends them as a power cut would; so does a guard, should this
/// program die first.
pub struct Process {
    leader: Child,
    guard: Child,
}

impl Process {
    /// Starts it; what it says goes to the end of a file.
    pub fn start(mut command: Command, log: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{command:?}: {error}");
        let said = File::options().create(true).append(true).open(log).map_err(failed)?;
        let also = said.try_clone().map_err(failed)?;
        command.stdin(Stdio::null()).stdout(said).stderr(also).process_group(0);
        let leader = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        // It reads from a pipe that nobody writes to: that ends with this program.
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
        // The guard goes first: once the leader has been waited for, its number can be another one's.
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
