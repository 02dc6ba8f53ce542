//! The laws that are compared, by name.

use std::time::Duration;

use wanctl_core::{DirectionParams, LawName, PerDirection, Wan, WanParams, units::MonoTime};

use crate::{
    controller::{Controller, RecordingController, limits},
    reference::{FixedRates, MedianVote, Oracle, Proportional, ProportionalParams, percentile},
    trace::Trace,
};

/// What a law may know of a scenario before it begins; the capacity is only for references that no
/// controller can be.
#[derive(Debug, Clone, Copy)]
pub struct ScenarioFacts<'a> {
    /// How wanctl would be configured.
    pub params: &'a WanParams,
    /// The true capacity.
    pub capacity: &'a PerDirection<Trace>,
    /// How long the scenario lasts.
    pub span: Duration,
    /// The seed of whatever a law draws.
    pub seed: u64,
}

/// A law with its name.
#[derive(Debug, Clone, Copy)]
pub struct Law {
    /// The name, as on the command line and in tables.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// Makes a controller with the law.
    pub controller: fn(&ScenarioFacts<'_>) -> Box<dyn Controller>,
}

/// Every law, in the order in which they are compared.
pub const LAWS: &[Law] = &[
    Law {
        name: "adaptive",
        about: "the default law",
        controller: |facts| ours(facts, LawName::Adaptive),
    },
    Law {
        name: "adaptive-v1",
        about: "the adaptive law of the first edition, with its default parameters",
        // The product's adaptive law is still that of the first edition.
        controller: |facts| ours(facts, LawName::Adaptive),
    },
    Law {
        name: "zone",
        about: "a state for each range of delay, as wanctl 1.7 had",
        controller: |facts| ours(facts, LawName::Zone),
    },
    Law {
        name: "fixed",
        about: "keeps the base rate",
        controller: |facts| ours(facts, LawName::Fixed),
    },
    Law {
        name: "proportional-reference",
        about: "cuts by the mean delay, raises gated by load",
        controller: |facts| {
            Box::new(Proportional::new(limits(facts.params), ProportionalParams::default()))
        },
    },
    Law {
        name: "proportional-tuned",
        about: "the same at the best of many settings",
        controller: |facts| {
            Box::new(Proportional::new(limits(facts.params), ProportionalParams::tuned()))
        },
    },
    Law {
        name: "median-vote-reference",
        about: "one delay by vote, and rates that were safe once",
        controller: |facts| Box::new(MedianVote::new(limits(facts.params), facts.seed)),
    },
    Law {
        name: "fixed-p5",
        about: "keeps the capacity that the link has for 95 % of the time",
        controller: |facts| fixed_share(facts, 0.05),
    },
    Law {
        name: "fixed-p50",
        about: "keeps the capacity that the link has for half of the time",
        controller: |facts| fixed_share(facts, 0.5),
    },
    Law {
        name: "oracle",
        about: "knows the capacity, which no controller can",
        controller: |_| Box::new(Oracle::default()),
    },
];

impl Law {
    /// Returns the law with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        LAWS.iter().find(|law| law.name == name)
    }

    /// Returns what a configuration asks for, which may be one law for each direction. It is known
    /// by the law's own name, or as `configured` if there are two.
    #[must_use]
    pub fn configured(params: &WanParams) -> Self {
        let mut laws: Vec<_> =
            params.directions.present().map(|(_, params)| params.law.name()).collect();
        laws.dedup();
        let name = if let [law] = laws.as_slice() { law.name() } else { "configured" };
        let controller = |facts: &ScenarioFacts<'_>| wan(facts.params);
        Self { name, about: "what the configuration asks for", controller }
    }
}

/// One law for both directions, as it is configured where it is, and as it usually is elsewhere.
fn ours(facts: &ScenarioFacts<'_>, name: LawName) -> Box<dyn Controller> {
    let mut params = *facts.params;
    for (direction, DirectionParams { limits, law }) in params.directions.present_mut() {
        if law.name() != name {
            *law = name.default_law(direction, limits);
        }
    }
    wan(&params)
}

fn wan(params: &WanParams) -> Box<dyn Controller> {
    Box::new(RecordingController::new(Wan::new(params, MonoTime::ZERO)))
}

/// The rates that the capacity is below for this share of the time.
fn fixed_share(facts: &ScenarioFacts<'_>, share: f64) -> Box<dyn Controller> {
    Box::new(FixedRates(PerDirection::build(|direction| {
        percentile(&facts.capacity[direction], facts.span, share)
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        law_benchmark::{Scenario, runner::observe},
        trace::Recording,
    };
    use wanctl_core::units::BitRate;

    #[test]
    fn every_law_steers_a_link_and_ours_are_named_as_in_the_configuration() {
        for name in LawName::ALL {
            assert!(Law::named(name.name()).is_some(), "{}", name.name());
        }
        let download = Trace::steady(BitRate::from_mbps(5.0));
        let recording = Recording { download, upload: None, base_rtt_steps: Vec::new() };
        let scenario = Scenario {
            duration: Duration::from_secs(8),
            ..Scenario::of_recording("steady", recording)
        };
        for law in LAWS {
            let record = observe(law, &scenario);
            let last = record.cycles.last().unwrap();
            // A third of what the link carries in three seconds.
            assert!(last.delivered.download > 600_000, "{}: {last:?}", law.name);
            let at_capacity = scenario.capacity.download.mean();
            match law.name {
                "fixed-p5" | "fixed-p50" => assert_eq!(last.enforced.download, at_capacity),
                "oracle" => assert!(last.enforced.download < at_capacity),
                _ => assert!(last.enforced.download > BitRate::ZERO),
            }
        }
    }
}
