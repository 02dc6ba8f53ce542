//! What a RouterOS says about itself, what its users may do, and how its queues are made.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
};

use futures_util::future::BoxFuture;

use super::{
    TransportChoice,
    client::RouterOs,
    faults, findings, idle,
    queues::Kind,
    transport::{Menu, Row},
};
use crate::router::{
    Finding, Inspect, QueueRef, Reply, Rights, RouterError, RouterFacts, RouterFault, RouterText,
    Severity, Subject, Transport,
};

/// What a user needs for requests over REST.
const REST: [&str; 2] = ["api", "rest-api"];

impl Inspect for RouterOs {
    fn transport(&self) -> Transport {
        self.control.transport()
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Rest, Transport::Ssh]
    }

    fn target(&self) -> String {
        self.control.target()
    }

    fn remedy(&self, fault: &RouterFault) -> &'static str {
        faults::remedy(fault)
    }

    fn check_alive(&self) -> Option<BoxFuture<'static, bool>> {
        self.control.check_alive()
    }

    fn facts(&self) -> Reply<'_, RouterFacts> {
        Box::pin(async {
            let first = |rows: Vec<Row>| rows.into_iter().next().unwrap_or_default();
            let resource = first(self.statistics.print(Menu::Resource, &[]).await?);
            let identity = first(self.statistics.print(Menu::Identity, &[]).await?);
            let known = ["version", "uptime", "board-name", "cpu-load"];
            // After a boot another menu's row may come.
            if known.iter().all(|property| resource.text(property).is_none()) {
                return Err(self.booting("a router without version, uptime and name".to_owned()));
            }
            let text = |row: &Row, property, unknown| {
                RouterText::words(row.text(property).unwrap_or(unknown))
            };
            Ok(RouterFacts {
                identity: text(&identity, "name", "a router without a name"),
                board: text(&resource, "board-name", "an unnamed board"),
                version: text(&resource, "version", "of an unknown version"),
                uptime: resource.span("uptime"),
                cpu_percent: resource.count("cpu-load"),
                flash_sectors_written: resource.count("write-sect-total"),
            })
        })
    }

    fn findings(&self) -> Reply<'_, Vec<Finding>> {
        Box::pin(async {
            let facts = self.facts().await?;
            let mut findings = findings::findings(&*self.statistics, &facts, &self.queues).await?;
            self.sides.forget();
            findings.extend(self.targets().await?);
            Ok(findings)
        })
    }

    fn idle_queues(&self) -> Reply<'_, Vec<Finding>> {
        Box::pin(async {
            let now = idle::read_counters(&*self.statistics).await?;
            let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
            let before = counters.replace(now.clone());
            Ok(before.map_or_else(Vec::new, |before| idle::compare(&before, &now, &self.queues)))
        })
    }

    fn rights(&self, needed: Rights) -> Reply<'_, Vec<Finding>> {
        Box::pin(async move {
            let mut findings = Vec::new();
            for (user, needed) in self.needed_policies(needed) {
                findings.push(match self.policies_of(&user).await {
                    Ok((group, granted)) => compared(user, &needed, &group, &granted),
                    Err(error) => {
                        let text = format!(
                            "needs the policies {}; whether its group has them cannot be seen \
                             ({error}), and no write was tried",
                            listed(&needed)
                        );
                        Finding::new(Severity::Unknown, Subject::User(user), text)
                    }
                });
            }
            Ok(findings)
        })
    }

    fn describe_queue<'a>(&'a self, queue: &'a QueueRef) -> Reply<'a, Finding> {
        Box::pin(async move {
            let kind = Kind::of(queue);
            let (place, properties): (_, &'static [&'static str]) = match kind {
                Kind::Tree => ("parent", &[".id", "name", "parent", "queue"]),
                Kind::Simple => ("target", &[".id", "name", "target", "queue"]),
            };
            let rows = self.control.print(kind.menu(), properties).await?;
            let of_queue = |severity, text: String| {
                Finding::new(severity, Subject::Queue(queue.clone()), text)
            };
            let Some(row) = rows.iter().find(|row| row.text("name") == Some(queue.name())) else {
                return Ok(of_queue(Severity::Fatal, "went away while it was checked".to_owned()));
            };
            if let Err(why) = row.id() {
                let why = format!("its limit cannot be written: {}", RouterText::from(why));
                return Ok(of_queue(Severity::Fatal, why)
                    .remedy("remove the queue and add it again; if it stays, reboot the router"));
            }
            let known = self.control.print(Menu::QueueType, &["name", "kind"]).await?;
            let place = RouterText::words(row.text(place).unwrap_or_default());
            let types = types(row.text("queue").unwrap_or_default(), &known);
            Ok(of_queue(Severity::Ok, format!("under `{place}`, type {types}")))
        })
    }
}

