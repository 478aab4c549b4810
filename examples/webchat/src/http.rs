//! What browsers ask of this server.

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use crate::chat::{Chat, Refusal, Ticket};
use crate::message::{MAX_BODY, MAX_PICTURE, MAX_TEXT, Message};
use crate::page;

/// Everything comes from here, pictures from messages too; nothing is run that stands in a page.
const POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

pub fn router(chat: Arc<Chat>, paho: &'static str) -> Router {
    let mut router = Router::new()
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/send", post(send))
        .route("/messages", get(missed));
    for file in page::FILES.into_iter().chain([page::File { path: "/paho-mqtt.js", content: paho }]) {
        router = router.route(file.path, get(async move || ([(CONTENT_TYPE, file.kind())], file.content)));
    }
    if chat.has_own_broker() {
        router = router.route("/mqtt", get(web_socket));
    }
    router.layer(DefaultBodyLimit::max(MAX_BODY)).layer(map_response(guard)).with_state(chat)
}

async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
}

/// What a page needs to know.
#[derive(Serialize)]
struct SignedIn<'a> {
    #[serde(flatten)]
    ticket: Ticket,
    groups: &'a [String],
    /// Of the broker's WebSocket; without one it is where the page is.
    port: Option<u16>,
    max_text: usize,
    max_picture: usize,
}

async fn sign_in(State(chat): State<Arc<Chat>>, Json(request): Json<SignIn>) -> Result<Response, Refusal> {
    let door = Arc::clone(&chat);
    let ticket = to_the_end(async move { door.sign_in(&request.name).await }).await?;
    let (groups, port) = (chat.groups(), chat.websocket_port());
    let signed_in = SignedIn { ticket, groups, port, max_text: MAX_TEXT, max_picture: MAX_PICTURE };
    Ok(Json(signed_in).into_response())
}

async fn sign_out(State(chat): State<Arc<Chat>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let token = token(&headers).to_owned();
    to_the_end(async move { chat.sign_out(&token).await }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The article's endpoint.
async fn send(
    State(chat): State<Arc<Chat>>,
    headers: HeaderMap,
    Json(message): Json<Message>,
) -> Result<Response, Refusal> {
    let token = token(&headers).to_owned();
    to_the_end(async move { chat.send(&token, message).await }).await?;
    Ok(Json(json!({ "msg": "发送成功" })).into_response())
}

#[derive(Deserialize)]
struct After {
    after: u64,
}

#[derive(Serialize)]
struct Missed {
    last: u64,
    messages: Vec<Box<RawValue>>,
}

async fn missed(
    State(chat): State<Arc<Chat>>,
    headers: HeaderMap,
    Query(query): Query<After>,
) -> Result<Response, Refusal> {
    let (last, messages) = chat.missed(token(&headers), query.after)?;
    let messages =
        messages.iter().filter_map(|json| RawValue::from_string(json.as_ref().to_owned()).ok()).collect();
    Ok(Json(Missed { last, messages }).into_response())
}

async fn web_socket(State(chat): State<Arc<Chat>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .protocols(["mqtt", "mqttv3.1"])
        .max_message_size(64 << 10)
        .on_upgrade(async move |socket| chat.serve(socket).await)
}

/// Runs in a task of its own: what was begun comes to an end, even if the browser goes away meanwhile.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::spawn(work).await.unwrap_or(Err(Refusal::Failed("the server has failed")))
}

fn token(headers: &HeaderMap) -> &str {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default()
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self {
            Refusal::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::Stranger => StatusCode::UNAUTHORIZED,
            Refusal::NotYours => StatusCode::FORBIDDEN,
            Refusal::Taken => StatusCode::CONFLICT,
            Refusal::Unknown => StatusCode::NOT_FOUND,
            Refusal::TooFast => StatusCode::TOO_MANY_REQUESTS,
            Refusal::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Late => StatusCode::GATEWAY_TIMEOUT,
        };
        // The article's word for all that did not go through.
        (status, Json(json!({ "msg": "连接失败", "why": self.to_string() }))).into_response()
    }
}
