//! What `wanctl check` found, as data: one line for each thing that was looked at.

use std::path::Path;

use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};

use crate::cli::{EXIT_FAILURE, EXIT_WARNINGS};

/// Version of the report's JSON shape, which is `docs/check.schema.json`.
const SCHEMA: u32 = 1;

/// What was found about one thing.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub(super) enum State {
    /// It was looked at, and it is as it should be.
    Ok,
    /// It could not be looked at, so nothing is known about it.
    Unknown,
    /// wanctl works, but not as well as it could.
    Warning,
    /// wanctl cannot do its work.
    Failed,
}

impl State {
    pub(super) const ALL: &'static [Self] = Self::VARIANTS;

    pub(super) fn name(self) -> &'static str {
        self.into()
    }
}

/// The part of the set-up that a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Topic {
    /// Configuration file.
    Configuration,
    /// This host: history, listen address.
    Host,
    /// The router itself and its users.
    Router,
    /// A queue on the router.
    Queue,
    /// A row on the router that steering switches.
    Steering,
    /// The local end of a WAN's probes, and how many reflectors answer.
    Wan,
    /// A reflector, probed as its WAN is probed.
    Reflector,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    pub(super) topic: Topic,
    /// What it is, such as ``queue tree `wan-download` ``.
    pub(super) subject: String,
    pub(super) state: State,
    /// What was found.
    pub(super) what: String,
    /// What to do about it, unless all is well.
    pub(super) remedy: Option<String>,
}

impl Line {
    fn new(
        topic: Topic,
        subject: impl Into<String>,
        state: State,
        what: impl Into<String>,
    ) -> Self {
        Self { topic, subject: subject.into(), state, what: what.into(), remedy: None }
    }

    pub(super) fn ok(topic: Topic, subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(topic, subject, State::Ok, what)
    }

    pub(super) fn unknown(
        topic: Topic,
        subject: impl Into<String>,
        what: impl Into<String>,
    ) -> Self {
        Self::new(topic, subject, State::Unknown, what)
    }

    pub(super) fn warning(
        topic: Topic,
        subject: impl Into<String>,
        what: impl Into<String>,
    ) -> Self {
        Self::new(topic, subject, State::Warning, what)
    }

    pub(super) fn failed(
        topic: Topic,
        subject: impl Into<String>,
        what: impl Into<String>,
    ) -> Self {
        Self::new(topic, subject, State::Failed, what)
    }

    /// Adds what to do about it.
    pub(super) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

/// What it all comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// Everything was looked at, and all is well.
    Ready,
    /// wanctl can work; something is not as it should be, or could not be looked at.
    Warnings,
    /// wanctl cannot do its work.
    NotReady,
}

impl Verdict {
    /// Returns the exit code that says so.
    pub(super) const fn exit_code(self) -> u8 {
        match self {
            Self::Ready => 0,
            Self::NotReady => EXIT_FAILURE,
            Self::Warnings => EXIT_WARNINGS,
        }
    }
}

/// Everything that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Report {
    schema_version: u32,
    version: &'static str,
    /// Configuration file.
    pub(super) config: String,
    /// Whether only the file was looked at.
    pub(super) offline: bool,
    pub(super) verdict: Verdict,
    pub(super) lines: Vec<Line>,
    /// What no line is about, and how to try it.
    pub(super) not_tried: Vec<String>,
}

impl Report {
    pub(super) fn new(
        config: &Path,
        offline: bool,
        lines: Vec<Line>,
        not_tried: Vec<String>,
    ) -> Self {
        let worst = lines.iter().map(|line| line.state).max();
        let verdict = match worst {
            Some(State::Failed) => Verdict::NotReady,
            Some(State::Warning | State::Unknown) => Verdict::Warnings,
            Some(State::Ok) | None => Verdict::Ready,
        };
        Self {
            schema_version: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            config: config.display().to_string(),
            offline,
            verdict,
            lines,
            not_tried,
        }
    }

    /// Returns how many lines are in `state`.
    pub(super) fn count(&self, state: State) -> usize {
        self.lines.iter().filter(|line| line.state == state).count()
    }
}
