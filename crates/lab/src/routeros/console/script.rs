//! A command line that has been read, and the values of the console, which have types.

use std::time::Duration;

use serde_json::Value;

use super::super::{menus::Place, values};

/// Something to do, which can have a value.
#[derive(Debug)]
pub(super) enum Action {
    /// `:put`: prints a value on a line.
    Put(Expression),
    /// `:error`: prints a text and ends everything.
    Error(Expression),
    /// `:len`: how many there are.
    Len(Expression),
    /// `:tostr`: the value as a text.
    ToText(Expression),
    /// `:serialize to=json`.
    Serialize { value: Expression, keeps_texts: bool },
    /// `:foreach`, with the name of the element, or those of its key and itself.
    ForEach { names: Vec<String>, of: Expression, body: Vec<Action> },
    /// A command of a menu.
    Menu { place: Place, verb: Verb, words: Words },
}

/// The commands of menus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Print,
    Get,
    Set,
    Enable,
    Disable,
    Find,
    Remove,
    Ping,
}

impl Verb {
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "print" => Self::Print,
            "get" => Self::Get,
            "set" => Self::Set,
            "enable" => Self::Enable,
            "disable" => Self::Disable,
            "find" => Self::Find,
            "remove" => Self::Remove,
            _ => return None,
        })
    }
}

/// The words behind a command.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Values without a name: rows, and for `get` a property.
    pub(super) unnamed: Vec<Expression>,
    /// Values with a name.
    pub(super) named: Vec<(String, Expression)>,
    /// Words that say how to print.
    pub(super) flags: Vec<String>,
    /// What rows must be like, all of it.
    pub(super) conditions: Vec<Condition>,
}

impl Words {
    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|word| word == flag)
    }
}

/// One thing that a row must be like.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) property: String,
    /// The value; without one it is a question of true or false.
    pub(super) value: Option<Expression>,
    /// Whether it must not be so.
    pub(super) negated: bool,
}

/// Something with a value.
#[derive(Debug)]
pub(super) enum Expression {
    Text(String),
    Variable(String),
    /// Texts one after the other: a quoted text with variables in it, or `(a . b)`.
    Join(Vec<Expression>),
    /// `[…]`.
    Of(Box<Action>),
}

/// Properties whose values are texts even when they look like something else.
const TEXTS: [&str; 12] = [
    "name",
    "comment",
    "parent",
    "queue",
    "packet-mark",
    "packet-marks",
    "version",
    "board-name",
    "new-routing-mark",
    "new-connection-mark",
    "new-packet-mark",
    "host",
];
const TIMES: [&str; 7] =
    ["uptime", "burst-time", "cake-rtt", "time", "min-rtt", "avg-rtt", "max-rtt"];

pub(super) fn typed(property: &str, text: &str) -> Value {
    if TEXTS.contains(&property) {
        return Value::from(text);
    }
    match values::time(text).filter(|_| TIMES.contains(&property)) {
        Some(span) => Value::from(clock(span)),
        None => guess(text),
    }
}

fn guess(text: &str) -> Value {
    match text {
        "true" | "false" => Value::from(text == "true"),
        _ => values::whole(text).map_or_else(|| Value::from(text), Value::from),
    }
}

/// Writes a value as `:put` does.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(";"),
        Value::Object(values) => {
            let pair = |(name, value): (&String, &Value)| format!("{name}={}", text(value));
            values.iter().map(pair).collect::<Vec<_>>().join(";")
        }
    }
}

/// Returns the value for JSON. Texts that look like numbers or flags become such, unless
/// `keeps_texts`.
pub(super) fn for_json(value: Value, keeps_texts: bool) -> Value {
    match value {
        Value::Null => Value::from(""),
        Value::String(text) if !keeps_texts => guess(&text),
        Value::Array(values) => values.into_iter().map(|v| for_json(v, keeps_texts)).collect(),
        Value::Object(values) => {
            values.into_iter().map(|(name, v)| (name, for_json(v, keeps_texts))).collect()
        }
        plain => plain,
    }
}

/// Returns the number of elements, or of the bytes of a text.
pub(super) fn len(value: &Value) -> usize {
    match value {
        Value::Array(values) => values.len(),
        Value::Object(values) => values.len(),
        plain => text(plain).len(),
    }
}

/// Returns keys and elements; a single value is a list of itself.
pub(super) fn elements(value: Value) -> Vec<(Value, Value)> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => (0_u64..).map(Value::from).zip(values).collect(),
        Value::Object(values) => values.into_iter().map(|(k, v)| (Value::from(k), v)).collect(),
        single => vec![(Value::from(0), single)],
    }
}

/// Writes a time as scripts see it: `1d07:44:20`, `00:00:00.013205`.
fn clock(span: Duration) -> String {
    let seconds = span.as_secs();
    let (weeks, days) = (seconds / 604_800, seconds / 86_400 % 7);
    let unit = |count: u64, unit: &str| {
        if count > 0 { format!("{count}{unit}") } else { String::new() }
    };
    let fraction = match span.subsec_micros() {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    let (hours, minutes, seconds) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let (weeks, days) = (unit(weeks, "w"), unit(days, "d"));
    format!("{weeks}{days}{hours:02}:{minutes:02}:{seconds:02}{fraction}")
}
