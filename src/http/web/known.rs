//! Passwords that were found right before, so that a scrape every second does not cost a slow
//! check every second. Kept as a digest with a random key, never as they are.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ring::{
    hmac::{self, HMAC_SHA256, Key},
    rand::SystemRandom,
};

/// How many are remembered: more than there are scrapers, and few enough to forget all at once.
const MOST: usize = 100;

/// Digests of what was right.
#[derive(Debug)]
pub(super) struct Known {
    key: Option<Key>,
    right: Mutex<BTreeSet<Vec<u8>>>,
}

impl Default for Known {
    fn default() -> Self {
        // Without randomness nothing is remembered, and every check is slow.
        Self { key: Key::generate(HMAC_SHA256, &SystemRandom::new()).ok(), right: Mutex::default() }
    }
}

impl Known {
    /// Tells whether `password` was found to fit `hash` before.
    pub(super) fn contains(&self, hash: &str, password: &[u8]) -> bool {
        self.digest(hash, password).is_some_and(|digest| self.right().contains(&digest))
    }

    /// Remembers that `password` fits `hash`.
    pub(super) fn insert(&self, hash: &str, password: &[u8]) {
        let Some(digest) = self.digest(hash, password) else { return };
        let mut right = self.right();
        if right.len() >= MOST {
            right.clear();
        }
        right.insert(digest);
    }

    /// Forgets everything.
    pub(super) fn forget(&self) {
        self.right().clear();
    }

    /// A hash has no NUL, so nothing else has the same digest.
    fn digest(&self, hash: &str, password: &[u8]) -> Option<Vec<u8>> {
        let text = [hash.as_bytes(), &[0], password].concat();
        Some(hmac::sign(self.key.as_ref()?, &text).as_ref().to_vec())
    }

    fn right(&self) -> MutexGuard<'_, BTreeSet<Vec<u8>>> {
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_right_for_this_hash_is_known() {
        let known = Known::default();
        known.insert("$2b$a", b"secret");
        assert!(known.contains("$2b$a", b"secret"));
        assert!(!known.contains("$2b$b", b"secret"));
        assert!(!known.contains("$2b$a", b"secret2"));
        known.forget();
        assert!(!known.contains("$2b$a", b"secret"));
    }
}
