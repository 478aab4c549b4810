//! `outbox` and `inbox`, with the example broker.

use crate::kills::kill_both;
use crate::{NOBODY, start, tools};

#[test]
fn killed_fifty_times_they_pass_on_each_line_once() {
    let server = start();
    kill_both(server.addr());
}

#[test]
fn a_wrong_call_is_explained() {
    for name in ["outbox", "inbox"] {
        let ended = tools::run(name, &["nowhere"]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.errors.iter().any(|line| line.contains("usage: ")), "{ended:?}");
    }
    let ended = tools::run("outbox", &[&NOBODY.to_string(), "/no/such/file"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
}
