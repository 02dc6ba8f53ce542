//! The laws that compete, by name.

use std::time::Duration;

use crate::{
    control::{Direction, LawKind, PerDirection, Wan, WanParams},
    sim::{pilot::Pilot, trace::Trace},
    units::MonoTime,
};

/// What a law may know of a scenario before it begins. Only references that no controller can be
/// may look at the capacity.
#[derive(Debug, Clone, Copy)]
pub struct ScenarioFacts<'a> {
    /// How wanctl would be configured.
    pub params: &'a WanParams,
    /// The true capacity.
    pub capacity: &'a PerDirection<Trace>,
    /// Round-trip time of the empty link at the start.
    pub base_rtt: Duration,
}

/// A law with its name.
#[derive(Debug, Clone, Copy)]
pub struct Law {
    /// The name, as on the command line and in tables.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// Makes a controller that follows the law.
    pub pilot: fn(&ScenarioFacts<'_>) -> Box<dyn Pilot>,
}

/// Every law, in the order in which they are compared.
pub const LAWS: &[Law] = &[
    Law {
        name: "adaptive",
        about: "the default law",
        pilot: |facts| ours(facts, LawKind::Adaptive),
    },
    Law { name: "fixed", about: "keeps the base rate", pilot: |facts| ours(facts, LawKind::Fixed) },
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
        let [download, upload] = Direction::ALL.map(|each| params.directions[each].law);
        let name = match (download, upload) {
            (LawKind::Adaptive, LawKind::Adaptive) => "adaptive",
            (LawKind::Fixed, LawKind::Fixed) => "fixed",
            _ => "configured",
        };
        let pilot = |facts: &ScenarioFacts<'_>| wan(*facts.params);
        Self { name, about: "what the configuration asks for", pilot }
    }
}

fn ours(facts: &ScenarioFacts<'_>, law: LawKind) -> Box<dyn Pilot> {
    let mut params = *facts.params;
    for direction in Direction::ALL {
        params.directions[direction].law = law;
    }
    wan(params)
}

fn wan(params: WanParams) -> Box<dyn Pilot> {
    Box::new(Wan::new(&params, MonoTime::ZERO))
}
