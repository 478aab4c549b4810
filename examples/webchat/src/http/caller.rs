//! Who makes a request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::chat::{Chat, Person, Refusal};

/// Somebody who has signed in. Others are refused before a byte of their body is read.
pub struct Caller(pub Person);

impl FromRequestParts<Arc<Chat>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, chat: &Arc<Chat>) -> Result<Self, Refusal> {
        let value = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Refusal::Stranger)?;
        chat.person(token).map(Caller)
    }
}
