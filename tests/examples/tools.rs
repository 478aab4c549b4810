//! Starts the examples, compiled from the current source.

use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::process::{Exit, Process};

pub const VERSIONS: [&str; 2] = ["31", "311"];
pub const QOS: [&str; 3] = ["0", "1", "2"];

/// Starts an example with these arguments.
pub fn start(name: &str, arguments: &[&str]) -> Process {
    let arguments: Vec<String> = arguments.iter().map(|argument| argument.to_string()).collect();
    Process::start(program(name).to_str().expect("a path in UTF-8"), &arguments)
}

/// The path of an example.
pub fn program(name: &str) -> PathBuf {
    built().join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// Runs an example to completion.
pub fn run(name: &str, arguments: &[&str]) -> Exit {
    start(name, arguments).wait_for_exit()
}

/// Starts `pub` or `sub` with the arguments common to all calls, and these, which are separated by spaces.
pub fn start_client(name: &str, broker: SocketAddr, version: &str, arguments: &str) -> Process {
    let common = format!("-h {} -p {} -V {version} {arguments}", broker.ip(), broker.port());
    start(name, &common.split_whitespace().collect::<Vec<_>>())
}

/// Runs `pub`, which has to succeed.
pub fn publish(broker: SocketAddr, version: &str, arguments: &str) {
    let exit = start_client("pub", broker, version, arguments).wait_for_exit();
    assert_eq!(exit.code, Some(0), "{exit:?}");
}

/// Starts `sub`, and returns once it has subscribed.
pub fn subscribe(broker: SocketAddr, version: &str, arguments: &str) -> Process {
    let mut subscriber = start_client("sub", broker, version, &format!("-d {arguments}"));
    subscriber.wait_for_error_line("<- SUBACK");
    subscriber
}

/// The folder of the examples. `cargo test` compiles them along with this test, but not if only one test is selected;
/// so cargo is run once more, which costs nothing if they are there.
fn built() -> &'static PathBuf {
    static EXAMPLES: OnceLock<PathBuf> = OnceLock::new();
    EXAMPLES.get_or_init(|| {
        // TARGET/PROFILE/deps/examples-0123456789abcdef
        let test = env::current_exe().expect("the path of this test");
        let profile_dir = test.ancestors().nth(2).expect("a folder for the profile");
        let target_dir = profile_dir.parent().expect("a folder for all profiles");
        let profile = match profile_dir.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(name) => name,
        };
        let cargo = env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--examples", "--profile", profile, "--target-dir"])
            .arg(target_dir)
            .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
            .status();
        assert!(built.is_ok_and(|status| status.success()), "the examples do not compile");
        profile_dir.join("examples")
    })
}
