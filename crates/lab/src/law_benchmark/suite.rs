//! The scenarios that laws are compared on by default.

use std::time::Duration;

use wanctl_core::{PerDirection, units::BitRate};

use super::scenario::{LEAD_IN, Scenario, saturated};
use crate::{
    generate::{Conditions, cable, dsl, lte, outage, path_change, starlink, steady, step},
    link::ProbePath,
    traffic::{CongestionControl, Demand, GREEDY, Phase, Traffic, Web},
};

/// A scenario that can be made.
#[derive(Debug, Clone, Copy)]
pub struct SuiteEntry {
    /// Its name, as on the command line and in tables.
    pub name: &'static str,
    /// What happens, in a few words.
    pub about: &'static str,
    /// Makes it; equal seeds make equal scenarios.
    pub make: fn(seed: u64) -> Scenario,
}

impl SuiteEntry {
    /// Makes the scenario with this seed.
    #[must_use]
    pub fn scenario(&self, seed: u64) -> Scenario {
        let scenario = (self.make)(seed).with_seed(seed);
        Scenario { name: self.name.to_owned(), ..scenario }
    }

    /// Returns the scenario's entry, if there is one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SUITE.iter().find(|entry| entry.name == name)
    }
}

/// Mean of an exponential that exceeds 40 ms once in a hundred times.
const STRAYS: Duration = Duration::from_micros(8_700);

/// All of them. The longest come first, so that no core is left with one at the end. Outages, whose
/// delay no law can avoid, are short of a twentieth of the time: a p95 is of what a law can do.
pub const SUITE: &[SuiteEntry] = &[
    SuiteEntry {
        name: "idle-jitter",
        about: "an idle hour; probes of p99 +40 ms and 2 % loss",
        make: |_| {
            let link = steady(mbps(50.0, 50.0));
            scenario(link, [TRICKLE; 2], 3600).with_probes(STRAYS, 0.02)
        },
    },
    SuiteEntry {
        name: "cable-evening",
        about: "250/25 Mbit/s that sag in the evening, 10 minutes long; request-grant jitter",
        make: |seed| {
            let link = cable(mbps(250.0, 25.0), secs(600), seed);
            scenario(link, [full(), full()], 600).with_probes(Duration::from_millis(2), 0.001)
        },
    },
    SuiteEntry {
        name: "dsl-resync",
        about: "100/40 Mbit/s that synchronise anew, lower, after some seconds of nothing",
        make: |seed| scenario(dsl(mbps(100.0, 40.0), secs(600), seed), [full(), full()], 600),
    },
    SuiteEntry {
        name: "starlink",
        about: "up to 200/20 Mbit/s, another satellite every 15 s",
        make: |seed| {
            let link = starlink(mbps(200.0, 20.0), secs(180), seed);
            scenario(link, [full(), full()], 180).with_probes(Duration::from_millis(2), 0.005)
        },
    },
    SuiteEntry {
        name: "lte",
        about: "40/15 Mbit/s on the move, saturated both ways",
        make: |seed| cell([full(), full()], 120, seed),
    },
    SuiteEntry {
        name: "lte-bursts",
        about: "the same cell; downloads of 10 s with 10 s of browsing between them",
        make: |seed| {
            let mut scenario = cell([Demand::None; 2], 120, seed);
            let phase = |download| Phase { lasts: secs(10), download, upload: TRICKLE };
            let phases = vec![phase(TRICKLE), phase(full())];
            scenario.link.traffic = Traffic::new(phases).with_web(WEB);
            scenario
        },
    },
    SuiteEntry {
        name: "steady",
        about: "100/20 Mbit/s that never move, saturated both ways",
        make: |_| scenario(steady(mbps(100.0, 20.0)), [full(), full()], 60),
    },
    SuiteEntry {
        name: "steady-download",
        about: "the same, the download alone",
        make: |_| scenario(steady(mbps(100.0, 20.0)), [full(), TRICKLE], 60),
    },
    SuiteEntry {
        name: "steady-jitter",
        about: "the download alone again; probes of p99 +40 ms, as in the air",
        make: |_| {
            scenario(steady(mbps(100.0, 20.0)), [full(), TRICKLE], 60).with_probes(STRAYS, 0.005)
        },
    },
    SuiteEntry {
        name: "steady-bbr",
        about: "saturated both ways again, by BBR instead of Cubic",
        make: |_| {
            let bbr = Demand::Greedy { flows: 4, control: CongestionControl::Bbr };
            scenario(steady(mbps(100.0, 20.0)), [bbr, bbr], 60)
        },
    },
    SuiteEntry {
        name: "step",
        about: "50 -> 20 -> 50 Mbit/s both ways, saturated both ways",
        make: |_| drop_of_15_s([full(), full()]),
    },
    SuiteEntry {
        name: "step-download",
        about: "the same, the download alone",
        make: |_| drop_of_15_s([full(), TRICKLE]),
    },
    SuiteEntry {
        name: "step-upload",
        about: "the same, the upload alone",
        make: |_| drop_of_15_s([TRICKLE, full()]),
    },
    SuiteEntry {
        name: "step-bypass",
        about: "the same; probes do not see the provider's queue",
        make: |_| {
            let mut scenario = drop_of_15_s([full(), full()]);
            scenario.link.probes = ProbePath::Bypass;
            scenario
        },
    },
    SuiteEntry {
        name: "outage",
        about: "50/20 Mbit/s under load, and nothing at all for 5 s",
        make: |_| {
            let link = outage(mbps(50.0, 20.0), [20, 25, 180].map(secs));
            scenario(link, [full(), full()], 180)
        },
    },
    SuiteEntry {
        name: "path-change",
        about: "idle; the way becomes 100 ms longer and stays so",
        make: |_| {
            let [near, far] = [20, 120].map(Duration::from_millis);
            let link = path_change(mbps(50.0, 20.0), near, secs(60), far);
            scenario(link, [TRICKLE; 2], 180)
        },
    },
    SuiteEntry {
        name: "path-change-loaded",
        about: "the same under load",
        make: |_| {
            let [near, far] = [20, 120].map(Duration::from_millis);
            let link = path_change(mbps(50.0, 20.0), near, secs(60), far);
            scenario(link, [full(), TRICKLE], 180)
        },
    },
    SuiteEntry {
        name: "browsing",
        about: "a cable in the evening; a video and web pages, never all there is",
        make: |seed| {
            let link = cable(mbps(100.0, 10.0), secs(300), seed);
            let video = Demand::from(BitRate::from_mbps(12.0));
            let mut made =
                scenario(link, [video, TRICKLE], 300).with_probes(Duration::from_millis(2), 0.001);
            made.link.traffic = made.link.traffic.with_web(WEB);
            made
        },
    },
];

