//! The requests, one function each.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection, QueryRejection};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::caller::Caller;
use crate::chat::{Chat, Missed, Refusal, Ticket};
use crate::message::{Content, Envelope, MAX_PICTURE, MAX_TEXT, Message, Picture, Text};

type App = State<Arc<Chat>>;

#[derive(Deserialize)]
pub struct SignIn {
    name: String,
}

/// What a page needs to know.
#[derive(Serialize)]
pub struct SignedIn {
    #[serde(flatten)]
    ticket: Ticket,
    groups: Vec<String>,
    /// The port of the broker's WebSocket; `None` if it is at the page's own address.
    port: Option<u16>,
    max_text: usize,
    max_picture: usize,
}

pub async fn sign_in(
    State(chat): App,
    request: Result<Json<SignIn>, JsonRejection>,
) -> Result<Json<SignedIn>, Refusal> {
    let Json(SignIn { name }) = request?;
    let door = Arc::clone(&chat);
    let ticket = to_the_end(async move { door.sign_in(&name).await }).await?;
    let (groups, port) = (chat.groups().to_vec(), chat.websocket_port());
    Ok(Json(SignedIn { ticket, groups, port, max_text: MAX_TEXT, max_picture: MAX_PICTURE }))
}

pub async fn sign_out(State(chat): App, Caller(person): Caller) -> Result<StatusCode, Refusal> {
    to_the_end(async move { chat.sign_out(&person).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The article's endpoint.
pub async fn send(
    State(chat): App,
    caller: Caller,
    text: Result<Json<Text>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let Json(text) = text?;
    publish(chat, caller, text.into()).await
}

/// The same for a picture: the body is its bytes, and the other fields of the message are in the address.
pub async fn send_picture(
    State(chat): App,
    caller: Caller,
    envelope: Result<Query<Envelope>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Refusal> {
    let Query(envelope) = envelope?;
    let content = Content::Picture(Picture::new(body?)?);
    publish(chat, caller, Message { envelope, content }).await
}

async fn publish(chat: Arc<Chat>, Caller(person): Caller, message: Message) -> Result<Json<Value>, Refusal> {
    to_the_end(async move { chat.send(&person, message).await }).await?;
    Ok(Json(json!({ "msg": "发送成功" })))
}

#[derive(Deserialize)]
pub struct After {
    after: u64,
}

pub async fn missed(
    State(chat): App,
    Caller(person): Caller,
    query: Result<Query<After>, QueryRejection>,
) -> Result<Json<Missed>, Refusal> {
    let Query(After { after }) = query?;
    Ok(Json(chat.missed(&person, after)))
}

#[derive(Deserialize)]
pub struct Which {
    from: String,
    id: String,
}

pub async fn picture(
    State(chat): App,
    Caller(person): Caller,
    query: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Which { from, id }) = query?;
    let picture = chat.picture(&person, &from, &id)?;
    Ok(([(CONTENT_TYPE, picture.media_type())], picture.bytes().clone()).into_response())
}

/// For a broker that has no WebSocket of its own.
pub async fn web_socket(State(chat): App, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .protocols(["mqtt", "mqttv3.1"])
        .max_message_size(64 << 10)
        .on_upgrade(async move |socket| chat.serve(socket).await)
}

/// Runs in a task of its own: what was begun is completed, even if the browser disconnects meanwhile.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::spawn(work).await.unwrap_or(Err(Refusal::Failed("the server has failed")))
}
