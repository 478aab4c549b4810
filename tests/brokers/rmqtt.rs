//! A broker on the library of RMQTT, which `run.sh` compiles with two of its plugins.

use rmqtt::context::ServerContext;
use rmqtt::net::Builder;
use rmqtt::server::MqttServer;

/// A client that gives a user name needs its password; apart from that, everybody may do everything.
const RULES: &str =
    r#"rules = [["allow", { user = "user", password = "pass" }], ["allow", "all", "pubsub"]]"#;

#[tokio::main]
async fn main() -> rmqtt::Result<()> {
    let port: u16 = std::env::args().nth(1).and_then(|port| port.parse().ok()).expect("a port");
    let context = ServerContext::new().plugins_config_map_add("rmqtt-acl", RULES).build().await;
    rmqtt_acl::register(&context, true, false).await?;
    rmqtt_retainer::register(&context, true, false).await?;
    let listener = Builder::new().name("tcp").laddr(([127, 0, 0, 1], port).into()).reuseaddr(Some(true));
    // As high as the tests of all brokers go.
    let listener = listener.max_packet_size(2 << 20).max_inflight(200.try_into().expect("not 0"));
    MqttServer::new(context).listener(listener.bind()?.tcp()?).build().run().await
}
