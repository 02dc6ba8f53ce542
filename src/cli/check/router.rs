//! What `wanctl check` asks the router: who it is, what its users may do, each queue, each row that
//! steering switches.

mod rows;

use std::collections::BTreeSet;

use tokio::time::{Instant, timeout_at};
use wanctl_core::steering::SteeringMode;

use super::report::{Line, State, Topic};
use crate::{
    config::{Config, Mode, ProbeMethodChoice, TransportChoice},
    router::{Router as _, RouterError, routeros::RouterOs},
};

const ROUTER: &str = "router";
/// How to prove the right to write.
pub(super) const TRY_WRITE: &str = "`wanctl check --try-write` writes one limit as it already is";

/// Asks the router everything until `until`. The second value tells whether it answers at all.
pub(super) async fn ask(
    config: &Config,
    router: &RouterOs,
    try_write: bool,
    until: Instant,
) -> (Vec<Line>, bool) {
    let facts = match within(until, router.facts()).await {
        Ok(facts) => facts,
        Err(problem) => {
            let mut lines = vec![problem.line(Topic::Router, ROUTER, State::Failed)];
            lines.extend(rows::not_asked(config));
            return (lines, false);
        }
    };
    let by = router.transport().name();
    let about = format!(
        "{}, {}, RouterOS {}, answers by {by} at {} as user `{}`",
        facts.identity,
        facts.board,
        facts.version,
        config.router.url,
        main_user(config)
    );
    let mut lines = vec![Line::ok(Topic::Router, ROUTER, about)];
    lines.extend(policies(config, router, until).await);
    lines.extend(rows::queues(config, router, until).await);
    lines.extend(rows::switches(config, router, until).await);
    lines.extend(rows::interfaces(config, router, until).await);
    if try_write {
        lines.push(rows::write(config, router, until).await);
    }
    (lines, true)
}

/// Why something is not known.
enum RouterProblem {
    Router(RouterError),
    Late,
}

impl RouterProblem {
    fn line(&self, topic: Topic, subject: impl Into<String>, state: State) -> Line {
        match self {
            Self::Late => Line::unknown(topic, subject, "not looked at: the time for it was up")
                .remedy("see why the router answers so slowly, then check again"),
            Self::Router(error) => {
                let (what, remedy) = (error.to_string(), error.fault.remedy());
                let line = match state {
                    State::Failed => Line::failed(topic, subject, what),
                    State::Warning => Line::warning(topic, subject, what),
                    State::Unknown | State::Ok => Line::unknown(topic, subject, what),
                };
                line.remedy(remedy)
            }
        }
    }
}

async fn within<T>(
    until: Instant,
    answer: impl Future<Output = Result<T, RouterError>>,
) -> Result<T, RouterProblem> {
    timeout_at(until, answer).await.map_err(|_| RouterProblem::Late)?.map_err(RouterProblem::Router)
}

/// The user who reads and writes.
fn main_user(config: &Config) -> &str {
    match config.router.transport {
        TransportChoice::Rest | TransportChoice::Auto => &config.router.credentials.user,
        TransportChoice::Ssh => &config.router.ssh.user,
    }
}

/// What one user needs to be allowed.
struct Need<'a> {
    user: &'a str,
    policies: BTreeSet<&'static str>,
}

fn needs(config: &Config) -> Vec<Need<'_>> {
    let router = &config.router;
    // That SSH answers proves the policy `ssh`, and there one user does everything.
    let of_rest: &[&'static str] = match router.transport {
        TransportChoice::Rest | TransportChoice::Auto => &["api", "rest-api"],
        TransportChoice::Ssh => &[],
    };
    let steers = config.steering.as_ref().map(|steering| steering.params.mode);
    let writes = config.control.mode == Mode::Active || steers == Some(SteeringMode::Active);
    let pings = config.wans.iter().any(|wan| wan.probe.method == ProbeMethodChoice::RouterPing);
    let mut needs: Vec<Need<'_>> = Vec::new();
    let mut need =
        |user, policies: &[&'static str]| match needs.iter_mut().find(|need| need.user == user) {
            Some(need) => need.policies.extend(policies),
            None => needs.push(Need { user, policies: policies.iter().copied().collect() }),
        };
    let main = main_user(config);
    need(main, of_rest);
    need(main, &["read"]);
    if writes {
        need(main, &["write"]);
    }
    let of_their_own = router.transport != TransportChoice::Ssh;
    if let Some(statistics) = router.statistics.as_ref().filter(|_| of_their_own) {
        need(&statistics.user, &["api", "rest-api", "read"]);
    }
    match router.pings.as_ref().filter(|_| of_their_own) {
        Some(pinger) => need(&pinger.user, &["api", "rest-api", "test"]),
        None if pings => need(main, &["test"]),
        None => {}
    }
    needs
}

/// Tells whether each user's group has the policies that it needs.
async fn policies(config: &Config, router: &RouterOs, until: Instant) -> Vec<Line> {
    let mut lines = Vec::new();
    for Need { user, policies: needed } in needs(config) {
        let subject = format!("router user `{user}`");
        let needed_text = listed(needed.iter().copied());
        lines.push(match within(until, router.policies_of(user)).await {
            Err(problem) => {
                let why = match problem {
                    RouterProblem::Router(error) => error.to_string(),
                    RouterProblem::Late => "the time for it was up".to_owned(),
                };
                let what = format!(
                    "needs the policies {needed_text}; whether its group has them cannot be seen \
                     ({why}), and no write was tried"
                );
                Line::unknown(Topic::Router, subject, what).remedy(TRY_WRITE)
            }
            Ok(found) => {
                let missing = needed.iter().copied().filter(|name| !found.policies.contains(*name));
                let missing: Vec<&str> = missing.collect();
                let group = &found.group;
                if missing.is_empty() {
                    let what = format!("its group `{group}` has the policies {needed_text}");
                    Line::ok(Topic::Router, subject, what)
                } else {
                    let missing = listed(missing.into_iter());
                    let what = format!("its group `{group}` lacks the policy {missing}");
                    let remedy = format!("give the group `{group}` the policy {missing}");
                    Line::failed(Topic::Router, subject, what).remedy(remedy)
                }
            }
        });
    }
    lines
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
