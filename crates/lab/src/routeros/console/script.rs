//! What a command line says, once it has been read.

use super::super::place::Place;

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

/// What stands behind a command.
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
