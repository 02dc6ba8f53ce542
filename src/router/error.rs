//! What can go wrong between wanctl and a router.

use std::time::Duration;

use super::RouterText;

/// A failed request to a router: where, what was asked, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{target}: {operation}: {fault}")]
pub struct RouterError {
    /// The router, as an URL.
    pub target: String,
    /// What was asked.
    pub operation: &'static str,
    /// What became of it.
    pub fault: RouterFault,
}

/// What became of a failed request, by the kind of remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouterFault {
    /// No connection came about.
    #[error("cannot connect: {0}")]
    Connect(RouterText),
    /// The router is not who it should be: wrong certificate or host key.
    #[error("its identity is not trusted: {0}")]
    Untrusted(RouterText),
    /// No answer came in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The connection broke in the middle.
    #[error("the connection broke: {0}")]
    Reset(RouterText),
    /// The router refused the credentials.
    #[error("user `{0}` is refused")]
    Unauthorized(RouterText),
    /// The user's group lacks a policy.
    #[error("not permitted: {0}")]
    Policy(RouterText),
    /// There is no such thing.
    #[error("not found: {0}")]
    NotFound(RouterText),
    /// There are several such things where one is meant.
    #[error("ambiguous: {0}")]
    Ambiguous(RouterText),
    /// There is exactly one, and it is not what it should be.
    #[error("not usable: {0}")]
    Unfit(RouterText),
    /// The router does not know a parameter: its version differs from what was expected.
    #[error("unknown parameter: {0}")]
    UnknownParameter(RouterText),
    /// The router has too much to do.
    #[error("overloaded: {0}")]
    Overloaded(RouterText),
    /// The router answers, but not yet what it should.
    #[error("still booting? {0}")]
    Booting(RouterText),
    /// The router said no for another reason.
    #[error("rejected: {0}")]
    Rejected(RouterText),
    /// The answer cannot be read.
    #[error("unreadable answer: {0}")]
    Unparsable(RouterText),
    /// Something else than the REST server of RouterOS 7 answers.
    #[error("this is no RouterOS 7 REST API: {0}")]
    NotRouterOs(RouterText),
}

impl RouterFault {
    /// All values of [`RouterFault::kind`].
    pub const KINDS: [&'static str; 15] = [
        "connect",
        "untrusted",
        "timeout",
        "reset",
        "unauthorized",
        "policy",
        "not_found",
        "ambiguous",
        "unfit",
        "unknown_parameter",
        "overloaded",
        "booting",
        "rejected",
        "unparsable",
        "not_routeros",
    ];

    /// Returns a short stable word for labels.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::Untrusted(_) => "untrusted",
            Self::Timeout(_) => "timeout",
            Self::Reset(_) => "reset",
            Self::Unauthorized(_) => "unauthorized",
            Self::Policy(_) => "policy",
            Self::NotFound(_) => "not_found",
            Self::Ambiguous(_) => "ambiguous",
            Self::Unfit(_) => "unfit",
            Self::UnknownParameter(_) => "unknown_parameter",
            Self::Overloaded(_) => "overloaded",
            Self::Booting(_) => "booting",
            Self::Rejected(_) => "rejected",
            Self::Unparsable(_) => "unparsable",
            Self::NotRouterOs(_) => "not_routeros",
        }
    }

    /// Returns whether the transport is at fault, so that another one may work.
    #[must_use]
    pub const fn is_transport_fault(&self) -> bool {
        match self {
            Self::Connect(_)
            | Self::Timeout(_)
            | Self::Reset(_)
            | Self::Overloaded(_)
            | Self::NotRouterOs(_) => true,
            // A wrong certificate is a matter for a person, not for another transport.
            Self::Untrusted(_)
            | Self::Unauthorized(_)
            | Self::Policy(_)
            | Self::NotFound(_)
            | Self::Ambiguous(_)
            | Self::Unfit(_)
            | Self::UnknownParameter(_)
            | Self::Booting(_)
            | Self::Rejected(_)
            | Self::Unparsable(_) => false,
        }
    }

    /// Returns whether it may pass by itself: a booting router answers 401 and other menus' rows for a
    /// while, and a confused one the 401 of another user.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Unauthorized(_) | Self::Booting(_))
    }

    /// Returns whether any other request would have failed in the same way.
    #[must_use]
    pub const fn concerns_all(&self) -> bool {
        self.is_transport_fault() || self.may_pass() || matches!(self, Self::Untrusted(_))
    }

    /// Completes the fault with where and what.
    #[must_use]
    pub fn at(self, target: impl Into<String>, operation: &'static str) -> RouterError {
        RouterError { target: target.into(), operation, fault: self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_where_what_and_why() {
        let error = RouterFault::Timeout(Duration::from_secs(3)).at("https://r", "setting a limit");
        assert_eq!(error.to_string(), "https://r: setting a limit: no answer within 3s");
    }
}
