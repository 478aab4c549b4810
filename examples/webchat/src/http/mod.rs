//! What browsers request from this server.

mod caller;
mod page;
mod refusals;
mod requests;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};

pub use page::{File, clients};

use crate::chat::Chat;
use crate::message::MAX_PICTURE;

/// The size limit of a request, unless it is a picture.
const MAX_JSON: usize = 64 << 10;

/// Everything is loaded from here, and pictures from messages too; no inline script is run. MQTT.js creates the worker for
/// its timers.
const POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' blob:; worker-src 'self' blob:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

pub fn router(chat: Arc<Chat>, clients: [File; 2]) -> Router {
    let pictures = get(requests::picture).post(requests::send_picture);
    let mut router = Router::new()
        .route("/sign-in", post(requests::sign_in))
        .route("/sign-out", post(requests::sign_out))
        .route("/send", post(requests::send))
        .route("/messages", get(requests::missed))
        .route("/picture", pictures.layer(DefaultBodyLimit::max(MAX_PICTURE)));
    for file in page::FILES.into_iter().chain(clients) {
        router = router.route(file.path, get(async move || ([(CONTENT_TYPE, file.kind())], file.content)));
    }
    if chat.websocket_port().is_none() {
        router = router.route("/mqtt", get(requests::web_socket));
    }
    router.layer(DefaultBodyLimit::max(MAX_JSON)).layer(map_response(guard)).with_state(chat)
}

async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
