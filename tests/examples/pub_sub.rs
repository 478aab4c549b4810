//! `pub` and `sub` together, and their common options.

use std::fs;

use crate::tools::{QOS, VERSIONS, publish, run, start_client, subscribe};
use crate::{start, start_with, tools};

#[test]
fn at_every_qos_and_version() {
    let server = start();
    for version in VERSIONS {
        for qos in QOS {
            let mut subscriber =
                subscribe(server.addr(), version, &format!("-t a/# -t b/+ -q {qos} -F %t:%q:%r:%p"));
            publish(server.addr(), version, &format!("-t a/b -m one -q {qos}"));
            assert_eq!(subscriber.line(), format!("a/b:{qos}:0:one"));
            publish(server.addr(), version, &format!("-t b/c -n -q {qos}"));
            assert_eq!(subscriber.line(), format!("b/c:{qos}:0:"));
        }
    }
}

#[test]
fn all_lines_arrive_in_order() {
    let server = start();
    let lines: Vec<_> = (0..2_000).map(|number| format!("line {number}")).collect();
    for version in VERSIONS {
        for qos in QOS {
            let subscriber = subscribe(server.addr(), version, &format!("-t many -q {qos} -C 2000"));
            let arguments = format!("-t many -l -q {qos} -M 64");
            let mut publisher = start_client("pub", server.addr(), version, &arguments);
            publisher.write_lines(&lines);
            publisher.expect_success();
            let exit = subscriber.wait_for_exit();
            assert_eq!(exit.code, Some(0));
            assert!(exit.output == lines, "{version}, QoS {qos}: {} lines", exit.output.len());
        }
    }
}

#[test]
fn large_messages_from_files_and_from_the_standard_input() {
    let server = start();
    let content = "0123456789".repeat(200_000);
    let file = std::env::temp_dir().join(format!("baremqtt-large-{}", std::process::id()));
    fs::write(&file, &content).expect("a file");
    for qos in QOS {
        let mut subscriber = subscribe(server.addr(), "311", &format!("-t large -v -q {qos} -C 2"));
        publish(server.addr(), "311", &format!("-t large -q {qos} -f {}", file.display()));
        assert!(subscriber.line() == format!("large {content}"));
        let mut publisher = start_client("pub", server.addr(), "31", &format!("-t large -s -q {qos}"));
        publisher.write(content.as_bytes());
        publisher.expect_success();
        assert!(subscriber.line() == format!("large {content}"));
        subscriber.expect_success();
    }
    fs::remove_file(&file).expect("the file");
}

#[test]
fn late_subscribers_receive_retained_messages_until_they_are_removed() {
    let server = start();
    for version in VERSIONS {
        publish(server.addr(), version, "-t kept -m value -r -q 1");
        let mut late = subscribe(server.addr(), version, "-t kept -F %p:%r");
        assert_eq!(late.line(), "value:1");
        let mut not_stale = subscribe(server.addr(), version, "-t kept -R");
        publish(server.addr(), version, "-t kept -m fresh");
        assert_eq!(not_stale.line(), "fresh");
        assert_eq!(late.line(), "fresh:0");
        publish(server.addr(), version, "-t kept -n -r");
        let mut later = subscribe(server.addr(), version, "-t kept");
        publish(server.addr(), version, "-t kept -m first");
        assert_eq!(later.line(), "first");
    }
}

#[test]
fn a_session_queues_messages_and_delivers_them_once() {
    for version in VERSIONS {
        for qos in ["1", "2"] {
            let server = start();
            let session = format!("-c -i kept -t news -q {qos}");
            start_client("sub", server.addr(), version, &format!("{session} -E")).expect_success();
            for number in 0..5 {
                publish(server.addr(), version, &format!("-t news -m {number} -q {qos}"));
            }
            for part in [["0", "1"], ["2", "3"]] {
                // A received message is acknowledged, although `sub` ends right after it.
                let back =
                    start_client("sub", server.addr(), version, &format!("{session} -C 2")).wait_for_exit();
                assert_eq!(back.output, part, "{version}, QoS {qos}: {back:?}");
            }
            let last =
                start_client("sub", server.addr(), version, &format!("{session} -C 1")).wait_for_exit();
            assert_eq!(last.output, ["4"]);
            let none =
                start_client("sub", server.addr(), version, &format!("{session} -W 1")).wait_for_exit();
            assert_eq!((none.code, none.output), (Some(27), vec![]));
        }
    }
}

