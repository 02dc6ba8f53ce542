//! A command line that has been read, and the values of the console, which have types.

use std::time::Duration;

use serde_json::{Map, Value as Json};

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

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Nothing,
    Flag(bool),
    Number(u64),
    Text(String),
    List(Vec<Value>),
    /// Keys and values in their order.
    Table(Vec<(String, Value)>),
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

impl Value {
    /// Gives the text of a property its type.
    pub(super) fn of(property: &str, text: &str) -> Self {
        if TEXTS.contains(&property) {
            return Self::Text(text.to_owned());
        }
        if TIMES.contains(&property)
            && let Some(span) = values::time(text)
        {
            return Self::Text(clock(span));
        }
        Self::guess(text)
    }

    fn guess(text: &str) -> Self {
        match text {
            "true" => Self::Flag(true),
            "false" => Self::Flag(false),
            _ => values::whole(text).map_or_else(|| Self::Text(text.to_owned()), Self::Number),
        }
    }

    /// Writes the value as `:put` does.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::List(values) => values.iter().map(Self::text).collect::<Vec<_>>().join(";"),
            Self::Table(values) => {
                let pair = |(name, value): &(String, Self)| format!("{name}={}", value.text());
                values.iter().map(pair).collect::<Vec<_>>().join(";")
            }
        }
    }

    /// Writes the value as JSON. Texts that look like numbers or flags become such, unless
    /// `keeps_texts`.
    pub(super) fn json(&self, keeps_texts: bool) -> Json {
        match self {
            Self::Nothing => Json::String(String::new()),
            Self::Flag(flag) => Json::Bool(*flag),
            Self::Number(number) => Json::from(*number),
            Self::Text(text) if keeps_texts => Json::String(text.clone()),
            Self::Text(text) => match Self::guess(text) {
                Self::Text(text) => Json::String(text),
                typed => typed.json(true),
            },
            Self::List(values) => values.iter().map(|value| value.json(keeps_texts)).collect(),
            Self::Table(values) => {
                let pair = |(name, value): &(String, Self)| (name.clone(), value.json(keeps_texts));
                Json::Object(values.iter().map(pair).collect::<Map<_, _>>())
            }
        }
    }

    /// Returns how many there are: elements, or characters of a text.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::List(values) => values.len(),
            Self::Table(values) => values.len(),
            Self::Flag(_) | Self::Number(_) | Self::Text(_) => self.text().len(),
        }
    }

    /// Returns keys and elements; what is no list is one of itself.
    pub(super) fn elements(self) -> Vec<(Self, Self)> {
        match self {
            Self::Nothing => Vec::new(),
            Self::List(values) => (0..).map(Self::Number).zip(values).collect(),
            Self::Table(values) => {
                values.into_iter().map(|(name, value)| (Self::Text(name), value)).collect()
            }
            single => vec![(Self::Number(0), single)],
        }
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
