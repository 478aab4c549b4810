//! `quickstart`: with the built-in broker, and with one that is already running.

use crate::told::assert_told;
use crate::tools::run;

#[test]
fn needs_nothing() {
    let ended = run("quickstart", &[]);
    assert_told(&ended);
    assert_eq!(ended.output.first().map(String::as_str), Some("Alice and Bob talk over MQTT 3.1."));
}

#[test]
fn runs_again_and_again_with_a_broker_that_stays() {
    let server = crate::start();
    let broker = server.addr().to_string();
    for version in ["3.1", "3.1", "3.1.1"] {
        let ended = run("quickstart", &["--broker", &broker, "--mqtt", version]);
        assert_told(&ended);
        assert_eq!(ended.output.first(), Some(&format!("Alice and Bob talk over MQTT {version}.")));
    }
    // Nothing is left over.
    let mut subscriber = crate::tools::subscribe(server.addr(), "311", "-t # -v");
    crate::tools::publish(server.addr(), "311", "-t end -m x");
    assert_eq!(subscriber.line(), "end x");
}

#[test]
fn logs_in_and_is_refused_in_words() {
    let server = crate::start_with(&[("ada", "secret")]);
    let broker = server.addr().to_string();
    let with = |login: &[&str]| run("quickstart", &[&["--broker", &broker], login].concat());
    assert_told(&with(&["--user", "ada", "--password", "secret"]));
    for (login, reason) in [
        (&["--user", "ada", "--password", "guess"][..], "bad user name or password (4)"),
        (&[], "not authorized (5)"),
    ] {
        let ended = with(login);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let expected =
            format!("quickstart: Alice cannot connect: the server refused the connection: {reason}");
        assert_eq!(ended.errors, [expected]);
    }
    let ended = run("quickstart", &["--user", "alice", "--password", "guess"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

#[test]
fn says_that_there_is_no_broker() {
    let broker = crate::NOBODY.to_string();
    let ended = run("quickstart", &["--broker", &broker]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.errors.concat().starts_with(&format!("quickstart: Alice cannot reach {broker}: ")));
}
