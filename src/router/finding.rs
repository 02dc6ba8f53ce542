//! What a check of a router's configuration finds.

use std::fmt;

use super::{QueueRef, RouterText};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is as it should be.
    Ok,
    /// It works, with a disadvantage.
    Warning,
    /// It could not be checked.
    Unknown,
    /// It keeps wanctl from working.
    Fatal,
}

impl Severity {
    /// The severities of what should be known, the worst first.
    pub const PROBLEMS: [Self; 3] = [Self::Fatal, Self::Warning, Self::Unknown];

    /// Returns the name used in labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Fatal => "fatal",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The router as a whole.
    Router,
    /// One of its users.
    User(String),
    /// A queue, whichever direction of it is named.
    Queue(QueueRef),
}

impl Subject {
    /// Returns whether this is about `queue`.
    #[must_use]
    pub fn is_queue(&self, queue: &QueueRef) -> bool {
        matches!(self, Self::Queue(about) if about.is_same_queue(queue))
    }
}

/// Something about a router that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// What was found; it names the subject.
    pub text: RouterText,
    /// What to do about it.
    pub remedy: Option<RouterText>,
}

impl Finding {
    /// Creates a finding without a remedy.
    #[must_use]
    pub fn new(severity: Severity, subject: Subject, text: impl Into<RouterText>) -> Self {
        Self { severity, subject, text: text.into(), remedy: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn remedy(self, remedy: impl Into<RouterText>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// Returns whether it keeps wanctl from working.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.severity == Severity::Fatal
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}
