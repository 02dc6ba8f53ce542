//! What calls felt, with steering and without, and what it cost.

use std::{fmt::Write as _, time::Duration};

use wanctl_core::units::MonoTime;

use super::packets::CallLatency;

/// What came of one way to send calls.
#[derive(Debug, Clone)]
pub struct SteeringResults {
    /// Where.
    pub setting: String,
    /// Who chose the WAN of new calls.
    pub name: String,
    /// What calls felt at home.
    pub default_wan: CallLatency,
    /// What they felt where they were sent.
    pub steered: CallLatency,
    /// What they would have felt on the better WAN of each second: nobody can know it.
    pub oracle: CallLatency,
    /// How often calls alone were moved, there or back.
    pub steers: u32,
    /// How often everything was moved, there or back.
    pub failovers: u32,
    /// How long new calls took the other WAN.
    pub away: Duration,
    /// When new calls took another WAN, there or back.
    pub changes: Vec<MonoTime>,
}

impl SteeringResults {
    /// Returns which share of what the oracle gains over home was gained, of the p95 and of the
    /// useless packets; `None` where there is next to nothing to gain.
    #[must_use]
    pub fn shares(&self) -> [Option<f64>; 2] {
        let share = |of: fn(&CallLatency) -> f64, least: f64| {
            let [default_wan, steered, oracle] =
                [&self.default_wan, &self.steered, &self.oracle].map(of);
            (default_wan - oracle >= least)
                .then(|| (default_wan - steered) / (default_wan - oracle))
        };
        [share(|latency| latency.p95, 2.0), share(|latency| latency.useless, 0.001)]
    }
}

/// Lays the figures out for people.
#[must_use]
pub fn table(all: &[SteeringResults]) -> String {
    let mut text = format!(
        "{:<26} {:<11} {:>17} {:>6} {:>22} {:>6} {:>6} {:>9} {:>8}\n",
        "setting",
        "steered by",
        "p95 ms",
        "share",
        "useless %",
        "share",
        "steers",
        "failovers",
        "min away"
    );
    for figures in all {
        let latency = [figures.default_wan, figures.steered, figures.oracle];
        let p95 = latency.map(|latency| format!("{:.0}", latency.p95)).join(" / ");
        let useless = latency.map(|latency| format!("{:.2}", 100.0 * latency.useless)).join(" / ");
        let [p95_share, useless_share] = figures.shares().map(|share| {
            share.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", 100.0 * share))
        });
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "{:<26} {:<11} {p95:>17} {p95_share:>6} {useless:>22} {useless_share:>6} {:>6} {:>9} \
             {:>8.1}",
            figures.setting,
            figures.name,
            figures.steers,
            figures.failovers,
            figures.away.as_secs_f64() / 60.0
        );
    }
    text
}
