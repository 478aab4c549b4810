//! Mosquitto's process, which is restarted if it ends, and never outlives this program.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::files::Files;

/// How often to check whether the process is still running.
const GLANCE: Duration = Duration::from_millis(100);
/// A process that ends sooner is not restarted at once.
const SHORT_LIFE: Duration = Duration::from_secs(5);
/// How long it may take until connections are accepted.
const START: Duration = Duration::from_secs(30);

/// Keeps Mosquitto running until it is dropped.
pub struct Keeper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the process, and waits until it accepts connections.
    pub fn start(program: PathBuf, files: Arc<Files>) -> Result<Self, String> {
        let running = Process::start(&program, &files)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = thread::Builder::new().name("mosquitto".to_owned());
        let thread = thread.spawn(move || keep(running, &program, &files, &stopping));
        Ok(Keeper { stop, thread: Some(thread.map_err(|error| error.to_string())?) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn keep(mut running: Process, program: &PathBuf, files: &Files, stopping: &AtomicBool) {
    let mut started = Instant::now();
    while !stopping.load(Ordering::Relaxed) {
        thread::sleep(GLANCE);
        if running.has_ended() && started.elapsed() >= SHORT_LIFE {
            eprintln!("webchat: Mosquitto has ended, starting it again");
            match Process::start(program, files) {
                Ok(process) => running = process,
                Err(error) => eprintln!("webchat: cannot start Mosquitto: {error}"),
            }
            started = Instant::now();
        }
    }
}

/// Mosquitto, with a guard that ends it if this program is killed.
struct Process {
    broker: Child,
    guard: Child,
}

impl Process {
    fn start(program: &PathBuf, files: &Files) -> Result<Self, String> {
        let log = File::create(files.log()).map_err(|error| error.to_string())?;
        let broker = apart(&mut Command::new(program))
            .arg("-c")
            .arg(files.config())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| error.to_string())?;
        // The guard reads from a pipe that nobody writes to: the pipe closes when this program ends.
        let guard = apart(&mut Command::new("sh"))
            .args(["-c", "read -r _; kill -KILL \"$1\"; rm -r \"$2\"", "guard", &broker.id().to_string()])
            .arg(files.dir())
            .stdin(Stdio::piped())
            .spawn();
        let mut process = match guard {
            Ok(guard) => Process { broker, guard },
            Err(error) => {
                end(broker);
                return Err(format!("sh: {error}"));
            }
        };
        process.wait_until_it_runs(files)?;
        Ok(process)
    }

    fn wait_until_it_runs(&mut self, files: &Files) -> Result<(), String> {
        let started = Instant::now();
        while started.elapsed() < START {
            let said = fs::read_to_string(files.log()).unwrap_or_default();
            if said.contains(" running\n") {
                return Ok(());
            }
            if self.has_ended() {
                return Err(format!("it says\n{}", said.trim_end()));
            }
            thread::sleep(GLANCE);
        }
        Err("it does not start".to_owned())
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.broker.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The guard first: once the broker has been waited for, its process number can be reused.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
        let _ = self.broker.kill();
        let _ = self.broker.wait();
    }
}

/// Ctrl-C in a terminal reaches a whole group of processes. This one is for this program alone, which then ends its own.
fn apart(command: &mut Command) -> &mut Command {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    command
}

fn end(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}
