//! What can go wrong between us and a router, told so that a person can mend it.

use std::time::Duration;

/// A failed conversation with a router, by the kind of remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouterError {
    /// No TCP connection came about.
    #[error("cannot connect to {url}: {cause}")]
    Connect {
        /// The router.
        url: String,
        /// What the operating system says.
        cause: String,
    },
    /// The TLS handshake failed.
    #[error("the certificate of {url} is not trusted: {cause}")]
    Tls {
        /// The router.
        url: String,
        /// What the verifier says.
        cause: String,
    },
    /// No answer came in time.
    #[error("{url} gave no answer to {operation} within {after:?}")]
    Timeout {
        /// The router.
        url: String,
        /// What was asked.
        operation: &'static str,
        /// The deadline.
        after: Duration,
    },
    /// The connection broke in the middle.
    #[error("{url} broke the connection during {operation}: {cause}")]
    Broken {
        /// The router.
        url: String,
        /// What was asked.
        operation: &'static str,
        /// What the HTTP client says.
        cause: String,
    },
    /// The router refused the credentials.
    #[error("{url} refuses user `{user}` (401 Unauthorized)")]
    Unauthorized {
        /// The router.
        url: String,
        /// The user.
        user: String,
    },
    /// The user may not do this.
    #[error("{url} does not permit {operation}: {detail}")]
    Forbidden {
        /// The router.
        url: String,
        /// What was asked.
        operation: &'static str,
        /// The router's own words.
        detail: String,
    },
    /// There is no such queue.
    #[error("{url} has no queue named `{queue}`")]
    NoSuchQueue {
        /// The router.
        url: String,
        /// The name in the configuration.
        queue: String,
    },
    /// The router said no for another reason.
    #[error("{url} rejects {operation}: {status} {detail}")]
    Rejected {
        /// The router.
        url: String,
        /// What was asked.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
        /// The router's own words.
        detail: String,
    },
    /// The answer is not what RouterOS answers; it may still be booting.
    #[error("{url} answers {operation} with something unexpected: {cause}")]
    Unparsable {
        /// The router.
        url: String,
        /// What was asked.
        operation: &'static str,
        /// What is wrong with it.
        cause: String,
    },
}

impl RouterError {
    /// Returns a short stable word for labels.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "connect",
            Self::Tls { .. } => "tls",
            Self::Timeout { .. } => "timeout",
            Self::Broken { .. } => "broken",
            Self::Unauthorized { .. } => "unauthorized",
            Self::Forbidden { .. } => "forbidden",
            Self::NoSuchQueue { .. } => "no_such_queue",
            Self::Rejected { .. } => "rejected",
            Self::Unparsable { .. } => "unparsable",
        }
    }

    /// All values of [`RouterError::kind`].
    pub const KINDS: [&'static str; 9] = [
        "connect",
        "tls",
        "timeout",
        "broken",
        "unauthorized",
        "forbidden",
        "no_such_queue",
        "rejected",
        "unparsable",
    ];

    /// Returns what a person can do about it.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Connect { .. } => {
                "check router.url, that the router is on, and that `/ip/service` has www-ssl (or www) \
                 enabled and open to this host"
            }
            Self::Tls { .. } => {
                "give the router's certificate in router.fingerprint_sha256, or its authority in \
                 router.ca_file"
            }
            Self::Timeout { .. } | Self::Broken { .. } => {
                "wanctl keeps trying; if it stays, look at the router's CPU load and its log"
            }
            Self::Unauthorized { .. } => {
                "check router.user and its password, and that the user's group has the policies \
                 api, rest-api, read and write; just after a boot the router says this for a while"
            }
            Self::Forbidden { .. } => {
                "give the user's group the policies api, rest-api, read and write"
            }
            Self::NoSuchQueue { .. } => {
                "create it under `/queue/tree`, or correct the queue's name in the configuration"
            }
            Self::Rejected { .. } => "see the router's log; the queue may have been edited",
            Self::Unparsable { .. } => {
                "wanctl keeps trying; if it stays, check that router.url leads to RouterOS 7"
            }
        }
    }
}