#[test]
fn a_refusal_sets_the_exit_code_and_prints_the_reason() {
    let server = start_with(&[("ada", "secret")]);
    for version in VERSIONS {
        publish(server.addr(), version, "-t a -m x -u ada -P secret");
        for (login, code, words) in
            [("-u ada -P guess", 4, "bad user name or password (4)"), ("", 5, "not authorized (5)")]
        {
            for (name, what) in [("pub", "-m x"), ("sub", "")] {
                let exit = start_client(name, server.addr(), version, &format!("-t a {what} {login}"))
                    .wait_for_exit();
                assert_eq!(exit.code, Some(code), "{exit:?}");
                assert_eq!(exit.errors, [format!("{name}: connection refused: {words}")]);
            }
        }
    }
}

#[test]
fn a_url_is_enough_and_a_message_is_repeated() {
    let server = start_with(&[("ada", "se:cret")]);
    let address = server.addr();
    let url = format!("mqtt://ada:se:cret@{address}/a/b");
    let mut subscriber = tools::start("sub", &["-d", "--url", &url, "-C", "3", "-v"]);
    subscriber.wait_for_error_line("<- SUBACK");
    let exit =
        run("pub", &["-L", &url, "-m", "x", "--repeat", "3", "--repeat-delay", "0.01", "-d", "-I", "x-"]);
    assert_eq!(exit.code, Some(0), "{exit:?}");
    assert!(exit.errors[0].contains("client_id=\"x-"), "{exit:?}");
    assert_eq!(subscriber.wait_for_exit().output, ["a/b x", "a/b x", "a/b x"]);
}

#[test]
fn invalid_options_are_refused() {
    for (name, arguments) in [
        ("pub", "-t a"),
        ("pub", "-m x"),
        ("pub", "-t a -m x -n"),
        ("pub", "-t a -m x -q 3"),
        ("pub", "-t a -m x -P secret"),
        ("pub", "-t a -m x --will-payload gone"),
        ("pub", "-t a -m x -c"),
        ("pub", "-t a -m x -V 5"),
        ("pub", "-t a -m x -M 65"),
        ("pub", "-t a/# -m x"),
        ("pub", "-t a -m x -p 99999"),
        ("sub", ""),
        ("sub", "-t a -C 0"),
        ("sub", "-t a -F %z"),
        ("sub", "-t a --unknown"),
        ("sub", "-t a -T a#"),
        ("sub", "-t a/#/b"),
        ("sub", "-L http://127.0.0.1/a"),
        ("pub", "-L mqtt://127.0.0.1:x/a -m x"),
        ("pub", "-t a -m x --repeat-delay -1"),
    ] {
        let exit = run(name, &arguments.split_whitespace().collect::<Vec<_>>());
        assert_eq!(exit.code, Some(1), "{name} {arguments}: {exit:?}");
        assert_eq!(exit.errors.last().map(String::as_str), Some("Try --help."), "{name} {arguments}");
    }
    for name in ["pub", "sub", "quickstart", "dump", "broker", "sniffer"] {
        assert_eq!(run(name, &["--help"]).code, Some(0), "{name}");
    }
}

#[test]
fn what_the_standard_forbids_is_refused_with_the_clause() {
    let server = start();
    for (name, arguments, clause) in [
        ("pub", "-t a/+ -m x", "MQTT-3.3.2-2"),
        ("sub", "-t a/#/b", "MQTT-4.7.1-2"),
        ("sub", "-V 31 -t a -i a-name-of-24-characters..", "Client Identifier"),
    ] {
        let exit = start_client(name, server.addr(), "311", arguments).wait_for_exit();
        assert_eq!(exit.code, Some(1), "{exit:?}");
        assert!(exit.errors.concat().contains(clause), "{exit:?}");
    }
}
