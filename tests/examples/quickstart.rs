//! `quickstart`: with the built-in broker, and with one that is already running.

use crate::quickstart_output::assert_complete;
use crate::tools::run;

#[test]
fn starts_its_own_broker() {
    let exit = run("quickstart", &[]);
    assert_complete(&exit);
    assert_eq!(exit.output.first().map(String::as_str), Some("Alice and Bob talk over MQTT 3.1."));
}

#[test]
fn runs_repeatedly_with_the_same_broker() {
    let server = crate::start();
    let broker = server.addr().to_string();
    for version in ["3.1", "3.1", "3.1.1"] {
        let exit = run("quickstart", &["--broker", &broker, "--mqtt", version]);
        assert_complete(&exit);
        assert_eq!(exit.output.first(), Some(&format!("Alice and Bob talk over MQTT {version}.")));
    }
    // Nothing is left over.
    let mut subscriber = crate::tools::subscribe(server.addr(), "311", "-t # -v");
    crate::tools::publish(server.addr(), "311", "-t end -m x");
    assert_eq!(subscriber.line(), "end x");
}

#[test]
fn logs_in_or_prints_the_refusal() {
    let server = crate::start_with(&[("ada", "secret")]);
    let broker = server.addr().to_string();
    let with = |login: &[&str]| run("quickstart", &[&["--broker", &broker], login].concat());
    assert_complete(&with(&["--user", "ada", "--password", "secret"]));
    for (login, reason) in [
        (&["--user", "ada", "--password", "guess"][..], "bad user name or password (4)"),
        (&[], "not authorized (5)"),
    ] {
        let exit = with(login);
        assert_eq!(exit.code, Some(1), "{exit:?}");
        let expected =
            format!("quickstart: Alice cannot connect: the server refused the connection: {reason}");
        assert_eq!(exit.errors, [expected]);
    }
    let exit = run("quickstart", &["--user", "alice", "--password", "guess"]);
    assert_eq!(exit.code, Some(1), "{exit:?}");
}

#[test]
fn reports_that_there_is_no_broker() {
    let broker = crate::NO_BROKER.to_string();
    let exit = run("quickstart", &["--broker", &broker]);
    assert_eq!(exit.code, Some(1), "{exit:?}");
    assert!(exit.errors.concat().starts_with(&format!("quickstart: Alice cannot reach {broker}: ")));
}
