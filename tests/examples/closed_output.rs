//! The output of an example can be closed, as by `| head -1`.

use std::io::pipe;
use std::process::{Command, Output};

use crate::tools::program;

/// Runs an example whose output is closed.
fn run(name: &str, arguments: &[&str]) -> Output {
    let (_, output) = pipe().expect("a pipe");
    Command::new(program(name)).args(arguments).stdout(output).output().expect("an example")
}

#[test]
fn quickstart_ignores_that_its_output_is_closed() {
    let ended = run("quickstart", &[]);
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn tools_end_without_a_panic_when_their_output_is_closed() {
    for (name, arguments) in [("dump", &["c000"][..]), ("sniffer", &["127.0.0.1:0", "127.0.0.1:1"])] {
        let ended = run(name, arguments);
        // A panic has another code.
        assert_eq!(ended.status.code(), Some(1), "{name}: {ended:?}");
    }
}
