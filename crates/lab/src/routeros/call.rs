//! Reading a request: its path, its filters and its arguments.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method, StatusCode, header};
use serde_json::Value;

use super::errors::Refusal;

/// A request that could be read.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Decoded segments of the path below `/rest/`.
    pub(super) segments: Vec<String>,
    /// Decoded filters and dot-words of the query, in their order.
    pub(super) query: Vec<(String, String)>,
    /// What the body says.
    pub(super) arguments: Arguments,
}

/// The object in a request's body.
#[derive(Debug, Default)]
pub(super) struct Arguments(BTreeMap<String, Value>);

impl Call {
    /// Reads a request; `path` is still encoded and without its leading `/rest/`, and so is
    /// `query`.
    ///
    /// # Errors
    /// Refuses encoded asterisks, and bodies that are not a JSON object.
    pub(super) fn read(
        method: Method,
        path: &str,
        query: &str,
        plus_is_space: bool,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Self, Refusal> {
        // RouterOS does not decode the one character that every identifier begins with.
        if path.to_ascii_uppercase().contains("%2A") {
            return Err(Refusal::bad("no such command prefix"));
        }
        let segments = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        };
        let query = if plus_is_space { query.replace('+', " ") } else { query.to_owned() };
        let query = query.split('&').filter(|part| !part.is_empty()).map(pair).collect();
        let arguments = if body.is_empty() {
            Arguments::default()
        } else if is_json(headers) {
            Arguments::read(body)?
        } else {
            return Err(Refusal::bare(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        };
        Ok(Self { method, segments, query, arguments })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

impl Arguments {
    fn read(body: &[u8]) -> Result<Self, Refusal> {
        if has_exponent(body) {
            return Err(Refusal::unreadable());
        }
        serde_json::from_slice(body).map(Self).map_err(|_| Refusal::unreadable())
    }

    /// Takes out a single value, if it is there.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).as_ref().and_then(text)
    }

    /// Takes out a list; one text counts as the list of its parts between `separator`s.
    pub(super) fn take_list(&mut self, name: &str, separator: Option<char>) -> Option<Vec<String>> {
        match (self.0.remove(name)?, separator) {
            (Value::Array(values), _) => Some(values.iter().filter_map(text).collect()),
            (value, Some(separator)) => {
                let parts = text(&value)?;
                Some(parts.split(separator).map(|part| part.trim().to_owned()).collect())
            }
            (value, None) => Some(text(&value).into_iter().collect()),
        }
    }

    /// Passes when everything has been taken out.
    ///
    /// # Errors
    /// Refuses what the command does not know.
    pub(super) fn require_empty(self) -> Result<(), Refusal> {
        match self.into_pairs()?.first() {
            Some((unknown, _)) => Err(Refusal::bad(format!("unknown parameter {unknown}"))),
            None => Ok(()),
        }
    }

    /// Returns what is left as texts.
    ///
    /// # Errors
    /// Refuses values that are not a text, a number or a truth value.
    pub(super) fn into_pairs(self) -> Result<Vec<(String, String)>, Refusal> {
        let pair = |(name, value): (String, Value)| match text(&value) {
            Some(value) => Ok((name, value)),
            None => Err(Refusal::invalid_value(&name)),
        };
        self.0.into_iter().map(pair).collect()
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Tells whether a number in `body` has an exponent, which is JSON, but not for RouterOS.
fn has_exponent(body: &[u8]) -> bool {
    let (mut in_text, mut before) = (false, b' ');
    for &byte in body {
        match byte {
            b'"' if before != b'\\' => in_text = !in_text,
            b'e' | b'E' if !in_text && (before.is_ascii_digit() || before == b'.') => return true,
            _ => {}
        }
        // An escaped backslash does not escape what follows it.
        before = if byte == b'\\' && before == b'\\' { b' ' } else { byte };
    }
    false
}

/// Decodes `%XX`. A plus sign stays a plus sign: RouterOS does not read it as a space.
fn decode(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).filter(|_| first == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_are_decoded_and_plus_signs_are_not() {
        for (encoded, clear) in [
            ("a%20b", "a b"),
            ("a+b", "a+b"),
            ("WAN%2F1", "WAN/1"),
            ("100%", "100%"),
            ("%zz", "%zz"),
            ("%C3%A4", "ä"),
        ] {
            assert_eq!(decode(encoded), clear);
        }
    }

    #[test]
    fn exponents_are_found_outside_of_texts_only() {
        for (body, found) in [
            (r#"{"a":1e3}"#, true),
            (r#"{"a":1.5E3}"#, true),
            (r#"{"a":"1e3"}"#, false),
            (r#"{"a":"\"1e3"}"#, false),
            (r#"{"a":"\\","b":1e3}"#, true),
            (r#"{"a":true,"b":false}"#, false),
        ] {
            assert_eq!(has_exponent(body.as_bytes()), found, "{body}");
        }
    }
}
