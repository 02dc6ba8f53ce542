//! Looks for what keeps a router from being shaped well, and says it in plain words.

use super::{
    queues::{self, Kind},
    road::{Menu, Road, Row},
};
use crate::{
    config::QueueRef,
    router::{Finding, RouterError, RouterFacts, RouterFault, RouterText},
};

/// First version without the overflow in the REST server's JSON parser.
const SAFE: Version = Version(7, 20, 1);
/// First version that this client was built for.
const SUPPORTED: Version = Version(7, 16, 0);
/// Queue trees allow a burst of this many seconds at their limit, unless told otherwise; above
/// it the shaper answers a change of its rate late.
const LARGE_BUCKET: f64 = 0.1;
/// A FastTrack rule takes connections past simple queues and past trees under `global`.
const FASTTRACK: &str = "fasttrack-connection";

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

/// Surveys the router at the end of `road` for the configured `queues`.
///
/// # Errors
/// Any [`RouterError`].
pub(super) async fn survey(
    road: &dyn Road,
    facts: &RouterFacts,
    queues: &[QueueRef],
) -> Result<Vec<Finding>, RouterError> {
    const QUEUE: &[&str] = &[
        ".id",
        "name",
        "parent",
        "target",
        "queue",
        "bucket-size",
        "max-limit",
        "disabled",
        "invalid",
    ];
    let mut findings = version(facts);
    let types = road.print(Menu::QueueType, &["name", "kind", "cake-bandwidth"]).await?;
    for kind in Kind::ALL {
        if queues.iter().any(|queue| Kind::of(queue) == kind) {
            let rows = road.print(kind.menu(), QUEUE).await?;
            let of_kind = queues.iter().filter(|queue| Kind::of(queue) == kind);
            for queue in of_kind {
                findings.extend(judge_queue(queue, &rows, &types));
            }
        }
    }
    findings.dedup();
    if has_fasttrack(road).await? {
        let bypassed = "simple queues and queue trees under `global`";
        findings.push(warning(format!(
            "a FastTrack rule is active: its connections bypass {bypassed}; disable it, or hang \
             the queue trees under the interfaces"
        )));
    }
    Ok(findings)
}

/// Tells whether a FastTrack rule is active; a router without the firewall's menu has none.
async fn has_fasttrack(road: &dyn Road) -> Result<bool, RouterError> {
    let rules = match road.print(Menu::Filter, &["action", "disabled"]).await {
        Err(RouterError { fault: RouterFault::UnknownParameter(_), .. }) => return Ok(false),
        answer => answer?,
    };
    let fast = |row: &Row| row.text("action") == Some(FASTTRACK) && !row.flag("disabled");
    Ok(rules.iter().any(fast))
}

fn version(facts: &RouterFacts) -> Vec<Finding> {
    let told = &facts.version;
    match Version::parse(told) {
        None => vec![warning(format!("the version `{told}` is not one of RouterOS 7"))],
        Some(version) if version < SUPPORTED => {
            vec![warning(format!("RouterOS {told} is older than 7.16, which wanctl was built for"))]
        }
        Some(version) if version < SAFE => vec![warning(format!(
            "RouterOS {told} has the REST overflow CVE-2025-10948; update to 7.20.1 or later"
        ))],
        Some(_) => Vec::new(),
    }
}

fn judge_queue(queue: &QueueRef, rows: &[Row], types: &[Row]) -> Vec<Finding> {
    let row = match queues::find(queue, rows) {
        Ok(row) => row,
        Err(fault) => return vec![fatal(format!("{fault}; {}", fault.remedy()))],
    };
    let mut findings = Vec::new();
    if row.flag("disabled") || row.flag("invalid") {
        findings.push(fatal(format!(
            "{queue} is disabled or invalid and shapes nothing; enable it and check its parent and \
             its type"
        )));
    }
    let buckets = row.text("bucket-size").unwrap_or("0.1").split('/');
    let largest = buckets.filter_map(|text| text.parse::<f64>().ok()).fold(0.0, f64::max);
    if largest >= LARGE_BUCKET {
        findings.push(warning(format!(
            "{queue} has bucket-size {largest}: that many seconds at full rate pass unshaped after \
             a pause; 0.01 to 0.05 keeps cuts sharp"
        )));
    }
    for name in row.text("queue").unwrap_or_default().split('/') {
        findings.extend(judge_type(queue, name, types));
    }
    findings.dedup();
    findings
}

fn judge_type(queue: &QueueRef, name: &str, types: &[Row]) -> Option<Finding> {
    let row = types.iter().find(|row| row.text("name") == Some(name))?;
    let name = RouterText::words(name);
    if row.text("kind") != Some("cake") {
        return Some(warning(format!(
            "{queue} has the type `{name}`, which is not CAKE: it limits the rate, but one flow \
             can still delay another; give it a type of kind cake"
        )));
    }
    let bandwidth = row.text("cake-bandwidth").unwrap_or("0");
    (bandwidth != "0").then(|| {
        let bandwidth = RouterText::words(bandwidth);
        warning(format!(
            "the type `{name}` of {queue} has cake-bandwidth {bandwidth}: under a queue it is a \
             second shaper or none at all; set it to 0 and leave the rate to max-limit"
        ))
    })
}

fn fatal(text: String) -> Finding {
    Finding { is_fatal: true, text: text.into() }
}

fn warning(text: String) -> Finding {
    Finding { is_fatal: false, text: text.into() }
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
