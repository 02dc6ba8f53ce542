//! HTTP basic authentication against bcrypt hashes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use prometheus_client::metrics::counter::Counter;
use ring::{
    hmac::{self, HMAC_SHA256, Key, Tag},
    rand::SystemRandom,
};
use tokio::time::{Instant, sleep_until};

use super::{connections::Connection, password_queue::PasswordQueue, timed_stream::REQUEST};
use crate::config::Users;

/// How long a request is held back if too many passwords wait; its client may not heed the answer.
const CROWDED_HOLD: Duration = Duration::from_secs(2);
/// The latest response after a request: a second before its connection is closed.
const LATEST: Duration = REQUEST.saturating_sub(Duration::from_secs(1));
/// Most remembered passwords: more than there are users.
const MOST_VERIFIED: usize = 1000;
/// The bytes of a password that bcrypt uses, its closing NUL included.
const SIGNIFICANT: usize = 72;

/// Checks the passwords of requests.
#[derive(Debug, Default)]
pub(super) struct Authenticator {
    /// Requests without a user and the right password.
    pub(super) unauthorized: Counter,
    verified: VerifiedCache,
    queue: PasswordQueue,
}

impl Authenticator {
    /// Returns the refusal of a request, after a while, unless one of `users` sends it.
    pub(super) async fn refuse(
        self: &Arc<Self>,
        users: &Users,
        headers: &HeaderMap,
        connection: Option<&Arc<Connection>>,
    ) -> Option<Response> {
        let came = Instant::now();
        if users.is_empty() {
            return None;
        }
        // The server adds the connection to every request.
        let (Some((name, password)), Some(connection)) = (credentials(headers), connection) else {
            return Some(self.unauthorized());
        };
        let hash = users.hash(&name);
        let known = hash.and_then(|hash| self.verified.recall(hash, &password));
        let is_right = if let Some(is_right) = known {
            is_right
        } else {
            connection.note_waiting();
            let Some(permit) = self.queue.permit(connection).await else {
                connection.note_rejected();
                hold(came, CROWDED_HOLD).await;
                let retry = [(header::RETRY_AFTER, "2")];
                let text = "too many password checks are queued\n";
                return Some((StatusCode::TOO_MANY_REQUESTS, retry, text).into_response());
            };
            let (this, users) = (Arc::clone(self), users.clone());
            let check = move || {
                // Kept to the end of the check even if the client leaves.
                let _permit = permit;
                let is_right = users.verify(&name, &password);
                if let Some(hash) = users.hash(&name).filter(|_| is_right) {
                    this.verified.learn(hash, &password);
                }
                is_right
            };
            tokio::task::spawn_blocking(check).await.unwrap_or(false)
        };
        if is_right {
            connection.note_accepted();
            return None;
        }
        connection.note_rejected();
        hold(came, self.queue.failed(connection.address)).await;
        Some(self.unauthorized())
    }

    fn unauthorized(&self) -> Response {
        self.unauthorized.inc();
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"wanctl\"")];
        let text = "user and password required\n";
        (StatusCode::UNAUTHORIZED, challenge, text).into_response()
    }
}

/// Waits for `lasts`, but not until the connection of a request that came then is closed.
async fn hold(came: Instant, lasts: Duration) {
    sleep_until((came + LATEST).min(Instant::now() + lasts)).await;
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

/// The right passwords of bcrypt hashes, as far as they were checked, so that further requests cost
/// no bcrypt. Kept as digests with a random key.
#[derive(Debug)]
struct VerifiedCache {
    /// Without randomness nothing is remembered, and every check is slow.
    key: Option<Key>,
    tags: Mutex<BTreeMap<String, Tag>>,
}

impl Default for VerifiedCache {
    fn default() -> Self {
        Self { key: Key::generate(HMAC_SHA256, &SystemRandom::new()).ok(), tags: Mutex::default() }
    }
}

impl VerifiedCache {
    /// Returns whether `password` fits `hash`; `None` until the right one has been learned.
    fn recall(&self, hash: &str, password: &[u8]) -> Option<bool> {
        let tags = self.tags();
        let (key, tag) = (self.key.as_ref()?, tags.get(hash)?);
        Some(hmac::verify(key, significant(password), tag.as_ref()).is_ok())
    }

    /// Remembers that `password` fits `hash`.
    fn learn(&self, hash: &str, password: &[u8]) {
        let Some(key) = &self.key else { return };
        let mut tags = self.tags();
        if tags.len() >= MOST_VERIFIED {
            tags.clear();
        }
        tags.insert(hash.to_owned(), hmac::sign(key, significant(password)));
    }

    fn tags(&self) -> MutexGuard<'_, BTreeMap<String, Tag>> {
        self.tags.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the part of a password that bcrypt compares.
fn significant(password: &[u8]) -> &[u8] {
    password.get(..SIGNIFICANT).unwrap_or(password)
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

    #[test]
    fn once_the_right_password_is_known_all_others_are_wrong() {
        let verified = VerifiedCache::default();
        assert_eq!(verified.recall("$2b$a", b"secret"), None);
        verified.learn("$2b$a", b"secret");
        assert_eq!(verified.recall("$2b$a", b"secret"), Some(true));
        assert_eq!(verified.recall("$2b$a", b"secret2"), Some(false));
        assert_eq!(verified.recall("$2b$b", b"secret"), None, "of another user");
        for number in 0..5000_u32 {
            verified.learn(&number.to_string(), b"secret");
        }
        assert!(verified.tags().len() <= MOST_VERIFIED);
    }

    #[test]
    fn the_memory_agrees_with_bcrypt_on_long_passwords() {
        let verified = VerifiedCache::default();
        let long = [b'x'; 100];
        let hash = bcrypt::hash(long, 4).unwrap();
        verified.learn(&hash, &long);
        for length in [70, 71, 72, 73, 99, 200] {
            let password = vec![b'x'; length];
            let right = bcrypt::verify(&password, &hash).unwrap();
            assert_eq!(verified.recall(&hash, &password), Some(right), "{length}");
        }
    }
}
