//! The tables in `tests/README.md` are complete, and every test named in them exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const README: &str = include_str!("../README.md");
/// The statements that apply to a client, or to client and server.
const IDS: &str = include_str!("ids.txt");

/// The files that the tables name, relative to `tests/`.
const FILES: [&str; 11] = [
    "conformance/connect.rs",
    "conformance/delivery.rs",
    "conformance/disconnect.rs",
    "conformance/packets.rs",
    "conformance/strings.rs",
    "client/connecting.rs",
    "client/mqtt31.rs",
    "client/brokers.rs",
    "codec/mqtt31.rs",
    "client/subscribing.rs",
    // In a package of its own that is not published with this one: `tests/all.sh examples` runs it.
    "../streams/websocket/tests/conformance.rs",
];

/// The contents of a file; `None` in the published package if the file belongs to a package that is not published with it.
fn source(file: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if file.starts_with("../") && !root.join("fuzz").exists() {
        return None;
    }
    let path = root.join("tests").join(file);
    Some(fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// The cells of all table rows.
fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    README
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("|--"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
}

/// Every `file.rs`: `test` in a cell.
fn tests_in(cell: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut file = None;
    for word in cell.split('`').skip(1).step_by(2) {
        match file {
            _ if word.ends_with(".rs") => file = Some(word),
            Some(file) => found.push((file.to_string(), word.to_string())),
            None => panic!("{cell}: which file?"),
        }
    }
    found
}

#[test]
fn every_statement_that_binds_a_client_has_a_row() {
    let listed: Vec<&str> = rows().map(|cells| cells[0]).filter(|cell| cell.starts_with("MQTT-")).collect();
    let wanted: Vec<&str> = IDS.lines().collect();
    assert_eq!(wanted.len(), 72);
    assert_eq!(listed, wanted);
}

#[test]
fn every_row_names_a_test_or_says_why_there_is_none() {
    for cells in rows().filter(|cells| cells[0].starts_with("MQTT-")) {
        let tests = tests_in(cells[1]);
        let name = format!("mqtt_{}", cells[0]["MQTT-".len()..].replace(['.', '-'], "_"));
        if tests.is_empty() {
            assert!(cells[1].starts_with("by construction"), "{}", cells[0]);
        } else {
            assert_eq!(tests[0].1, name, "the name of the test is the statement's");
        }
    }
}

#[test]
fn every_test_that_is_named_exists() {
    for (file, test) in rows().flat_map(|cells| tests_in(cells.last().unwrap())) {
        assert!(FILES.contains(&file.as_str()), "{file} is not known here");
        let Some(source) = source(&file) else { continue };
        assert!(source.contains(&format!("#[test]\nfn {test}() {{")), "{test} is not in {file}");
    }
}

#[test]
fn every_test_for_a_statement_has_a_row() {
    let named: BTreeSet<String> =
        rows().flat_map(|cells| tests_in(cells.last().unwrap())).map(|(_, test)| test).collect();
    for source in FILES.into_iter().filter_map(source) {
        for line in source.lines() {
            if let Some(test) = line.strip_prefix("fn ").and_then(|rest| rest.strip_suffix("() {")) {
                assert!(!test.starts_with("mqtt_") || named.contains(test), "{test} has no row");
            }
        }
    }
}
