//! The results of steering: latency with and without it, and how often it moved traffic.

use std::time::Duration;

use wanctl_core::units::MonoTime;

use super::packets::CallLatency;
use crate::text_table::aligned;

/// The results of one way to place latency-sensitive connections.
#[derive(Debug, Clone)]
pub struct SteeringResults {
    /// The name of the scenario.
    pub scenario: String,
    /// The name of the candidate.
    pub name: String,
    /// Latency on the default WAN.
    pub default: CallLatency,
    /// Latency with this candidate.
    pub steered: CallLatency,
    /// Latency on the better WAN of each second, which no candidate can know.
    pub oracle: CallLatency,
    /// How often only latency-sensitive connections were moved, in either direction.
    pub steers: u32,
    /// How often all traffic was moved, in either direction.
    pub failovers: u32,
    /// How long new connections used the alternate.
    pub away: Duration,
    /// When new connections changed their WAN, in either direction.
    pub changes: Vec<MonoTime>,
}

impl SteeringResults {
    /// Returns the share of the oracle's gain over the default WAN that was reached, of the p95 and of
    /// the useless packets; `None` where there is almost nothing to gain.
    pub(crate) fn shares(&self) -> [Option<f64>; 2] {
        let share = |of: fn(&CallLatency) -> f64, least: f64| {
            let [default, steered, oracle] = [&self.default, &self.steered, &self.oracle].map(of);
            (default - oracle >= least).then(|| (default - steered) / (default - oracle))
        };
        [share(|latency| latency.p95, 2.0), share(|latency| latency.useless, 0.001)]
    }
}

/// Returns the results as a table.
#[must_use]
pub fn table(all: &[SteeringResults]) -> String {
    let heading = [
        "scenario",
        "steered by",
        "p95 ms",
        "share",
        "useless %",
        "share",
        "steers",
        "failovers",
        "min away",
    ];
    let mut lines = vec![heading.map(str::to_owned)];
    lines.extend(all.iter().map(|results| {
        let latency = [results.default, results.steered, results.oracle];
        let [p95_share, useless_share] = results.shares().map(|share| match share {
            Some(share) => format!("{:.0} %", 100.0 * share),
            None => "-".to_owned(),
        });
        [
            results.scenario.clone(),
            results.name.clone(),
            latency.map(|latency| format!("{:.0}", latency.p95)).join(" / "),
            p95_share,
            latency.map(|latency| format!("{:.2}", 100.0 * latency.useless)).join(" / "),
            useless_share,
            results.steers.to_string(),
            results.failovers.to_string(),
            format!("{:.1}", results.away.as_secs_f64() / 60.0),
        ]
    }));
    aligned(&lines, &[0, 1])
}
