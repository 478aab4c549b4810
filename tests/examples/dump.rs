//! `dump`: packets in hexadecimal.

use std::env::temp_dir;
use std::fs::{File, remove_file};
use std::io::Write;
use std::process::id;

use crate::process::Exit;
use crate::tools::{run, start};

fn assert_prints(exit: &Exit, lines: &[&str]) {
    assert_eq!(exit.code, Some(0), "{exit:?}");
    assert_eq!(exit.output, lines);
}

fn assert_fails(exit: &Exit, message: &str) {
    assert_eq!(exit.code, Some(1), "{exit:?}");
    assert_eq!(exit.errors, [format!("dump: {message}")]);
}

#[test]
fn several_packets_in_a_row() {
    let exit = run("dump", &["10 0d 00 04 4d515454 04 02 00 3c 00 01 61", "c000 e0 00"]);
    assert_prints(
        &exit,
        &[
            "     0     15 B  CONNECT MQTT 3.1.1 client_id=\"a\" clean keep_alive=60s",
            "    15      2 B  PINGREQ",
            "    17      2 B  DISCONNECT",
        ],
    );
}

#[test]
fn hexadecimal_in_every_form_on_standard_input() {
    for text in [
        "30 05 00 01 61 68 69",
        "0x30,0x5,0x00,1,0x61,0x68,0x69",
        "30:05:00:01:61:68:69\n",
        "30050001\n616869",
    ] {
        let mut dump = start("dump", &[]);
        dump.write(text.as_bytes());
        assert_prints(&dump.wait_for_exit(), &["     0      7 B  PUBLISH a qos=0 (2 B) \"hi\""]);
    }
}

#[test]
fn raw_bytes() {
    let mut dump = start("dump", &["--raw"]);
    dump.write(&[0x20, 2, 1, 0]);
    assert_prints(&dump.wait_for_exit(), &["     0      4 B  CONNACK accepted session_present"]);
}

/// Each packet is printed when it is complete, while the file is still growing.
#[test]
fn a_file_that_grows() {
    let path = temp_dir().join(format!("baremqtt-dump-{}", id()));
    let mut file = File::create(&path).unwrap();
    file.write_all(&[0xC0, 0, 0x40, 2]).unwrap();
    let mut dump = start("dump", &["--follow", path.to_str().unwrap()]);
    assert_eq!(dump.line(), "     0      2 B  PINGREQ");
    file.write_all(&[0, 7, 0xE0]).unwrap();
    assert_eq!(dump.line(), "     2      4 B  PUBACK id=7");
    // Bytes that are not MQTT end it.
    file.write_all(&[1]).unwrap();
    assert_fails(&dump.wait_for_exit(), "at byte 6: packet length does not fit its fields [MQTT-4.8.0-1]");
    remove_file(path).unwrap();
}

#[test]
fn the_version_is_that_of_the_option_or_of_connect() {
    let subscribe = "8a 06 00 02 00 01 61 00";
    let expected = "SUBSCRIBE id=2 dup a qos=0";
    assert_prints(&run("dump", &["--mqtt", "3.1", subscribe]), &[&format!("     0      8 B  {expected}")]);
    let connect = "10 0f 00 06 4d 51 49 73 64 70 03 02 00 3c 00 01 61";
    let exit = run("dump", &[connect, subscribe]);
    assert_eq!(exit.code, Some(0), "{exit:?}");
    assert_eq!(exit.output.last(), Some(&format!("    17      8 B  {expected}")));
    assert_fails(
        &run("dump", &[subscribe]),
        "at byte 0: reserved fixed-header flags are wrong [MQTT-2.2.2-2]",
    );
}

#[test]
fn a_violation_is_reported_with_position_and_clause() {
    let exit = run("dump", &["c000", "36 05 00 01 61 00 01"]);
    assert_eq!(exit.output, ["     0      2 B  PINGREQ"]);
    assert_fails(&exit, "at byte 2: QoS 3 [MQTT-3.3.1-4]");
}

#[test]
fn an_incomplete_packet_is_reported_with_the_missing_bytes() {
    let exit = run("dump", &["c000 30 05 00 01"]);
    assert_fails(&exit, "at byte 2: a packet begins with 4 B, and 3 B are missing");
    let exit = run("dump", &["30 80"]);
    assert_fails(&exit, "at byte 0: a packet begins with 2 B, and at least 1 B are missing");
}

#[test]
fn invalid_input_is_reported() {
    assert_fails(&run("dump", &["c0 0g"]), "not hexadecimal: \"0g\"");
    assert_fails(&run("dump", &["c0000"]), "an odd number of digits: \"c0000\"");
    assert_fails(
        &run("dump", &["--raw", "c000"]),
        "only one of HEX, --raw (the standard input) and --follow can be given",
    );
    assert_eq!(run("dump", &["--mqtt", "5"]).code, Some(1));
}
