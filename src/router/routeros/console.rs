//! The RouterOS console over SSH: what is said to it, and what its answers mean.
//!
//! Its exit status is always 0, and an error is text like any other. So every command line ends by
//! printing a mark, which is missing after an error.
//!
//! ```text
//! command line ──► ssh ──► output ──► checked by its mark ──► rows, spelt as over REST
//! ```

mod answer;
mod quote;
mod spelling;

use std::{net::IpAddr, time::Duration};

use super::{
    faults::fault_of_words,
    json::Keep,
    transport::{Menu, Request, Row, RowId, interval},
};
use crate::router::{PingFrom, RouterFault, RouterText};

use quote::{is, quoted};

/// How the user name asks for a console that leaves the output alone: no colours, a dumb
/// terminal, no questions to it, and a wide one, since lines are broken at its width.
///
/// 512 columns is what the documentation shows. More is not needed: rows as JSON come on one line
/// that is put together again, and as text each value has its own line.
pub(super) const OPTIONS: &str = "+cet512w";

/// How rows are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `:serialize to=json`, since RouterOS 7.16.
    Json,
    /// Line by line, for older versions.
    Text,
}

/// A command line with its mark, which must not be used twice.
#[derive(Debug)]
pub(super) struct CommandLine {
    text: String,
    mark: String,
    dialect: Dialect,
    keep: Keep,
}

impl CommandLine {
    /// Builds the command line for `request`; `nonce` makes its mark unmistakable.
    pub(super) fn new(request: Request<'_>, dialect: Dialect, nonce: u64) -> Self {
        let mark = format!("OK-{nonce:016x}");
        let keep = request.keep();
        let (before, rows) = match request {
            Request::Print(menu, properties) => (String::new(), Rows::of(menu, properties)),
            Request::Set { menu, id, property, value } => {
                // A row is never addressed by `[find]`, which is content to find nothing.
                let path = menu.path();
                let value = quoted(console_word(value));
                let set = format!("{path}/set {id} {property}={value}; ");
                (set, Rows::One(format!("{path}/get {id}")))
            }
            Request::Find { menu, property, value } => {
                let print = format!("{}/print as-value proplist=.id", menu.path());
                (String::new(), Rows::Many(format!("{print} where {}", is(property, value))))
            }
            Request::Remove { menu, ids } => {
                let ids: Vec<&str> = ids.iter().map(RowId::as_str).collect();
                // What there is to see afterwards is that the mark is printed.
                let remove = format!("{}/remove {}; ", menu.path(), ids.join(","));
                (remove, Rows::None)
            }
            Request::Ping(address, from, wait) => {
                (String::new(), Rows::Many(ping(address, from, wait)))
            }
        };
        let shown = match dialect {
            Dialect::Json => rows.as_json(),
            Dialect::Text => rows.as_text(&mark),
        };
        Self { text: format!("{before}{shown}; :put \"{mark}\""), mark, dialect, keep }
    }

    /// Returns what is sent.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Reads the rows from everything that was printed.
    ///
    /// # Errors
    /// What the router complained of, [`RouterFault::Reset`] if it said nothing to the end, or
    /// [`RouterFault::Unparsable`].
    pub(super) fn rows(&self, output: &str) -> Result<Vec<Row>, RouterFault> {
        let body = self.body(output)?;
        let rows = match self.dialect {
            Dialect::Json => answer::from_json(body, self.keep),
            Dialect::Text => answer::from_text(body, &self.mark),
        };
        rows.map_err(|cause| RouterFault::Unparsable(cause.into()))
    }

    /// Returns what was printed before the mark.
    fn body<'a>(&self, output: &'a str) -> Result<&'a str, RouterFault> {
        let printed = output.trim_end();
        match printed.strip_suffix(&*self.mark) {
            Some(body) if body.is_empty() || body.ends_with(['\n', '\r']) => Ok(body),
            _ => Err(complaint(printed)),
        }
    }
}

/// The rows that a command is to print: its expression.
enum Rows {
    One(String),
    Many(String),
    None,
}

impl Rows {
    fn of(menu: Menu, properties: &[&str]) -> Self {
        let path = menu.path();
        if menu.is_singleton() {
            Self::One(format!("{path}/get"))
        } else {
            Self::Many(format!("{path}/print as-value proplist={}", properties.join(",")))
        }
    }

    fn as_json(&self) -> String {
        let (Self::One(command) | Self::Many(command)) = self else { return ":put \"[]\"".into() };
        // Without the option a queue named `007` would come back as the number 7.
        format!(":put [:serialize to=json options=json.no-string-conversion [{command}]]")
    }

    /// Prints every value on a line of its own, behind the mark: values may hold anything, but
    /// hardly a mark that was made up this moment.
    fn as_text(&self, mark: &str) -> String {
        let row = |values: &str| {
            let value = format!(":put (\"{mark} \" . $k . \"=\" . [:tostr $v])");
            format!(":put \"{mark} row\"; :foreach k,v in={values} do={{{value}}}")
        };
        match self {
            Self::One(command) => row(&format!("[{command}]")),
            Self::Many(command) => format!(":foreach r in=[{command}] do={{{}}}", row("$r")),
            Self::None => ":put \"\"".to_owned(),
        }
    }
}

fn ping(address: IpAddr, from: &PingFrom, wait: Duration) -> String {
    let source = from.source.map(|source| format!(" src-address={source}")).unwrap_or_default();
    let interface = from.interface.as_deref();
    let interface = interface.map(|name| {
        if name.is_ascii() {
            format!(" interface={}", quoted(name))
        } else {
            format!(" interface=[/interface/find where {}]", is("name", name))
        }
    });
    let interface = interface.unwrap_or_default();
    let wait = interval(wait).map(|wait| format!(" interval={wait}")).unwrap_or_default();
    format!("/ping address={address} count=1 as-value{source}{interface}{wait}")
}

/// Truth values have other names on the console than over REST.
fn console_word(value: &str) -> &str {
    match value {
        "true" => "yes",
        "false" => "no",
        other => other,
    }
}

/// How complaints of the console begin.
const ERROR_TEXTS: [&str; 16] = [
    "bad command name",
    "bad parameter",
    "expected ",
    "syntax error",
    "no such item",
    "no such command",
    "not enough permissions",
    "failure:",
    "std failure:",
    "invalid ",
    "input does not match",
    "value of ",
    "ambiguous value",
    "unknown parameter",
    "missing ",
    "action timed out",
];

/// Makes a fault of an output that ended without its mark.
fn complaint(printed: &str) -> RouterFault {
    let mut lines = printed.lines().map(str::trim).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else {
        return RouterFault::Reset("the command ended without a word".into());
    };
    let is_complaint = |line: &&str| ERROR_TEXTS.iter().any(|words| line.starts_with(words));
    // Whatever was printed before the complaint is not part of it.
    let words = std::iter::once(first).chain(lines).find(is_complaint).unwrap_or(first);
    if words.starts_with("syntax error") {
        RouterFault::UnknownParameter(RouterText::words(words))
    } else if words.starts_with("ambiguous value") {
        RouterFault::Ambiguous(RouterText::words(words))
    } else {
        fault_of_words(words)
    }
}

#[cfg(test)]
mod tests;
