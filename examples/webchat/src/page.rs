//! The page's files, which are a part of this program, and Paho's client, which is not.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

#[derive(Clone, Copy)]
pub struct File {
    pub path: &'static str,
    pub content: &'static str,
}

impl File {
    pub fn kind(&self) -> &'static str {
        match self.path.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "text/html; charset=utf-8",
        }
    }
}

pub const FILES: [File; 10] = [
    File { path: "/", content: include_str!("../page/index.html") },
    File { path: "/icon.svg", content: include_str!("../page/icon.svg") },
    File { path: "/chat.css", content: include_str!("../page/chat.css") },
    File { path: "/main.js", content: include_str!("../page/main.js") },
    File { path: "/server.js", content: include_str!("../page/server.js") },
    File { path: "/broker.js", content: include_str!("../page/broker.js") },
    File { path: "/talks.js", content: include_str!("../page/talks.js") },
    File { path: "/view.js", content: include_str!("../page/view.js") },
    File { path: "/pictures.js", content: include_str!("../page/pictures.js") },
    File { path: "/words.js", content: include_str!("../page/words.js") },
];

/// Paho's client, from npm's folder; where it is not there yet, npm is asked to bring it.
pub fn paho() -> Result<&'static str, String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = dir.join("node_modules/paho-mqtt/paho-mqtt-min.js");
    if !file.is_file() {
        println!("Fetching the browser's MQTT client with npm ...");
        let npm = Command::new("npm")
            .args(["ci", "--omit=dev", "--no-audit", "--no-fund"])
            .current_dir(dir)
            .stdin(Stdio::null())
            .status();
        if !npm.is_ok_and(|status| status.success()) {
            return Err("npm (of Node.js) is needed, to fetch the browser's MQTT client: paho-mqtt".into());
        }
    }
    let text = fs::read_to_string(&file).map_err(|error| format!("cannot read Paho's client: {error}"))?;
    Ok(text.leak())
}
