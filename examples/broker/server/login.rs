//! Who may connect.

use std::collections::HashMap;

use baremqtt::codec::{Credentials, RefusalCode};

/// The users; if there are none, everybody may connect.
pub(super) struct Users(HashMap<String, String>);

impl Users {
    pub(super) fn new(users: Vec<(String, String)>) -> Self {
        Users(users.into_iter().collect())
    }

    pub(super) fn check(&self, credentials: Option<Credentials<'_>>) -> Result<(), RefusalCode> {
        if self.0.is_empty() {
            return Ok(());
        }
        let credentials = credentials.ok_or(RefusalCode::NOT_AUTHORIZED)?;
        let expected = self.0.get(credentials.username.as_str()).map(|password| password.as_bytes());
        match expected {
            Some(expected) if credentials.password == Some(expected) => Ok(()),
            _ => Err(RefusalCode::BAD_USER_NAME_OR_PASSWORD),
        }
    }
}
