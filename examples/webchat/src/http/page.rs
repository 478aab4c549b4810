//! The page's files, which are a part of this program, and its MQTT clients, which are not.

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

pub const FILES: [File; 27] = [
    File { path: "/", content: include_str!("../../page/index.html") },
    File { path: "/icon.svg", content: include_str!("../../page/icon.svg") },
    File { path: "/chat.css", content: include_str!("../../page/chat.css") },
    File { path: "/broker.js", content: include_str!("../../page/broker.js") },
    File { path: "/bubble.js", content: include_str!("../../page/bubble.js") },
    File { path: "/composer.js", content: include_str!("../../page/composer.js") },
    File { path: "/conversation.js", content: include_str!("../../page/conversation.js") },
    File { path: "/dom.js", content: include_str!("../../page/dom.js") },
    File { path: "/frame.js", content: include_str!("../../page/frame.js") },
    File { path: "/kept.js", content: include_str!("../../page/kept.js") },
    File { path: "/line-mqttjs.js", content: include_str!("../../page/line-mqttjs.js") },
    File { path: "/line-paho.js", content: include_str!("../../page/line-paho.js") },
    File { path: "/links.js", content: include_str!("../../page/links.js") },
    File { path: "/list.js", content: include_str!("../../page/list.js") },
    File { path: "/main.js", content: include_str!("../../page/main.js") },
    File { path: "/message.js", content: include_str!("../../page/message.js") },
    File { path: "/notice.js", content: include_str!("../../page/notice.js") },
    File { path: "/outbox.js", content: include_str!("../../page/outbox.js") },
    File { path: "/pictures.js", content: include_str!("../../page/pictures.js") },
    File { path: "/random.js", content: include_str!("../../page/random.js") },
    File { path: "/server.js", content: include_str!("../../page/server.js") },
    File { path: "/sitting.js", content: include_str!("../../page/sitting.js") },
    File { path: "/talks.js", content: include_str!("../../page/talks.js") },
    File { path: "/times.js", content: include_str!("../../page/times.js") },
    File { path: "/words.js", content: include_str!("../../page/words.js") },
    File { path: "/words/chinese.js", content: include_str!("../../page/words/chinese.js") },
    File { path: "/words/english.js", content: include_str!("../../page/words/english.js") },
];

/// MQTT.js and Paho's client, from npm's folder; if they are missing, npm installs them.
pub fn clients() -> Result<[File; 2], String> {
    Ok([
        client("/mqtt.js", "node_modules/mqtt/dist/mqtt.esm.js")?,
        client("/paho-mqtt.js", "node_modules/paho-mqtt/paho-mqtt-min.js")?,
    ])
}

fn client(path: &'static str, file: &str) -> Result<File, String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = dir.join(file);
    if !file.is_file() {
        println!("Fetching the browser's MQTT clients, mqtt and paho-mqtt, with npm ...");
        fetch(dir)?;
    }
    let text =
        fs::read_to_string(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    Ok(File { path, content: text.leak() })
}

fn fetch(dir: &Path) -> Result<(), String> {
    let mut npm = Command::new("npm");
    npm.args(["ci", "--omit=dev", "--no-audit", "--no-fund"]).current_dir(dir).stdin(Stdio::null());
    match npm.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("npm could not fetch mqtt and paho-mqtt, and says why above".into()),
        Err(error) => {
            Err(format!("cannot run npm ({error}): please install Node.js, on Debian by: apt install npm"))
        }
    }
}
