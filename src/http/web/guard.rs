//! Who may ask, and what every answer carries.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use tokio::time::{Instant, sleep_until};

use super::{Inner, Shared};
use crate::http::server::{Caller, REQUEST};

/// Answers only those who may ask, with the configured headers.
pub(super) async fn guard(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(inner) = shared.inner() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let given = credentials(request.headers());
    let caller = request.extensions().get::<Caller>().cloned();
    let mut answer = match authorize(&shared, &inner, given, caller).await {
        AuthOutcome::Welcome => next.run(request).await,
        AuthOutcome::Unauthorized => {
            shared.unauthorized.inc();
            let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"wanctl\"")];
            let text = "user and password required\n";
            (StatusCode::UNAUTHORIZED, challenge, text).into_response()
        }
        AuthOutcome::Crowded => {
            let retry = [(header::RETRY_AFTER, "2")];
            let text = "too many password checks are queued\n";
            (StatusCode::TOO_MANY_REQUESTS, retry, text).into_response()
        }
    };
    for (name, value) in &inner.config.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// After how long a request hears that too many passwords wait; a peer that does not heed that
/// would only ask again.
const CROWDED_HOLD: Duration = Duration::from_secs(2);
/// Since the request came, when its answer is given at the latest: a second before the server
/// underneath would close the connection without one.
const ANSWERED: Duration = REQUEST.saturating_sub(Duration::from_secs(1));

/// What a request is to be answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AuthOutcome {
    Welcome,
    /// Without a user and a password, or with wrong ones.
    Unauthorized,
    /// Too many passwords wait to be checked.
    Crowded,
}

async fn authorize(
    shared: &Arc<Shared>,
    inner: &Arc<Inner>,
    credentials: Option<(String, Vec<u8>)>,
    caller: Option<Caller>,
) -> AuthOutcome {
    if inner.config.users.is_empty() {
        return AuthOutcome::Welcome;
    }
    // The server underneath marks every request with its caller.
    let (Some((name, password)), Some(caller)) = (credentials, caller) else {
        return AuthOutcome::Unauthorized;
    };
    let came = Instant::now();
    let hash = inner.config.users.hash(&name).map(str::to_owned);
    let known = hash.as_ref().and_then(|hash| shared.known.recall(hash, &password));
    let note_accepted = if let Some(note_accepted) = known {
        note_accepted
    } else {
        caller.note_waiting();
        let Some(mut turn) = shared.password_queue.permit(&caller).await else {
            // It ranks behind those that come anew, and is not answered at once either.
            caller.note_rejected();
            hold(came, CROWDED_HOLD).await;
            return AuthOutcome::Crowded;
        };
        let (shared, inner) = (Arc::clone(shared), Arc::clone(inner));
        let check = move || {
            turn.begin();
            let note_accepted = inner.config.users.verify(&name, &password);
            if let Some(hash) = hash {
                shared.known.learn(&hash, &password, note_accepted);
            }
            // Kept until here even if whoever asked has left meanwhile.
            drop(turn);
            note_accepted
        };
        tokio::task::spawn_blocking(check).await.unwrap_or(false)
    };
    if note_accepted {
        caller.note_accepted();
        return AuthOutcome::Welcome;
    }
    caller.note_rejected();
    // Guessing is slow even where a check is not. Meanwhile the place is anybody's who needs it.
    hold(came, shared.password_queue.failed(&caller)).await;
    AuthOutcome::Unauthorized
}

/// Waits for so long, but not until the connection of a request that came then is closed.
async fn hold(came: Instant, lasts: Duration) {
    sleep_until((came + ANSWERED).min(Instant::now() + lasts)).await;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_held_back_but_given_before_the_connection_is_closed() {
        for (waited, lasts, after) in [(0, 2, 2), (7, 2, 9), (7, 8, 9), (0, 8, 8), (20, 8, 20)] {
            let came = Instant::now();
            sleep_until(came + Duration::from_secs(waited)).await;
            hold(came, Duration::from_secs(lasts)).await;
            assert_eq!(came.elapsed().as_secs(), after);
            assert!(waited > 9 || came.elapsed() < REQUEST);
        }
    }
}
