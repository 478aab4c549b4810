//! Programs that a test starts. None outlives its test, and every wait is bounded.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(60);

/// The exit code of a program, and the lines of its output that were not read.
#[derive(Debug)]
pub struct Exit {
    pub code: Option<i32>,
    pub output: Vec<String>,
    pub errors: Vec<String>,
}

/// A running program, which is killed when it is dropped.
pub struct Process {
    child: Child,
    output: Receiver<String>,
    errors: Receiver<String>,
}

impl Process {
    pub fn start(program: &str, arguments: &[String]) -> Process {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| cannot_start(program, &error));
        let output = lines(child.stdout.take().expect("piped"));
        let errors = lines(child.stderr.take().expect("piped"));
        Process { child, output, errors }
    }

    /// The next line that the program prints.
    pub fn line(&mut self) -> String {
        self.output.recv_timeout(TIMEOUT).expect("a line in time")
    }

    /// Waits for a line on the program's standard error that contains this text, and returns it.
    pub fn wait_for_error_line(&mut self, text: &str) -> String {
        let end = Instant::now() + TIMEOUT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.errors.recv_timeout(left).expect("a line in time");
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Writes to the standard input of the program, and closes it.
    pub fn write_lines(&mut self, lines: &[String]) {
        self.write((lines.join("\n") + "\n").as_bytes());
    }

    /// Writes to the standard input of the program, and closes it.
    pub fn write(&mut self, bytes: &[u8]) {
        let mut stdin = self.child.stdin.take().expect("piped");
        stdin.write_all(bytes).expect("the program reads");
    }

    /// Waits until the program ends, with any status.
    pub fn wait_for_exit(mut self) -> Exit {
        let code = self.wait().code();
        Exit { code, output: self.output.iter().collect(), errors: self.errors.iter().collect() }
    }

    /// Waits until the program ends, which has to be a success.
    pub fn expect_success(mut self) {
        let status = self.wait();
        assert!(status.success(), "{status}: {}", self.rest());
    }

    /// Kills the program, without a chance to send DISCONNECT.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + TIMEOUT;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("the program does not end: {}", self.rest());
    }

    /// The output of a program that has exited, as far as it was not read.
    fn rest(&mut self) -> String {
        self.kill();
        self.output.iter().chain(self.errors.iter()).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a program to completion, which has to succeed.
pub fn run(program: &str, arguments: &[String]) {
    Process::start(program, arguments).expect_success();
}

/// Runs a program to completion, which has to fail; returns its output.
pub fn run_expecting_failure(program: &str, arguments: &[String]) -> String {
    let mut process = Process::start(program, arguments);
    assert!(!process.wait().success(), "{program} succeeds: {}", process.rest());
    process.rest()
}

/// The lines of a pipe, read by a thread that ends with the program.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        let mut read = BufReader::new(pipe).lines().map_while(Result::ok);
        read.try_for_each(|line| sender.send(line))
    });
    lines
}

fn cannot_start(program: &str, error: &io::Error) -> ! {
    let advice = match program {
        "python3" => "install Python 3 and its package paho-mqtt, version 2",
        _ => "install Debian's package mosquitto-clients",
    };
    panic!("cannot start {program} ({error}): {advice}")
}
