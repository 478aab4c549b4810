//! `outbox` and `inbox`, with the example broker.

use crate::killed_repeatedly::kill_outbox_and_inbox;
use crate::{NO_BROKER, start, tools};

#[test]
fn each_line_arrives_once_although_both_are_killed_fifty_times() {
    let server = start();
    kill_outbox_and_inbox(server.addr());
}

#[test]
fn invalid_arguments_print_the_usage() {
    for name in ["outbox", "inbox"] {
        let exit = tools::run(name, &["nowhere"]);
        assert_eq!(exit.code, Some(1), "{exit:?}");
        assert!(exit.errors.iter().any(|line| line.contains("usage: ")), "{exit:?}");
    }
    let exit = tools::run("outbox", &[&NO_BROKER.to_string(), "/no/such/file"]);
    assert_eq!(exit.code, Some(1), "{exit:?}");
}
