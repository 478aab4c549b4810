//! What `sub` does apart from printing: ends in time, reconnects, leaves a will.

#[path = "../../examples/sub/json.rs"]
mod json;

use std::net::Ipv4Addr;
use std::time::{Duration, Instant, UNIX_EPOCH};

use baremqtt::codec::Delivery;

use crate::port::free_port;
use crate::tools::{QOS, VERSIONS, publish, start_client, subscribe};
use crate::{NOBODY, start, start_at};

#[test]
fn ends_after_its_time() {
    let server = start();
    let started = Instant::now();
    let ended = start_client("sub", server.addr(), "311", "-t a -W 1").end();
    assert_eq!(ended.code, Some(27), "{ended:?}");
    assert!(started.elapsed() >= Duration::from_secs(1));
    // With traffic too, which is slow on a busy machine.
    let ends_with_traffic = |seconds: u32| {
        let subscriber = subscribe(server.addr(), "311", &format!("-t a -W {seconds}"));
        publish(server.addr(), "311", "-t a -m x");
        let ended = subscriber.end();
        assert_eq!(ended.code, Some(27), "{ended:?}");
        ended.output == ["x"]
    };
    assert!([2, 8, 32].into_iter().any(ends_with_traffic));
}

#[test]
fn leaves_its_will_only_when_it_vanishes() {
    let server = start();
    for version in VERSIONS {
        for qos in QOS {
            let mut watcher = subscribe(server.addr(), version, "-t will -t hello -q 2 -F %t:%q:%p");
            let will = format!("--will-topic will --will-payload gone --will-qos {qos}");
            let ends = subscribe(server.addr(), version, &format!("{will} -t hello -C 1"));
            publish(server.addr(), version, "-t hello -m x");
            ends.finish();
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
fn reconnects_and_subscribes_again() {
    for version in VERSIONS {
        let address = (Ipv4Addr::LOCALHOST, free_port()).into();
        let server = start_at(address, &[]);
        let mut subscriber = subscribe(address, version, "-t a -q 1");
        let gives_up = subscribe(address, version, "-t a --no-reconnect");
        server.stop();
        let ended = gives_up.end();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        subscriber.error_with("trying again in");
        let _server = start_at(address, &[]);
        subscriber.error_with("<- SUBACK");
        publish(address, version, "-t a -m again -q 1");
        assert_eq!(subscriber.line(), "again");
    }
}

#[test]
fn fails_at_once_where_nobody_listens() {
    for (name, what) in [("sub", ""), ("pub", "-m x")] {
        let ended = start_client(name, NOBODY, "311", &format!("-t a {what}")).end();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.errors.concat().starts_with(&format!("{name}: {NOBODY}: ")), "{ended:?}");
        let quiet = start_client(name, NOBODY, "311", &format!("-t a {what} --quiet")).end();
        assert_eq!((quiet.code, quiet.errors), (Some(1), vec![]));
    }
}

#[test]
fn shows_packets() {
    let server = start();
    let subscriber = subscribe(server.addr(), "31", "-t a -C 1 -q 1 -i shown");
    publish(server.addr(), "31", "-t a -m x -q 1");
    let ended = subscriber.end();
    assert_eq!(ended.errors, ["<- PUBLISH a qos=1 id=1 (1 B) \"x\"", "-> PUBACK id=1", "-> DISCONNECT"],);
}

#[test]
fn prints_no_line_end_where_none_is_wanted() {
    let server = start();
    let subscriber = subscribe(server.addr(), "311", "-t a -N -C 2 -F %p|%x|%l|%%|%m|\\n");
    publish(server.addr(), "311", "-t a -m x");
    publish(server.addr(), "311", "-t a -n");
    assert_eq!(subscriber.end().output, ["x|78|1|%|0|", "||0|%|0|"]);
}

#[test]
fn leaves_out_what_is_not_wanted() {
    let server = start();
    let address = server.addr();
    let subscriber = subscribe(address, "311", "-t a/# -T a/b --filter-out a/c/+ -C 1 -F %t\\\\\\0%X");
    publish(address, "311", "-t a/b -m x -r");
    publish(address, "311", "-t a/c/d -m x");
    publish(address, "311", "-t a/c -m z -r");
    assert_eq!(subscriber.end().output, ["a/c\\\u{0}7A"]);
    let mut retained = start_client("sub", address, "311", "-t a/# -v --retained-only");
    assert_eq!((retained.line().as_str(), retained.line().as_str()), ("a/b x", "a/c z"));
    publish(address, "311", "-t a/e -m now");
    let ended = retained.end();
    assert_eq!((ended.code, ended.output), (Some(0), vec![]));
}

#[test]
fn ends_a_subscription_of_a_session_that_was_kept() {
    let server = start();
    let address = server.addr();
    for arguments in ["-t a -t b -q 1 -c -i kept -E", "-U a -c -i kept -E"] {
        assert_eq!(start_client("sub", address, "311", arguments).end().code, Some(0), "{arguments}");
    }
    publish(address, "311", "-t a -m x -q 1");
    publish(address, "311", "-t b -m y -q 1");
    let ended = start_client("sub", address, "311", "-t c -c -i kept -C 1 -v").end();
    assert_eq!(ended.output, ["b y"]);
}

#[test]
fn prints_json() {
    let server = start();
    let subscriber = subscribe(server.addr(), "311", "-t a/# --qos 1 -C 2 -F %j");
    publish(server.addr(), "311", "--topic a/b --message {\"x\":1} --qos 1 --retain");
    publish(server.addr(), "311", "-t a/c -n");
    let lines = subscriber.end().output;
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
fn json_is_json() {
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
