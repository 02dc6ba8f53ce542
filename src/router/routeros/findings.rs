//! Finds what keeps a router's queues from being shaped well.

use super::{
    faults,
    queues::{self, Kind},
    transport::{Menu, Row, RowTransport, optional},
};
use crate::router::{
    Finding, QueueRef, RouterError, RouterFacts, RouterFault, RouterText, Severity, Subject,
};

/// First version without the overflow in the REST server's JSON parser.
const SAFE: Version = Version(7, 20, 1);
/// First version that this client was built for.
const SUPPORTED: Version = Version(7, 16, 0);
/// The default bucket size of queue trees, in seconds at their limit. From it on, the shaper follows
/// a change of its rate late.
const LARGE_BUCKET: f64 = 0.1;
/// The action of a rule that lets connections skip most of the router.
const FASTTRACK: &str = "fasttrack-connection";
/// Trees are not deeper; a circle of parents ends here.
const DEEPEST: usize = 32;

/// What is asked of a queue. The console knows each menu's own properties only.
const fn properties(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Tree => &[
            ".id",
            "name",
            "parent",
            "packet-mark",
            "queue",
            "bucket-size",
            "bytes",
            "disabled",
            "invalid",
        ],
        Kind::Simple => {
            &[".id", "name", "target", "queue", "bucket-size", "bytes", "disabled", "invalid"]
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

impl Version {
    /// Reads `7.20.8 (stable)`, `7.21beta2`, `7.16`.
    fn parse(text: &str) -> Option<Self> {
        let number = text.split_ascii_whitespace().next()?;
        let mut parts = number.split('.').map(|part| {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part.get(..digits)?.parse().ok()
        });
        let mut next = || parts.next().unwrap_or(Some(0));
        Some(Self(next()?, next()?, next()?))
    }
}

/// Checks the router at the end of `transport` for what keeps `queues` from being shaped.
pub(super) async fn findings(
    transport: &dyn RowTransport,
    facts: &RouterFacts,
    queues: &[QueueRef],
) -> Result<Vec<Finding>, RouterError> {
    let mut findings: Vec<Finding> = version(facts).into_iter().collect();
    let mut bypassed: Vec<(&QueueRef, &str)> = Vec::new();
    let types = transport.print(Menu::QueueType, &["name", "kind", "cake-bandwidth"]).await?;
    for kind in Kind::ALL {
        // Both directions of a simple queue are one queue.
        let mut of_kind: Vec<&QueueRef> = Vec::new();
        for queue in queues.iter().filter(|queue| Kind::of(queue) == kind) {
            if !of_kind.iter().any(|known| known.is_same_queue(queue)) {
                of_kind.push(queue);
            }
        }
        if of_kind.is_empty() {
            continue;
        }
        let rows = transport.print(kind.menu(), properties(kind)).await?;
        for queue in of_kind {
            findings.extend(check_queue(queue, kind, &rows, &types));
            let row = queues::find(queue, &rows).ok();
            let why = row.and_then(|row| bypass(kind, row, &rows));
            bypassed.extend(why.map(|why| (queue, why)));
        }
    }
    if !bypassed.is_empty() {
        for family in [IPV4, IPV6] {
            findings.extend(fasttracked(transport, family, &bypassed).await?);
        }
    }
    Ok(findings)
}

/// Returns which of the `bypassed` queues `FastTrack` takes connections of a family past.
async fn fasttracked(
    transport: &dyn RowTransport,
    family: Family,
    bypassed: &[(&QueueRef, &str)],
) -> Result<Vec<Finding>, RouterError> {
    let Family { name, filter, .. } = family;
    let path = filter.path();
    let unreadable = match is_fasttracking(transport, family).await {
        Ok(false) => return Ok(Vec::new()),
        Ok(true) => None,
        Err(RouterError { fault: RouterFault::Policy(words), .. }) => Some(words),
        Err(error) => return Err(error),
    };
    let finding = |(queue, why): &(&QueueRef, &str)| match &unreadable {
        Some(words) => about(
            queue,
            Severity::Unknown,
            format!(
                "it is not known whether FastTrack takes {name} connections past {queue}: the \
                 router does not show {path} ({words})"
            ),
        )
        .remedy("give its user the policy `read`"),
        None => about(
            queue,
            Severity::Warning,
            format!("{queue} does not see {name} connections that FastTrack takes past it: {why}"),
        )
        .remedy(format!(
            "disable the rule with action fasttrack-connection in {path}, or use a queue tree \
             without packet marks whose parent is an interface"
        )),
    };
    Ok(bypassed.iter().map(finding).collect())
}

/// What decides whether `FastTrack` is at work in an address family.
#[derive(Debug, Clone, Copy)]
struct Family {
    name: &'static str,
    filter: Menu,
    settings: Menu,
    /// The flag of the settings that says whether it is at work, where the version has it.
    active: &'static str,
}

const IPV4: Family = Family {
    name: "IPv4",
    filter: Menu::Filter,
    settings: Menu::IpSettings,
    active: "ipv4-fasttrack-active",
};
/// Since RouterOS 7.18.
const IPV6: Family = Family {
    name: "IPv6",
    filter: Menu::Filter6,
    settings: Menu::Ipv6Settings,
    active: "ipv6-fasttrack-active",
};

/// Returns whether a `FastTrack` rule is active; a router without the firewall's menu has none.
async fn is_fasttracking(
    transport: &dyn RowTransport,
    family: Family,
) -> Result<bool, RouterError> {
    let rules = match transport.print(family.filter, &["action", "disabled", "invalid"]).await {
        Err(error)
            if error.fault.concerns_all() || matches!(error.fault, RouterFault::Policy(_)) =>
        {
            return Err(error);
        }
        answer => answer.unwrap_or_default(),
    };
    let fast = |row: &Row| {
        row.text("action") == Some(FASTTRACK) && !row.flag("disabled") && !row.flag("invalid")
    };
    if !rules.iter().any(fast) {
        return Ok(false);
    }
    let settings = optional(transport, family.settings, &[]).await?;
    let active = settings.first().and_then(|row| row.text(family.active).map(str::to_owned));
    Ok(!matches!(active.as_deref(), Some("false" | "no")))
}

/// Returns why `FastTrack` takes connections past a queue, if it does: past every simple queue, past
/// trees under `global`, and past those that wait for packet marks, since such connections skip the
/// rules that set them.
fn bypass(kind: Kind, row: &Row, trees: &[Row]) -> Option<&'static str> {
    if kind == Kind::Simple {
        return Some("it passes simple queues by");
    }
    if top_of(row, trees).starts_with("global") {
        return Some("it passes queue trees under `global` by");
    }
    let marks = row.text("packet-mark").unwrap_or_default();
    (!matches!(marks, "" | "no-mark"))
        .then_some("the queue waits for a packet mark, and FastTrack skips the rules that set it")
}

/// Returns what the tree that `row` belongs to hangs under.
fn top_of<'a>(row: &'a Row, trees: &'a [Row]) -> &'a str {
    let mut parent = row.text("parent").unwrap_or_default();
    for _ in 0..DEEPEST {
        let above = trees.iter().find(|tree| tree.text("name") == Some(parent));
        match above.and_then(|tree| tree.text("parent")) {
            Some(above) => parent = above,
            None => break,
        }
    }
    parent
}

fn version(facts: &RouterFacts) -> Option<Finding> {
    let version = &facts.version;
    let warning = |text: String| Finding::new(Severity::Warning, Subject::Router, text);
    match Version::parse(version) {
        None => Some(warning(format!("the version `{version}` is not one of RouterOS 7"))),
        Some(known) if known < SUPPORTED => Some(warning(format!(
            "RouterOS {version} is older than 7.16, which wanctl was built for"
        ))),
        Some(known) if known < SAFE => Some(
            warning(format!("RouterOS {version} has the REST overflow CVE-2025-10948"))
                .remedy("update to 7.20.1 or later"),
        ),
        Some(_) => None,
    }
}

fn check_queue(queue: &QueueRef, kind: Kind, rows: &[Row], types: &[Row]) -> Vec<Finding> {
    let row = match queues::find(queue, rows) {
        Ok(row) => row,
        Err(fault) => {
            let remedy = faults::remedy(&fault);
            return vec![about(queue, Severity::Fatal, fault.to_string()).remedy(remedy)];
        }
    };
    let mut findings = Vec::new();
    if row.flag("disabled") || row.flag("invalid") {
        let text = format!("{queue} is disabled or invalid and shapes nothing");
        findings.push(
            about(queue, Severity::Fatal, text)
                .remedy("enable it and check its parent and its type"),
        );
    }
    let is_counted = match kind {
        Kind::Tree => row.count("bytes").is_some(),
        Kind::Simple => row.pair("bytes").is_some(),
    };
    if !is_counted {
        let text = format!(
            "the router shows no count of bytes for {queue}, so what passes it is not known"
        );
        findings.push(
            about(queue, Severity::Warning, text)
                .remedy("compare its version with the supported ones"),
        );
    }
    let buckets = row.text("bucket-size").unwrap_or("0.1").split('/');
    let largest = buckets.filter_map(|text| text.parse::<f64>().ok()).fold(0.0, f64::max);
    if largest >= LARGE_BUCKET {
        let text = format!(
            "{queue} has bucket-size {largest}: that many seconds at full rate pass unshaped after \
             a pause"
        );
        findings
            .push(about(queue, Severity::Warning, text).remedy("0.01 to 0.05 keeps cuts sharp"));
    }
    for name in row.text("queue").unwrap_or_default().split('/') {
        findings.extend(check_type(queue, name, types));
    }
    findings.dedup();
    findings
}

fn check_type(queue: &QueueRef, name: &str, types: &[Row]) -> Option<Finding> {
    let row = types.iter().find(|row| row.text("name") == Some(name))?;
    let name = RouterText::words(name);
    if row.text("kind") != Some("cake") {
        let text = format!(
            "{queue} has the type `{name}`, which is not CAKE: it limits the rate, but one flow \
             can still delay another"
        );
        return Some(about(queue, Severity::Warning, text).remedy("give it a type of kind cake"));
    }
    let bandwidth = row.text("cake-bandwidth").unwrap_or("0");
    (bandwidth != "0").then(|| {
        let bandwidth = RouterText::words(bandwidth);
        let text = format!(
            "the type `{name}` of {queue} has cake-bandwidth {bandwidth}: under a queue it is a \
             second shaper or none at all"
        );
        about(queue, Severity::Warning, text).remedy("set it to 0 and leave the rate to max-limit")
    })
}

fn about(queue: &QueueRef, severity: Severity, text: String) -> Finding {
    Finding::new(severity, Subject::Queue(queue.clone()), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        for (text, version) in [
            ("7.20.8 (stable)", Version(7, 20, 8)),
            ("7.16", Version(7, 16, 0)),
            ("7.21beta2 (testing)", Version(7, 21, 0)),
        ] {
            assert_eq!(Version::parse(text), Some(version), "{text}");
        }
        assert_eq!(Version::parse("six"), None);
        assert!(Version(7, 9, 2) < Version(7, 20, 1));
    }
}
