//! Reads a table of the document key by key, and reports every mistake in it.
//!
//! A value is read at the place that knows its key, its kind and its default. Keys that nobody
//! asked for are unknown, so the keys are listed once: where they are read. A reader therefore
//! asks for all its keys before it gives up over one of them.

use std::{collections::BTreeSet, ops::RangeInclusive};

use super::{
    document::Node,
    locate::Spot,
    path::KeyPath,
    report::{Read, Report, Reported},
    value,
};

/// Similarity (Jaro-Winkler, 0 to 1) from which a known key is taken for what was meant.
const SIMILAR: f64 = 0.8;

/// A table of the document, and what has been asked of it.
pub(super) struct Table<'a> {
    path: KeyPath,
    entries: &'a [(String, Node)],
    report: &'a Report,
    known: Vec<&'static str>,
    /// Keys that nobody asked for are no mistake.
    accepts_all: bool,
    /// Required and not there: one key, or several of which one is needed.
    missing: Vec<Vec<&'static str>>,
}

/// An item of a list.
pub(super) struct Item<'a> {
    path: KeyPath,
    node: &'a Node,
    report: &'a Report,
}

/// Reads the root of a document, which is a table.
pub(super) fn root<T>(
    node: &Node,
    report: &Report,
    read: impl FnOnce(&mut Table<'_>) -> Read<T>,
) -> Read<T> {
    Item { path: KeyPath::default(), node, report }.table(read)
}

impl<'a> Item<'a> {
    /// Reads the item as a table by `read`, then reports the keys that `read` did not ask for.
    pub(super) fn table<T>(self, read: impl FnOnce(&mut Table<'a>) -> Read<T>) -> Read<T> {
        let Self { path, node, report } = self;
        let entries = match node {
            Node::Table(entries) => entries.as_slice(),
            // All keys of it may be comments.
            Node::Nothing => &[],
            other => {
                let message = format!("expected a table of keys, got {}", other.kind());
                return Err(report.error(path, Spot::Value, message));
            }
        };
        let mut table = Table {
            path,
            entries,
            report,
            known: Vec::new(),
            accepts_all: false,
            missing: Vec::new(),
        };
        let value = read(&mut table);
        table.finish();
        value
    }

    /// Reads the item as a scalar.
    pub(super) fn scalar<T>(&self, read: impl FnOnce(&Node) -> Result<T, String>) -> Read<T> {
        read(self.node).map_err(|message| {
            let is_shown = matches!(
                self.node,
                Node::Nothing | Node::Flag(_) | Node::List(_) | Node::Table(_) | Node::Tagged
            );
            if self.path.is_near_secrets() && !is_shown {
                self.fail(message.replace(&value::quoted(self.node), "a value that is not shown"))
            } else {
                self.fail(message)
            }
        })
    }

    /// Reports a mistake of this item.
    pub(super) fn fail(&self, message: impl Into<String>) -> Reported {
        self.report.error(self.path.clone(), Spot::Value, message)
    }
}

impl<'a> Table<'a> {
    /// Reads a value that may be absent.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node) -> Result<T, String>,
    ) -> Read<Option<T>> {
        self.take(key).map(|item| item.scalar(read)).transpose()
    }

    /// Reads a value that may be absent and has a default.
    pub(super) fn or<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node) -> Result<T, String>,
        default: T,
    ) -> Read<T> {
        Ok(self.optional(key, read)?.unwrap_or(default))
    }

    /// Reads a value that must be there.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node) -> Result<T, String>,
    ) -> Read<T> {
        match self.take(key) {
            Some(item) => item.scalar(read),
            None => Err(self.miss(&[key])),
        }
    }

    /// Reads a table whose keys all have defaults; an absent one is an empty one.
    pub(super) fn table<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Table<'a>) -> Read<T>,
    ) -> Read<T> {
        let item = self.take(key).unwrap_or_else(|| Item {
            path: self.path.absent(key),
            node: &Node::Nothing,
            report: self.report,
        });
        item.table(read)
    }

    /// Reads a table that may be absent, but not be empty.
    pub(super) fn optional_table<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Table<'a>) -> Read<T>,
    ) -> Read<Option<T>> {
        self.take(key).map(|item| item.table(read)).transpose()
    }

    /// Reads a table of tables that may be absent, with a number of entries within `lengths`; `read`
    /// gets each entry's key.
    pub(super) fn optional_tables<T>(
        &mut self,
        key: &'static str,
        lengths: RangeInclusive<usize>,
        mut read: impl FnMut(&str, &mut Table<'a>) -> Read<T>,
    ) -> Read<Option<Vec<T>>> {
        self.optional_table(key, |table| {
            let count = table.entries.len();
            if !lengths.contains(&count) {
                let (least, most) = lengths.into_inner();
                let message = format!("the table needs {least} to {most} entries, got {count}");
                return Err(table.fail_here(message));
            }
            table.accept_all();
            let items = table.entries.iter().enumerate().map(|(index, (name, node))| {
                let path = table.path.entry(name, index);
                (name, Item { path, node, report: table.report })
            });
            let read: Vec<Read<T>> =
                items.map(|(name, item)| item.table(|table| read(name, table))).collect();
            read.into_iter().collect()
        })
    }

    /// Reads a list that must be there, of a length within `lengths`.
    pub(super) fn list(
        &mut self,
        key: &'static str,
        lengths: RangeInclusive<usize>,
    ) -> Read<Vec<Item<'a>>> {
        let items = self.optional_list(key, lengths)?;
        items.ok_or_else(|| self.miss(&[key]))
    }

    /// Reads a list that may be absent, of a length within `lengths`.
    pub(super) fn optional_list(
        &mut self,
        key: &'static str,
        lengths: RangeInclusive<usize>,
    ) -> Read<Option<Vec<Item<'a>>>> {
        let Some(Item { path, node, report }) = self.take(key) else {
            return Ok(None);
        };
        let message = match node {
            Node::List(nodes) if lengths.contains(&nodes.len()) => {
                let item = |(index, node)| Item { path: path.item(index), node, report };
                return Ok(Some(nodes.iter().enumerate().map(item).collect()));
            }
            Node::List(nodes) if nodes.len() < *lengths.start() => {
                let plural = if *lengths.start() == 1 { "" } else { "s" };
                format!("the list needs at least {} item{plural}", lengths.start())
            }
            Node::List(nodes) => {
                format!("the list has {} items, at most {} are allowed", nodes.len(), lengths.end())
            }
            other => format!("expected a list, got {}", other.kind()),
        };
        Err(report.error(path, Spot::Value, message))
    }

    /// Reports that one of `keys` must be there and none is.
    pub(super) fn miss(&mut self, keys: &[&'static str]) -> Reported {
        // Said at the end: a misspelt key explains why the right one is missing.
        self.missing.push(keys.to_vec());
        Reported
    }

    /// Reports a mistake of the value at `key`, or of the table if there is no such key.
    pub(super) fn fail(&self, key: &'static str, message: impl Into<String>) -> Reported {
        self.report.error(self.path_of(key), Spot::Value, message)
    }

    /// Reports a mistake of the table as a whole.
    pub(super) fn fail_here(&self, message: impl Into<String>) -> Reported {
        self.report.error(self.path.clone(), Spot::Key, message)
    }

    /// Reports something about the value at `key` that is allowed but should be thought about.
    pub(super) fn warn(&self, key: &'static str, message: impl Into<String>) {
        self.report.warning(self.path_of(key), message);
    }

    /// Reports something about the table as a whole that should be thought about.
    pub(super) fn warn_here(&self, message: impl Into<String>) {
        self.report.warning(self.path.clone(), message);
    }

    /// Returns whether the table has `key`, so that no default stands in for it.
    pub(super) fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Returns the way to `key`, for messages.
    pub(super) fn path_of(&self, key: &'static str) -> KeyPath {
        self.find(key).map_or_else(|| self.path.absent(key), |item| item.path)
    }

    /// Accepts every key that is there.
    pub(super) fn accept_all(&mut self) {
        self.accepts_all = true;
    }

    fn take(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.known.push(key);
        self.find(key)
    }

    fn find(&self, key: &str) -> Option<Item<'a>> {
        let index = self.entries.iter().position(|(name, _)| name == key)?;
        let (name, node) = self.entries.get(index)?;
        Some(Item { path: self.path.entry(name, index), node, report: self.report })
    }

    fn finish(mut self) {
        let mut seen = BTreeSet::new();
        for (index, (key, _)) in self.entries.iter().enumerate() {
            // Without a blank after its colon, a key holds the password that follows, and a secret
            // may stand in any table by mistake.
            let hides = self.path.is_near_secrets() || !looks_like_key(key);
            let is_known = self.accepts_all || self.known.iter().any(|known| known == key);
            let shown = if hides && !is_known { "…" } else { key };
            let path = self.path.entry(shown, index);
            if !seen.insert(key) {
                self.report.error(path, Spot::Key, "duplicate key; remove one");
            } else if !is_known {
                let message = self.unknown(key);
                self.report.error(path, Spot::Key, message);
            }
        }
        for keys in self.missing {
            match keys.as_slice() {
                [key] => {
                    let message = "required, but missing";
                    self.report.error(self.path.absent(key), Spot::Key, message);
                }
                several => {
                    let message = format!("one of {} is required", list_of(several));
                    self.report.error(self.path.clone(), Spot::Key, message);
                }
            }
        }
    }

    /// Says what an unknown key may have been meant to be; a missing key that it explains is not
    /// reported in its own right.
    fn unknown(&mut self, key: &str) -> String {
        let free = self.known.iter().copied().filter(|known| !self.has(known));
        if let Some(meant) = similar(key, free) {
            self.missing.retain(|keys| !keys.contains(&meant));
            format!("unknown key; did you mean `{meant}`?")
        } else {
            format!("unknown key; known here: {}", list_of(&self.known))
        }
    }
}

/// Returns the name that `text` was probably meant to be.
pub(super) fn similar<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let similar = names
        .map(|name| (strsim::jaro_winkler(text, name), name))
        .filter(|(similarity, _)| *similarity > SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    similar.map(|(_, name)| name)
}

/// Returns whether a text is spelt as our keys are.
fn looks_like_key(text: &str) -> bool {
    let fits = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '_');
    (1..=40).contains(&text.len()) && text.chars().all(fits)
}

fn list_of(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
