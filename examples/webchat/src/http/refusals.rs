//! Refusals as responses.

use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::chat::Refusal;

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self {
            Refusal::Malformed(_) => StatusCode::BAD_REQUEST,
            Refusal::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::NotAPicture => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::Stranger => StatusCode::UNAUTHORIZED,
            Refusal::NotYours => StatusCode::FORBIDDEN,
            Refusal::Taken => StatusCode::CONFLICT,
            Refusal::Unknown => StatusCode::NOT_FOUND,
            Refusal::TooFast => StatusCode::TOO_MANY_REQUESTS,
            Refusal::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Late => StatusCode::GATEWAY_TIMEOUT,
        };
        // The article's text for everything that failed.
        (status, Json(json!({ "msg": "连接失败", "why": self.to_string() }))).into_response()
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        unreadable(rejection.status(), rejection.body_text())
    }
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Self {
        unreadable(rejection.status(), rejection.body_text())
    }
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        unreadable(rejection.status(), rejection.body_text())
    }
}

fn unreadable(status: StatusCode, why: String) -> Refusal {
    if status == StatusCode::PAYLOAD_TOO_LARGE { Refusal::TooLarge } else { Refusal::Malformed(why) }
}
