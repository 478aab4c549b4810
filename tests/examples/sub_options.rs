//! `sub`: time limit, reconnecting, the will, formats and filters of the output.

#[path = "../../examples/sub/json.rs"]
mod json;

use std::net::Ipv4Addr;
use std::time::{Duration, Instant, UNIX_EPOCH};

use baremqtt::codec::Delivery;

use crate::port::free_port;
use crate::tools::{QOS, VERSIONS, publish, start_client, subscribe};
use crate::{NO_BROKER, start, start_at};

#[test]
fn exits_after_the_given_time() {
    let server = start();
    let started = Instant::now();
    let exit = start_client("sub", server.addr(), "311", "-t a -W 1").wait_for_exit();
    assert_eq!(exit.code, Some(27), "{exit:?}");
    assert!(started.elapsed() >= Duration::from_secs(1));
    // With traffic too, which is slow on a busy machine.
    let ends_with_traffic = |seconds: u32| {
        let subscriber = subscribe(server.addr(), "311", &format!("-t a -W {seconds}"));
        publish(server.addr(), "311", "-t a -m x");
        let exit = subscriber.wait_for_exit();
        assert_eq!(exit.code, Some(27), "{exit:?}");
        exit.output == ["x"]
    };
    assert!([2, 8, 32].into_iter().any(ends_with_traffic));
}

#[test]
fn the_will_is_published_only_if_it_is_killed() {
    let server = start();
    for version in VERSIONS {
        for qos in QOS {
            let mut watcher = subscribe(server.addr(), version, "-t will -t hello -q 2 -F %t:%q:%p");
            let will = format!("--will-topic will --will-payload gone --will-qos {qos}");
            let ends = subscribe(server.addr(), version, &format!("{will} -t hello -C 1"));
            publish(server.addr(), version, "-t hello -m x");
            ends.expect_success();
            assert_eq!(watcher.line(), "hello:0:x");
            let mut vanishes = subscribe(server.addr(), version, &format!("{will} -t hello"));
            vanishes.kill();
            assert_eq!(watcher.line(), format!("will:{qos}:gone"));
        }
    }
}

#[test]
fn a_will_can_be_retained() {
    let server = start();
    let will = "--will-topic will --will-payload gone --will-retain";
    let mut watcher = subscribe(server.addr(), "31", "-t will");
    subscribe(server.addr(), "31", &format!("{will} -t a")).kill();
    assert_eq!(watcher.line(), "gone");
    assert_eq!(subscribe(server.addr(), "31", "-t will -F %r:%p").line(), "1:gone");
}

#[test]
fn reconnects_and_resubscribes() {
    for version in VERSIONS {
        let address = (Ipv4Addr::LOCALHOST, free_port()).into();
        let server = start_at(address, &[]);
        let mut subscriber = subscribe(address, version, "-t a -q 1");
        let without_reconnecting = subscribe(address, version, "-t a --no-reconnect");
        server.stop();
        let exit = without_reconnecting.wait_for_exit();
        assert_eq!(exit.code, Some(1), "{exit:?}");
        subscriber.wait_for_error_line("trying again in");
        let _server = start_at(address, &[]);
        subscriber.wait_for_error_line("<- SUBACK");
        publish(address, version, "-t a -m again -q 1");
        assert_eq!(subscriber.line(), "again");
    }
}

#[test]
fn fails_at_once_without_a_broker() {
    for (name, what) in [("sub", ""), ("pub", "-m x")] {
        let exit = start_client(name, NO_BROKER, "311", &format!("-t a {what}")).wait_for_exit();
        assert_eq!(exit.code, Some(1), "{exit:?}");
        assert!(exit.errors.concat().starts_with(&format!("{name}: {NO_BROKER}: ")), "{exit:?}");
        let quiet = start_client(name, NO_BROKER, "311", &format!("-t a {what} --quiet")).wait_for_exit();
        assert_eq!((quiet.code, quiet.errors), (Some(1), vec![]));
    }
}

#[test]
fn shows_packets() {
    let server = start();
    let subscriber = subscribe(server.addr(), "31", "-t a -C 1 -q 1 -i shown");
    publish(server.addr(), "31", "-t a -m x -q 1");
    let exit = subscriber.wait_for_exit();
    assert_eq!(exit.errors, ["<- PUBLISH a qos=1 id=1 (1 B) \"x\"", "-> PUBACK id=1", "-> DISCONNECT"],);
}