/// Background traffic of an unused link.
const TRICKLE: Demand = Demand::Limited(BitRate::from_bps(300_000));
/// A user who opens a page every few seconds.
const WEB: Web = Web { every: Duration::from_secs(4), bytes: 1_500_000 };

fn full() -> Demand {
    GREEDY.into()
}

fn mbps(download: f64, upload: f64) -> PerDirection<BitRate> {
    PerDirection { download: BitRate::from_mbps(download), upload: BitRate::from_mbps(upload) }
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn scenario(link: Conditions, [download, upload]: [Demand; 2], seconds: u64) -> Scenario {
    let duration = secs(seconds);
    let traffic = Traffic::new(saturated(PerDirection { download, upload }, duration));
    Scenario::new("", link, traffic, duration)
}

fn cell(demand: [Demand; 2], seconds: u64, seed: u64) -> Scenario {
    scenario(lte(mbps(40.0, 15.0), secs(seconds), seed), demand, seconds)
        .with_base_rtt(Duration::from_millis(50))
        .with_probes(Duration::from_millis(4), 0.005)
}

fn drop_of_15_s(demand: [Demand; 2]) -> Scenario {
    let times = [20, 35, 60].map(|seconds| secs(seconds) + LEAD_IN);
    scenario(step(mbps(50.0, 50.0), mbps(20.0, 20.0), times), demand, 65)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use wanctl_core::Limits;

    #[test]
    fn every_scenario_is_whole_and_named_once() {
        let names: BTreeSet<_> = SUITE.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), SUITE.len());
        for entry in SUITE {
            let made = entry.scenario(3);
            assert_eq!((made.name.as_str(), made.link.seed), (entry.name, 3));
            for (_, params) in made.params.directions.each() {
                let Limits { floor, base, ceiling } = params.unwrap().limits;
                assert!(BitRate::ZERO < floor && floor <= base && base <= ceiling, "{}", made.name);
            }
        }
    }
}