/// Describes the queue types that a queue names, once each; two for a simple queue whose directions
/// differ.
fn types(queue: &str, known: &[Row]) -> String {
    let mut names: Vec<&str> = queue.split('/').filter(|name| !name.is_empty()).collect();
    names.dedup();
    let described = names.into_iter().map(|name| {
        let row = known.iter().find(|row| row.text("name") == Some(name));
        let name = RouterText::words(name);
        match row.and_then(|row| row.text("kind")).map(RouterText::words) {
            Some(kind) => format!("`{name}` of kind {kind}"),
            None => format!("`{name}`, of which the router shows no kind"),
        }
    });
    let described: Vec<String> = described.collect();
    if described.is_empty() { "not shown".to_owned() } else { described.join(" and ") }
}

impl RouterOs {
    /// Returns which policies each user needs.
    fn needed_policies(&self, needed: Rights) -> BTreeMap<String, BTreeSet<&'static str>> {
        let settings = &self.settings;
        // That SSH answers proves the policy `ssh`, and there one user does everything.
        let is_rest = settings.transport != TransportChoice::Ssh;
        let rest: &[&'static str] = if is_rest { &REST } else { &[] };
        let pings = settings.pings.as_ref().filter(|_| is_rest);
        let mut users: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
        let mut need = |user: &str, policies: &[&'static str]| {
            let of_user = users.entry(user.to_owned()).or_default();
            of_user.extend(rest);
            of_user.extend(policies);
        };
        need(settings.main_user(), &["read"]);
        if needed.writes {
            need(settings.main_user(), &["write"]);
        }
        if let Some(statistics) = settings.statistics.as_ref().filter(|_| is_rest) {
            need(&statistics.user, &["read"]);
        }
        match pings {
            Some(pings) => need(&pings.user, &["test"]),
            None if needed.pings => need(settings.main_user(), &["test"]),
            None => {}
        }
        users
    }

    /// Returns the group of a user and the group's policies: `read`, `write`, `rest-api` and so on.
    ///
    /// # Errors
    /// [`RouterFault::NotFound`] if there is no such user or group; any other [`RouterError`].
    async fn policies_of(&self, user: &str) -> Result<(RouterText, BTreeSet<String>), RouterError> {
        let missing = |what: String| {
            RouterFault::NotFound(what.into()).at(self.control.target(), "looking for policies")
        };
        let users = self.control.print(Menu::User, &["name", "group"]).await?;
        let row = users.iter().find(|row| row.text("name") == Some(user));
        let group = row.and_then(|row| row.text("group"));
        let group = group.ok_or_else(|| missing(format!("the group of user `{user}`")))?;
        let groups = self.control.print(Menu::UserGroup, &["name", "policy"]).await?;
        let row = groups.iter().find(|row| row.text("name") == Some(group));
        let policy = row.and_then(|row| row.text("policy"));
        let policy = policy.ok_or_else(|| missing(format!("the group `{group}`")))?;
        // REST separates by commas and lists what is missing as `!write`, the console by
        // semicolons.
        let named = policy.split([',', ';']).map(str::trim);
        let granted = named.filter(|name| !name.is_empty() && !name.starts_with('!'));
        Ok((RouterText::words(group), granted.map(str::to_owned).collect()))
    }
}

/// Compares what a user needs with what its group grants.
fn compared(
    user: String,
    needed: &BTreeSet<&str>,
    group: &RouterText,
    granted: &BTreeSet<String>,
) -> Finding {
    let missing: BTreeSet<&str> =
        needed.iter().copied().filter(|name| !granted.contains(*name)).collect();
    let of_user = |severity, text| Finding::new(severity, Subject::User(user), text);
    if missing.is_empty() {
        let text = format!("its group `{group}` has the policies {}", listed(needed));
        return of_user(Severity::Ok, text);
    }
    let missing = listed(&missing);
    let remedy = format!("give the group `{group}` the policy {missing}");
    of_user(Severity::Fatal, format!("its group `{group}` lacks the policy {missing}"))
        .remedy(remedy)
}

fn listed(names: &BTreeSet<&str>) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
