//! What `wanctl check` asks the router: who it is, what its users may do, each queue, each row that
//! steering switches.

mod rows;

use tokio::time::{Instant, timeout_at};
use wanctl_core::steering::SteeringMode;

use super::report::{Line, State, Topic};
use crate::{
    config::{Config, Mode, RouterConfig, WanConfig},
    probe::ProbeMethodChoice,
    router::{Finding, Rights, Router, RouterError, Severity, Subject},
};

/// How to prove the right to write.
pub(super) const TRY_WRITE: &str =
    "`wanctl check --try-write` writes one limit with its present value";

/// The check of one router.
pub(super) struct Check<'a> {
    pub(super) config: &'a Config,
    /// The router's place in the configuration.
    pub(super) place: usize,
    pub(super) router: &'a Router,
    /// When the time is up.
    pub(super) until: Instant,
}

impl<'a> Check<'a> {
    /// Checks everything. The second value: whether the router answers at all.
    pub(super) async fn run(&self, try_write: bool) -> (Vec<Line>, bool) {
        let name = self.name();
        let facts = match self.within(self.router.inspect.facts()).await {
            Ok(facts) => facts,
            Err(problem) => {
                let mut lines = vec![problem.line(Topic::Router, name, State::Failed)];
                lines.extend(self.not_asked());
                return (lines, false);
            }
        };
        let by = self.router.inspect.transport().name();
        let settings = self.config.routers.get(self.place);
        let at = settings.map(|router| router.connection.described().0).unwrap_or_default();
        let about = format!(
            "{}, {}, RouterOS {}, answers by {by} at {at}",
            facts.identity, facts.board, facts.version
        );
        let mut lines = vec![Line::ok(Topic::Router, name, about)];
        lines.extend(self.rights().await);
        lines.extend(self.queues().await);
        lines.extend(self.switches().await);
        lines.extend(self.interfaces().await);
        if try_write {
            lines.push(self.write().await);
        }
        (lines, true)
    }

    /// What the router is called in lines: its name only if there are several.
    fn name(&self) -> String {
        let only = RouterConfig::ONLY;
        if self.router.name == only {
            only.to_owned()
        } else {
            format!("{only} {}", self.router.name)
        }
    }

    fn wans(&self) -> impl Iterator<Item = &'a WanConfig> {
        let place = self.place;
        self.config.wans.iter().filter(move |wan| wan.router == place)
    }

    async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, RouterError>>,
    ) -> Result<T, RouterProblem> {
        let answer = timeout_at(self.until, answer).await.map_err(|_| RouterProblem::Late)?;
        answer.map_err(|error| {
            let remedy = self.router.inspect.remedy(&error.fault);
            RouterProblem::Router(error, remedy)
        })
    }

    /// Returns whether each user of the router may do what is needed.
    async fn rights(&self) -> Vec<Line> {
        let steers = self.config.steering.as_ref().map(|steering| steering.params.mode);
        let needed = Rights {
            writes: self.config.control.mode == Mode::Active
                || steers == Some(SteeringMode::Active),
            pings: self.wans().any(|wan| wan.probe.method == ProbeMethodChoice::RouterPing),
        };
        match self.within(self.router.inspect.rights(needed)).await {
            Ok(findings) => findings.iter().map(|finding| self.finding_line(finding)).collect(),
            Err(problem) => {
                let subject = format!("rights on the {}", self.name());
                vec![problem.line(Topic::Router, subject, State::Unknown).remedy(TRY_WRITE)]
            }
        }
    }

    fn finding_line(&self, finding: &Finding) -> Line {
        match &finding.subject {
            Subject::User(user) => {
                line_of(Topic::Router, &format!("router user `{user}`"), finding)
            }
            Subject::Router | Subject::Queue(_) => line_of(Topic::Router, &self.name(), finding),
        }
    }
}

/// Makes a line of a finding. Rights that cannot be seen are proven by a write.
fn line_of(topic: Topic, subject: &str, finding: &Finding) -> Line {
    let Finding { severity, subject: about, text, remedy } = finding;
    let line = match severity {
        Severity::Ok => Line::ok(topic, subject, &**text),
        Severity::Warning => Line::warning(topic, subject, &**text),
        Severity::Unknown => Line::unknown(topic, subject, &**text),
        Severity::Fatal => Line::failed(topic, subject, &**text),
    };
    match remedy {
        Some(remedy) => line.remedy(&**remedy),
        None if matches!((severity, about), (Severity::Unknown, Subject::User(_))) => {
            line.remedy(TRY_WRITE)
        }
        None => line,
    }
}

/// Why something is not known.
enum RouterProblem {
    /// The error, and its remedy.
    Router(RouterError, &'static str),
    Late,
}

impl RouterProblem {
    fn line(&self, topic: Topic, subject: impl Into<String>, state: State) -> Line {
        match self {
            Self::Late => Line::unknown(
                topic,
                subject,
                "not checked: the time limit of the check was reached",
            )
            .remedy("find out why the router answers so slowly, then check again"),
            Self::Router(error, remedy) => {
                let what = error.to_string();
                let line = match state {
                    State::Failed => Line::failed(topic, subject, what),
                    State::Warning => Line::warning(topic, subject, what),
                    State::Unknown | State::Ok => Line::unknown(topic, subject, what),
                };
                line.remedy(*remedy)
            }
        }
    }
}
