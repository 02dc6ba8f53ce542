//! The way from the root of a document to a value.

use super::value;

/// The tables that hold secrets: of the configuration, and of the web configuration.
const NEAR_SECRETS: [&str; 4] = ["router", "routers", "tls_server_config", "basic_auth_users"];

/// The way to a value: for people as text, for `locate` as the position among its siblings at
/// each level, which distinguishes even two entries of the same key.
#[derive(Clone, Default)]
pub(super) struct KeyPath {
    text: String,
    steps: Vec<usize>,
}

impl KeyPath {
    /// Returns the way on to the entry number `index` of this table.
    pub(super) fn entry(&self, key: &str, index: usize) -> Self {
        let mut path = self.absent(key);
        path.steps.push(index);
        path
    }

    /// Returns the way on to item number `index` of this list.
    pub(super) fn item(&self, index: usize) -> Self {
        let mut steps = self.steps.clone();
        steps.push(index);
        Self { text: format!("{}[{index}]", self.text), steps }
    }

    /// Returns the way to where `key` would be in this table; its place is the table's.
    pub(super) fn absent(&self, key: &str) -> Self {
        let dot = if self.text.is_empty() { "" } else { "." };
        let text = format!("{}{dot}{}", self.text, value::printable(key));
        Self { text, steps: self.steps.clone() }
    }

    /// Returns whether a secret may stand here, in its place or in the wrong one. What is written
    /// here is then not repeated in messages.
    pub(super) fn is_near_secrets(&self) -> bool {
        let root = self.text.split(['.', '[']).next().unwrap_or_default();
        NEAR_SECRETS.contains(&root)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn steps(&self) -> &[usize] {
        &self.steps
    }
}
