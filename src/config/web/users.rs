//! Who may ask: names and the bcrypt hashes of their passwords.

use std::{collections::BTreeMap, fmt};

use crate::config::document::Node;

/// Users with the hashes of their passwords, which are no secrets but are not shown either.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Users(BTreeMap<String, String>);

impl Users {
    /// Reads a table of names and hashes.
    pub(super) fn read(node: &Node) -> Result<Self, String> {
        let Node::Table(entries) = node else {
            return Err(format!("expected a table of users, got {}", node.kind()));
        };
        let mut users = BTreeMap::new();
        for (name, hash) in entries {
            if name.is_empty() || name.contains(':') {
                return Err("the name of a user must not be empty or contain a colon".to_owned());
            }
            let hash = match hash {
                Node::Text(hash) if hash.parse::<bcrypt::HashParts>().is_ok() => hash.clone(),
                _ => {
                    // Neither is repeated: they may have been swapped.
                    return Err(format!(
                        "the password of user number {} must be a bcrypt hash, as \
                         `htpasswd -nBC 10 NAME` prints it",
                        users.len() + 1
                    ));
                }
            };
            if users.insert(name.clone(), hash).is_some() {
                return Err(format!("the user `{name}` is listed twice"));
            }
        }
        if users.is_empty() {
            return Err(
                "has no user, so no client would have access; add a user, or leave it out for \
                 access without a password"
                    .into(),
            );
        }
        Ok(Self(users))
    }

    /// Returns whether there are none, so that everybody may ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether `password` is that of the user `name`. Takes about as long for a name that
    /// nobody has, so that names cannot be found out. Slow by design: tens of milliseconds.
    #[must_use]
    pub fn verify(&self, name: &str, password: &[u8]) -> bool {
        let hash = self.0.get(name);
        let Some(any) = hash.or_else(|| self.0.values().next()) else { return false };
        bcrypt::verify(password, any).unwrap_or(false) && hash.is_some()
    }

    /// Returns the hash of the user's password, if there is such a user.
    #[must_use]
    pub fn hash(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}
