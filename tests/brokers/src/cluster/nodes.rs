//! Nodes of RabbitMQ that form a cluster.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::brokers::{folder, wait_until_ready};
use crate::erlang::port_mapper;
use crate::peer::Target;
use crate::process::Process;
use crate::rabbitmq::{control, server};
use crate::support::mosquitto::free_port;

/// A returning node that finds only one other waits for 100 s before it accepts clients.
const TIMEOUT: Duration = Duration::from_secs(300);

const NAMES: [&str; 3] = ["first", "second", "third"];

/// Where the messages for an absent client are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Queues {
    /// On the node where the client was, as RabbitMQ does by default.
    Classic,
    /// Copied to all nodes, by a policy.
    Mirrored,
    /// On a majority of the nodes, by a line of the configuration.
    Quorum,
}

pub struct Cluster {
    folder: PathBuf,
    queues: Queues,
    nodes: Vec<Node>,
    _port_mapper: Process,
}

struct Node {
    name: &'static str,
    port: u16,
    process: Option<Process>,
}

impl Cluster {
    pub fn start(nodes: usize, queues: Queues) -> Result<Self, String> {
        let folder = folder("cluster")?;
        let _port_mapper = port_mapper(&folder)?;
        let mut cluster = Cluster { folder, queues, nodes: Vec::new(), _port_mapper };
        for (at, &name) in NAMES.iter().take(nodes).enumerate() {
            cluster.nodes.push(Node { name, port: free_port(), process: None });
            cluster.start_node(at)?;
            if at > 0 {
                for arguments in [&["stop_app"][..], &["join_cluster", "first@localhost"], &["start_app"]] {
                    cluster.control(at, arguments)?;
                }
                cluster.wait_until_ready(at)?;
            }
        }
        if queues == Queues::Mirrored {
            let copies = r#"{"ha-mode":"all","ha-sync-mode":"automatic","ha-promote-on-shutdown":"always"}"#;
            cluster.control(0, &["set_policy", "mirrored", "^mqtt-", copies, "--apply-to", "queues"])?;
        }
        Ok(cluster)
    }

    /// Starts a node, for the first time or again, and waits until it accepts clients.
    pub fn start_node(&mut self, at: usize) -> Result<(), String> {
        let lines = match self.queues {
            Queues::Quorum => "mqtt.durable_queue_type = quorum\n",
            Queues::Classic | Queues::Mirrored => "",
        };
        let node = &mut self.nodes[at];
        let command = server(node.name, node.port, &self.folder, lines);
        node.process = Some(Process::start(command, &self.folder.join(format!("{}.log", node.name)))?);
        self.wait_until_ready(at)
    }

    fn wait_until_ready(&self, at: usize) -> Result<(), String> {
        let failed = |error| format!("{}: {error}; see {}", self.nodes[at].name, self.folder.display());
        wait_until_ready(Target { addr: self.addr(at), guest: None }, TIMEOUT).map_err(failed)
    }

    fn control(&self, at: usize, arguments: &[&str]) -> Result<(), String> {
        control(self.nodes[at].name, &self.folder, arguments)
    }

    pub fn addr(&self, at: usize) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.nodes[at].port).into()
    }

    /// Shuts a node down properly: it leaves the cluster.
    pub fn stop(&mut self, at: usize) -> Result<(), String> {
        self.control(at, &["shutdown"])?;
        self.nodes[at].process.take().into_iter().for_each(Process::wait);
        Ok(())
    }

    /// Ends a node as a power cut would.
    pub fn kill(&mut self, at: usize) {
        self.nodes[at].process = None;
    }
}
