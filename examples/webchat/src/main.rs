//! A chat for the browser: what the article does with a PHP class, on baremqtt.
//!
//! ```text
//! browser --- HTTP: sends ---> http -> chat -> link --- MQTT 3.1, one connection ---> broker
//!    ^                                                                                  |
//!    +----------------------- MQTT over WebSocket: receives ----------------------------+
//! ```

mod broker;
mod chat;
mod http;
mod link;
mod message;
mod options;
mod secret;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;

use broker::Broker;
use chat::Chat;
use link::Link;
use options::Options;

#[tokio::main]
async fn main() -> ExitCode {
    let options = match options::parse(lexopt::Parser::from_env()) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("webchat: {error}\n\n{}", options::HELP);
            return ExitCode::FAILURE;
        }
    };
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("webchat: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), String> {
    let clients = http::clients()?;
    let listener = listen(options.listen).await?;
    let addr = listener.local_addr().map_err(|error| error.to_string())?;
    let password = secret::random()?;
    let broker = Broker::start(&options, &password)?;
    let link = Link::start(broker.addr(), broker::client_id()?, broker::SERVER.to_owned(), password)
        .map_err(|error| error.to_string())?;
    let chat = Chat::new(options.groups, options.websocket_port, broker, link);
    println!("The chat is at http://{addr}/");
    let server = axum::serve(listener, http::router(Arc::new(chat), clients));
    // Connections of browsers do not end by themselves: shutdown does not wait for them.
    tokio::select! {
        result = server => result.map_err(|error| error.to_string()),
        () = asked_to_end() => Ok(()),
    }
}

async fn listen(addr: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(addr)
        .await
        .map_err(|error| format!("cannot listen on {addr}: {error}; choose another address by --listen"))
}

#[cfg(unix)]
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn asked_to_end() {
    let _ = tokio::signal::ctrl_c().await;
}

/// Takes a lock, even if a thread panicked while holding it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
