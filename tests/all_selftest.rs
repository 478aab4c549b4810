//! The last lines of `tests/all.sh` report what has happened. Its steps run with programs that do nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A copy of the script in a repository without packages, and a `cargo` and a `rustup` of its own.
struct Script {
    folder: PathBuf,
}

impl Script {
    fn new(name: &str, cargo: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("all_selftest_{name}"));
        let _ = fs::remove_dir_all(&folder);
        for part in ["tests/support", "bin", "package"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        fs::write(folder.join("package/Cargo.toml"), "").unwrap();
        let script = Script { folder };
        script.program("tests/all.sh", include_str!("all.sh"));
        script.program("tests/support/debian.sh", include_str!("support/debian.sh"));
        script.program("bin/cargo", &format!("#!/bin/sh\n{cargo}\n"));
        script.program("bin/rustup", "#!/bin/sh\n");
        script
    }

    fn program(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn replace(&self, old: &str, new: &str) {
        let text = include_str!("all.sh");
        assert!(text.contains(old));
        self.program("tests/all.sh", &text.replace(old, new));
    }

    fn command(&self, step: &str) -> Command {
        // What started this test may ignore signals, as nohup does, and the script could not change that.
        let mut command = Command::new("env");
        command.args(["--default-signal=HUP,INT,TERM", "bash"]);
        let path = format!("{}:{}", self.folder.join("bin").display(), std::env::var("PATH").unwrap());
        command.arg(self.folder.join("tests/all.sh")).arg(step).env("PATH", path);
        command.env("CARGO_TARGET_DIR", self.folder.join("target"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, step: &str) -> Ended {
        Ended::from(self.command(step).output().unwrap())
    }
}

struct Ended {
    code: Option<i32>,
    output: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = [output.stdout, output.stderr].concat();
        Ended { code: output.status.code(), output: String::from_utf8(text).unwrap() }
    }
}

impl Ended {
    #[track_caller]
    fn assert_failed(&self, code: i32, text: &str) {
        assert_eq!(self.code, Some(code), "{}", self.output);
        assert!(self.output.contains(text), "{}", self.output);
        assert!(!self.output.contains("all passed"), "{}", self.output);
    }
}

#[test]
fn a_success_is_reported_with_the_seconds_of_each_step() {
    let ended = Script::new("success", "").run("format");
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    // The clock may tick over to the next second even within the shortest run.
    let seconds = |line: Option<&str>, before: &str| {
        let number =
            line.and_then(|line| line.strip_prefix(before)?.trim().strip_suffix(" s")?.parse::<u32>().ok());
        assert!(number.is_some(), "{}", ended.output);
    };
    let mut last = ended.output.lines().rev();
    seconds(last.next(), "tests/all.sh: all passed in ");
    seconds(last.next(), "format ");
}

#[test]
fn a_failure_names_its_step() {
    Script::new("failure", "[ \"$2\" != --check ] || exit 7")
        .run("format")
        .assert_failed(7, "FAILED in format");
}

#[test]
fn an_unknown_step_is_refused() {
    Script::new("unknown", "").run("nonsense").assert_failed(1, "there is no step nonsense");
}

#[test]
fn a_signal_is_a_failure() {
    for (signal, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        let waits =
            "[ \"$2\" != --check ] || { echo >started; while [ ! -e signalled ]; do sleep 0.1; done; }";
        let script = Script::new(signal, waits);
        let running = script.command("format").spawn().unwrap();
        let begun = Instant::now();
        while !script.folder.join("started").exists() {
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not start");
            sleep(Duration::from_millis(10));
        }
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", signal, &running.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        fs::write(script.folder.join("signalled"), "").unwrap();
        Ended::from(running.wait_with_output().unwrap()).assert_failed(code, "FAILED in format");
    }
}

#[test]
fn a_step_that_exceeds_its_budget_is_marked() {
    let script = Script::new("budget", "[ \"$2\" != --check ] || sleep 1");
    // Whatever the budget is: a budget of 0 s.
    script.replace("[format]=", "[format]=0 [before]=");
    let ended = script.run("format");
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert!(ended.output.contains("s, more than the 0 s that it may take\n"), "{}", ended.output);
}

/// No other toolchain, Python or package manager is needed: only cargo is there.
#[test]
fn hermetic_steps_need_only_rust() {
    let script = Script::new("hermetic", "case $1 in +*) exit 1 ;; esac");
    fs::remove_file(script.folder.join("bin/rustup")).unwrap();
    let shell = |name: &str| {
        let found = Command::new("sh").args(["-c", &format!("command -v {name}")]).output().unwrap();
        PathBuf::from(String::from_utf8(found.stdout).unwrap().trim())
    };
    std::os::unix::fs::symlink(shell("dirname"), script.folder.join("bin/dirname")).unwrap();
    let mut command = Command::new(shell("bash"));
    command.arg(script.folder.join("tests/all.sh")).arg("hermetic");
    command.env_clear().env("PATH", script.folder.join("bin")).env("HOME", &script.folder);
    let ended = Ended::from(command.output().unwrap());
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert!(ended.output.contains("all passed"), "{}", ended.output);
}

#[test]
fn each_step_has_a_budget_and_all_of_them_25_minutes() {
    let text = include_str!("all.sh");
    let between = |start: &str, end: &str| text.split_once(start).unwrap().1.split_once(end).unwrap().0;
    let steps: Vec<&str> = between("\nsteps=(", ")").split_whitespace().collect();
    let budgets: Vec<(&str, u32)> = between("\ndeclare -A budgets=(", "\n)")
        .split_whitespace()
        .map(|item| item.trim_start_matches('[').split_once("]=").unwrap())
        .map(|(step, seconds)| (step, seconds.parse().unwrap()))
        .collect();
    assert_eq!(budgets.iter().map(|(step, _)| *step).collect::<Vec<_>>(), steps);
    assert!(budgets.iter().map(|(_, seconds)| seconds).sum::<u32>() <= 25 * 60);
}
