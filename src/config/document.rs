//! The YAML text as a tree.
//!
//! The parser is `serde_yaml`, here and nowhere else. The tree keeps duplicate keys and the order
//! of the entries: a duplicate is then reported along with all other mistakes, and every entry
//! can be found again by its position (see `locate`).

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor},
};

use super::errors::Place;

/// A value of the document. It has no `Debug` because it may hold a secret.
pub(super) enum Node {
    /// No value: `key:` or `null`.
    Nothing,
    Flag(bool),
    Whole(i64),
    /// Any other number, those beyond 64 bits included.
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
    /// A value with a tag of its own (`!tag`), which means nothing here.
    Tagged,
}

/// Why a text is not YAML.
pub(super) struct SyntaxError {
    pub(super) place: Option<Place>,
    pub(super) message: String,
}

/// Parses a text of one YAML document.
pub(super) fn parse(text: &str) -> Result<Node, SyntaxError> {
    serde_yaml::from_str(text).map_err(|error| {
        let place = error.location().map(|at| Place { line: at.line(), column: at.column() });
        let mut message = error.to_string();
        if let Some(Place { line, column }) = place {
            // The place leads the line already.
            message = message.replacen(&format!(" at line {line} column {column}"), "", 1);
        }
        SyntaxError { place, message: format!("not valid YAML: {message}") }
    })
}

impl Node {
    /// Says what kind of value this is, without its content.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Flag(_) => "true or false",
            Self::Whole(_) | Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Tagged => "a value with a `!tag`",
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(i64::try_from(number).map_or(Node::Number(number as f64), Node::Whole))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Node, E> {
        Ok(Node::Number(number as f64))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Node, E> {
        Ok(Node::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = access.next_entry::<Node, Node>()? {
            entries.push((key_text(key), value));
        }
        Ok(Node::Table(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Node, A::Error> {
        let (_tag, content) = access.variant::<String>()?;
        content.newtype_variant::<IgnoredAny>()?;
        Ok(Node::Tagged)
    }
}

/// A key as text. All keys we know are text; the others only have to look right in "unknown key".
fn key_text(key: Node) -> String {
    match key {
        Node::Text(text) => text,
        Node::Flag(flag) => flag.to_string(),
        Node::Whole(number) => number.to_string(),
        Node::Number(number) => number.to_string(),
        Node::Nothing | Node::List(_) | Node::Table(_) | Node::Tagged => key.kind().to_owned(),
    }
}
