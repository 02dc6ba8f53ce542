//! Passwords that were checked before, so that neither a scrape every second nor a wrong password
//! that comes again and again costs a slow check each time. Kept as digests with a random key,
//! never as they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use ring::{
    digest::{SHA256, digest},
    hmac::{self, HMAC_SHA256, Key},
    rand::SystemRandom,
};

/// How many hashes have a right password that is remembered: more than there are users.
const MOST_RIGHT: usize = 1000;
/// How many wrong ones are remembered; few enough to forget all at once.
const MOST_WRONG: usize = 1000;
/// As many bytes of a password count for bcrypt, its closing NUL included.
const SIGNIFICANT: usize = 72;

/// Digests of what was checked.
#[derive(Debug)]
pub(super) struct VerifiedCache {
    key: Option<Key>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The right password of each hash; both as digests.
    right: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Wrong ones, with their hash.
    wrong: BTreeSet<Vec<u8>>,
}

impl Default for VerifiedCache {
    fn default() -> Self {
        // Without randomness nothing is remembered, and every check is slow.
        Self { key: Key::generate(HMAC_SHA256, &SystemRandom::new()).ok(), seen: Mutex::default() }
    }
}

impl VerifiedCache {
    /// Returns whether `password` fits `hash`, as far as that is known without a check. Once the
    /// right one is known, every other one is known to be wrong.
    pub(super) fn recall(&self, hash: &str, password: &[u8]) -> Option<bool> {
        let digest = self.digest(hash, password)?;
        let seen = self.seen();
        match seen.right.get(&name(hash)) {
            Some(right) => Some(*right == digest),
            None => seen.wrong.contains(&digest).then_some(false),
        }
    }

    /// Remembers whether `password` fits `hash`.
    pub(super) fn learn(&self, hash: &str, password: &[u8], note_accepted: bool) {
        let Some(digest) = self.digest(hash, password) else { return };
        let mut seen = self.seen();
        if note_accepted {
            if seen.right.len() >= MOST_RIGHT {
                seen.right.clear();
            }
            seen.right.insert(name(hash), digest);
        } else {
            if seen.wrong.len() >= MOST_WRONG {
                seen.wrong.clear();
            }
            seen.wrong.insert(digest);
        }
    }

    /// Passwords that are the same for bcrypt have the same digest. A hash has no NUL, so nothing
    /// else has.
    fn digest(&self, hash: &str, password: &[u8]) -> Option<Vec<u8>> {
        let significant = password.get(..SIGNIFICANT).unwrap_or(password);
        let text = [hash.as_bytes(), &[0], significant].concat();
        Some(hmac::sign(self.key.as_ref()?, &text).as_ref().to_vec())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(hash: &str) -> Vec<u8> {
    digest(&SHA256, hash.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_the_right_one_is_known_all_others_are_wrong() {
        let known = VerifiedCache::default();
        assert_eq!(known.recall("$2b$a", b"secret"), None);
        known.learn("$2b$a", b"guess", false);
        assert_eq!(known.recall("$2b$a", b"guess"), Some(false));
        assert_eq!(known.recall("$2b$a", b"secret"), None);
        assert_eq!(known.recall("$2b$b", b"guess"), None, "of another user");
        known.learn("$2b$a", b"secret", true);
        assert_eq!(known.recall("$2b$a", b"secret"), Some(true));
        assert_eq!(known.recall("$2b$a", b"secret2"), Some(false));
        assert_eq!(known.recall("$2b$b", b"secret"), None);
    }

    #[test]
    fn it_agrees_with_bcrypt_on_long_passwords() {
        let known = VerifiedCache::default();
        let long = [b'x'; 100];
        let hash = bcrypt::hash(long, 4).unwrap();
        known.learn(&hash, &long, true);
        for length in [70, 71, 72, 73, 99, 200] {
            let password = vec![b'x'; length];
            let right = bcrypt::verify(&password, &hash).unwrap();
            assert_eq!(known.recall(&hash, &password), Some(right), "{length}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let known = VerifiedCache::default();
        for number in 0..5000_u32 {
            known.learn("$2b$a", &number.to_le_bytes(), false);
        }
        assert!(known.seen().wrong.len() <= MOST_WRONG);
    }
}
