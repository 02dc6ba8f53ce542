//! The answers of RouterOS to what it cannot or will not do, in its own words.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// A refusal: an HTTP status and, mostly, the sentence that explains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    detail: Option<String>,
}

/// The body: the only place where RouterOS sends a number as a JSON number.
#[derive(Debug, Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    error: u16,
    message: &'a str,
}

impl Refusal {
    /// A request that was understood and found wrong.
    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, detail: Some(detail.into()) }
    }

    /// A command for which the user's group lacks the policy.
    pub(super) fn forbidden(detail: &str) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, detail: Some(detail.to_owned()) }
    }

    /// Returns the sentence, which is all that the console says; empty if there is none.
    pub(super) fn words(&self) -> &str {
        self.detail.as_deref().unwrap_or_default()
    }

    /// A status that comes without an explanation.
    pub(super) const fn bare(status: StatusCode) -> Self {
        Self { status, detail: None }
    }

    /// The row named in the path does not exist.
    pub(super) const fn not_found() -> Self {
        Self::bare(StatusCode::NOT_FOUND)
    }

    /// Nobody, a wrong password, or a user who may not use REST: the answer does not tell which.
    pub(super) const fn unauthorised() -> Self {
        Self::bare(StatusCode::UNAUTHORIZED)
    }

    /// Too much at once, or a verb that the web server does not offer.
    pub(super) const fn unavailable() -> Self {
        Self::bare(StatusCode::SERVICE_UNAVAILABLE)
    }

    /// The path, or the verb at its end, means nothing from `word` on.
    pub(super) fn no_such_command(word: &str) -> Self {
        Self::bad(format!("no such command or directory ({word})"))
    }

    /// The answer to a change without an identifier, and, misleadingly, to one without the policy.
    pub(super) fn no_identifier() -> Self {
        Self::bad("missing or invalid resource identifier")
    }

    /// A change to a row that the router made itself. That it fails is confirmed, how it says so
    /// inferred.
    pub(super) fn dynamic() -> Self {
        Self::bad("failure: can not change dynamic entry")
    }

    /// Returns the refusal with the status that older versions gave to unknown commands.
    pub(super) fn into_older_words(mut self) -> Self {
        if self.detail.as_ref().is_some_and(|detail| detail.starts_with("no such command")) {
            self.status = StatusCode::NOT_ACCEPTABLE;
        }
        self
    }

    /// A value that cannot be read.
    pub(super) fn invalid_value(property: &str) -> Self {
        Self::bad(format!("invalid value for argument {property}"))
    }

    /// A value that names nothing that exists.
    pub(super) fn no_match(property: &str) -> Self {
        Self::bad(format!("input does not match any value of {property}"))
    }

    /// The router gave up on a command after its time limit.
    pub(super) fn session_closed() -> Self {
        Self::bad("Session closed")
    }

    /// A body that is not the JSON that RouterOS reads.
    pub(super) fn unreadable() -> Self {
        Self::bad("Failed to parse json")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, detail } = self;
        let message = status.canonical_reason().unwrap_or_default();
        let body = Body { detail: detail.as_deref(), error: status.as_u16(), message };
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"RouterOS\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