#[test]
fn prints_no_newline_with_option_n() {
    let server = start();
    let subscriber = subscribe(server.addr(), "311", "-t a -N -C 2 -F %p|%x|%l|%%|%m|\\n");
    publish(server.addr(), "311", "-t a -m x");
    publish(server.addr(), "311", "-t a -n");
    assert_eq!(subscriber.wait_for_exit().output, ["x|78|1|%|0|", "||0|%|0|"]);
}

#[test]
fn prints_only_messages_that_are_wanted() {
    let server = start();
    let address = server.addr();
    let subscriber = subscribe(address, "311", "-t a/# -T a/b --filter-out a/c/+ -C 1 -F %t\\\\\\0%X");
    publish(address, "311", "-t a/b -m x -r");
    publish(address, "311", "-t a/c/d -m x");
    publish(address, "311", "-t a/c -m z -r");
    assert_eq!(subscriber.wait_for_exit().output, ["a/c\\\u{0}7A"]);
    let mut retained = start_client("sub", address, "311", "-t a/# -v --retained-only");
    assert_eq!((retained.line().as_str(), retained.line().as_str()), ("a/b x", "a/c z"));
    publish(address, "311", "-t a/e -m now");
    let exit = retained.wait_for_exit();
    assert_eq!((exit.code, exit.output), (Some(0), vec![]));
}

/// It ends once the server has acknowledged that they are removed.
#[test]
fn removes_the_retained_messages_that_it_prints() {
    let server = start();
    let address = server.addr();
    for topic in ["a/b", "a/c", "a/d"] {
        publish(address, "311", &format!("-t {topic} -m x -r"));
    }
    let removing = start_client("sub", address, "311", "-t a/# -T a/c --remove-retained -C 2 -F %t:%r");
    assert_eq!(removing.wait_for_exit().output, ["a/b:1", "a/d:1"]);
    assert_eq!(subscribe(address, "311", "-t a/# -F %t:%r").line(), "a/c:1");
}

#[test]
fn unsubscribes_in_an_existing_session() {
    let server = start();
    let address = server.addr();
    for arguments in ["-t a -t b -q 1 -c -i kept -E", "-U a -c -i kept -E"] {
        assert_eq!(
            start_client("sub", address, "311", arguments).wait_for_exit().code,
            Some(0),
            "{arguments}"
        );
    }
    publish(address, "311", "-t a -m x -q 1");
    publish(address, "311", "-t b -m y -q 1");
    let exit = start_client("sub", address, "311", "-t c -c -i kept -C 1 -v").wait_for_exit();
    assert_eq!(exit.output, ["b y"]);
}

#[test]
fn prints_json() {
    let server = start();
    let subscriber = subscribe(server.addr(), "311", "-t a/# --qos 1 -C 2 -F %j");
    publish(server.addr(), "311", "--topic a/b --message {\"x\":1} --qos 1 --retain");
    publish(server.addr(), "311", "-t a/c -n");
    let lines = subscriber.wait_for_exit().output;
    let behind_time = |line: &str| line.split_once("\",\"topic\"").unwrap().1.to_owned();
    assert!(lines[0].starts_with("{\"tst\":\"20"), "{}", lines[0]);
    assert_eq!(
        behind_time(&lines[0]),
        r#":"a/b","qos":1,"retain":0,"payloadlen":7,"mid":1,"payload":"{\"x\":1}"}"#
    );
    assert_eq!(behind_time(&lines[1]), r#":"a/c","qos":0,"retain":0,"payloadlen":0,"payload":null}"#);
}

/// Strings and times in the format of JSON and ISO 8601.
#[test]
fn json_is_valid() {
    let message = json::Received {
        topic: "\"\\\u{1}",
        payload: b"\xFF\t\n\r\xC3\xA4",
        delivery: Delivery::AtMostOnce,
        retain: true,
    };
    for (seconds, time) in [
        (0, "1970-01-01T00:00:00.000000Z"),
        (951_827_696, "2000-02-29T12:34:56.000000Z"),
        (1_735_689_599, "2024-12-31T23:59:59.000000Z"),
        (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
    ] {
        let mut line = Vec::new();
        message.write_json(UNIX_EPOCH + Duration::from_secs(seconds), &mut line).unwrap();
        let rest = r#","topic":"\"\\\u0001","qos":0,"retain":1,"payloadlen":6,"payload":"\uFFFD\t\n\rä"}"#;
        let expected = format!("{{\"tst\":\"{time}\"{}", rest.replace("\\uFFFD", "\u{FFFD}"));
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }
}
