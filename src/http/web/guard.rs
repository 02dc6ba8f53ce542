//! Who may ask, and what every answer carries.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{Inner, Shared};

/// Answers only those who may ask, with the configured headers.
pub(super) async fn guard(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let inner = shared.inner();
    let mut answer = if is_welcome(&shared, &inner, request.headers()).await {
        next.run(request).await
    } else {
        shared.unauthorized.inc();
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"wanctl\"")];
        (StatusCode::UNAUTHORIZED, challenge, "a user and a password are needed\n").into_response()
    };
    for (name, value) in &inner.config.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

async fn is_welcome(shared: &Arc<Shared>, inner: &Arc<Inner>, headers: &HeaderMap) -> bool {
    if inner.config.users.is_empty() {
        return true;
    }
    let Some((name, password)) = credentials(headers) else { return false };
    let hash = inner.config.users.hash(&name).map(str::to_owned);
    if let Some(hash) = &hash
        && shared.known.contains(hash, &password)
    {
        return true;
    }
    // It is never closed.
    let Ok(turn) = Arc::clone(&shared.desk).acquire_owned().await else { return false };
    let (shared, inner) = (Arc::clone(shared), Arc::clone(inner));
    let check = move || {
        let right = inner.config.users.verify(&name, &password);
        if let Some(hash) = hash.filter(|_| right) {
            shared.known.insert(&hash, &password);
        }
        // Kept until here even if whoever asked has left meanwhile.
        drop(turn);
        right
    };
    tokio::task::spawn_blocking(check).await.unwrap_or(false)
}

/// Reads the user and the password of a request.
fn credentials(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8(decoded.get(..colon)?.to_vec()).ok()?;
    Some((name, decoded.get(colon + 1..)?.to_vec()))
}
