//! A request of the REST API: its credentials, path, filters and arguments; and the errors that
//! RouterOS answers with.

use std::collections::BTreeMap;

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;

/// Credentials come padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A request that could be read.
#[derive(Debug)]
pub(super) struct ApiRequest {
    pub(super) method: Method,
    /// Decoded segments of the path below `/rest/`.
    pub(super) segments: Vec<String>,
    /// Decoded filters and dot-words of the query, in their order.
    pub(super) query: Vec<(String, String)>,
    pub(super) arguments: Arguments,
}

/// The object in a request's body.
#[derive(Debug, Default)]
pub(super) struct Arguments(BTreeMap<String, Value>);

impl ApiRequest {
    /// Reads a request; `path`, without its leading `/rest/`, and `query` are still encoded.
    pub(super) fn read(
        method: Method,
        path: &str,
        query: &str,
        plus_is_space: bool,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Self, ApiError> {
        // RouterOS does not decode the one character that every identifier begins with.
        if path.to_ascii_uppercase().contains("%2A") {
            return Err(ApiError::bad("no such command prefix"));
        }
        // A plus sign stays a plus sign, unless a quirk makes it a space.
        let decode = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
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
            return Err(ApiError::bare(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        };
        Ok(Self { method, segments, query, arguments })
    }
}

pub(super) fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    let text = String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':').filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    Some((name.to_owned(), password.to_owned()))
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

impl Arguments {
    fn read(body: &[u8]) -> Result<Self, ApiError> {
        let unreadable = || ApiError::bad("Failed to parse json");
        if has_exponent(body) {
            return Err(unreadable());
        }
        serde_json::from_slice(body).map(Self).map_err(|_| unreadable())
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

    /// Refuses what no command has taken out.
    pub(super) fn require_empty(self) -> Result<(), ApiError> {
        match self.into_pairs()?.first() {
            Some((unknown, _)) => Err(ApiError::unknown_parameter(unknown)),
            None => Ok(()),
        }
    }

    /// Returns what remains as texts; refuses values that are no text, number or truth value.
    pub(super) fn into_pairs(self) -> Result<Vec<(String, String)>, ApiError> {
        let pair = |(name, value): (String, Value)| match text(&value) {
            Some(value) => Ok((name, value)),
            None => Err(ApiError::invalid_value(&name)),
        };
        self.0.into_iter().map(pair).collect()
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Returns whether a number in `body` has an exponent, which RouterOS does not read.
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

/// An HTTP status and, mostly, the sentence that explains it, in the words of RouterOS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    status: StatusCode,
    detail: Option<String>,
}

impl ApiError {
    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, detail: Some(detail.into()) }
    }

    pub(super) fn forbidden(detail: &str) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, detail: Some(detail.to_owned()) }
    }

    /// A status without an explanation.
    pub(super) const fn bare(status: StatusCode) -> Self {
        Self { status, detail: None }
    }

    pub(super) const fn not_found() -> Self {
        Self::bare(StatusCode::NOT_FOUND)
    }

    /// No credentials, a wrong password, or a user who may not use REST: all look the same.
    pub(super) const fn unauthorised() -> Self {
        Self::bare(StatusCode::UNAUTHORIZED)
    }

    /// Too many requests at once, or a verb that the web server does not offer.
    pub(super) const fn unavailable() -> Self {
        Self::bare(StatusCode::SERVICE_UNAVAILABLE)
    }

    /// The path, or the verb at its end, means nothing from `word` on.
    pub(super) fn no_such_command(word: &str) -> Self {
        Self::bad(format!("no such command or directory ({word})"))
    }

    pub(super) fn no_such_item() -> Self {
        Self::bad("no such item")
    }

    /// A change without an identifier and, misleadingly, one without the policy.
    pub(super) fn no_identifier() -> Self {
        Self::bad("missing or invalid resource identifier")
    }

    /// A change to a row that the router made itself. The failure is confirmed, its text inferred.
    pub(super) fn dynamic() -> Self {
        Self::bad("failure: can not change dynamic entry")
    }

    pub(super) fn unknown_parameter(name: &str) -> Self {
        Self::bad(format!("unknown parameter {name}"))
    }

    pub(super) fn missing(argument: &str) -> Self {
        Self::bad(format!("missing ={argument}="))
    }

    pub(super) fn invalid_value(property: &str) -> Self {
        Self::bad(format!("invalid value for argument {property}"))
    }

    pub(super) fn invalid_time(argument: &str) -> Self {
        Self::bad(format!("invalid time value for argument {argument}"))
    }

    pub(super) fn no_match(property: &str) -> Self {
        Self::bad(format!("input does not match any value of {property}"))
    }

    pub(super) fn session_closed() -> Self {
        Self::bad("Session closed")
    }

    /// Returns the sentence, which is all that the console prints; empty if there is none.
    pub(super) fn words(&self) -> &str {
        self.detail.as_deref().unwrap_or_default()
    }

    /// Returns the error with the status that older versions gave to unknown commands.
    pub(super) fn into_older_words(mut self) -> Self {
        if self.words().starts_with("no such command") {
            self.status = StatusCode::NOT_ACCEPTABLE;
        }
        self
    }
}

/// The body of an error: the only place where RouterOS sends a number as a JSON number.
#[derive(Debug, Serialize)]
struct ErrorBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    error: u16,
    message: &'static str,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { status, detail } = self;
        let message = status.canonical_reason().unwrap_or_default();
        let body = ErrorBody { detail, error: status.as_u16(), message };
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"RouterOS\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_decoded_with_and_without_padding() {
        let pair = |(name, password): (&str, &str)| (name.to_owned(), password.to_owned());
        for (encoded, expected) in [
            ("Basic YWRtaW46c2VjcmV0", Some(("admin", "secret"))),
            ("basic YWRtaW46Pz8/", Some(("admin", "???"))),
            ("Basic YTpi", Some(("a", "b"))),
            ("Basic YTo=", Some(("a", ""))),
            ("Basic YTo", Some(("a", ""))),
            ("Basic YQ==", None),
            ("Basic YW*t", None),
            ("Bearer YTpi", None),
        ] {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, encoded.parse().unwrap())]);
            assert_eq!(credentials(&headers), expected.map(pair), "{encoded}");
        }
    }

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
            let headers = HeaderMap::new();
            let read = ApiRequest::read(Method::GET, encoded, encoded, false, &headers, b"");
            let read = read.unwrap();
            assert_eq!((&*read.segments[0], &*read.query[0].0), (clear, clear));
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
