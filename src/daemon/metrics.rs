//! The metrics that every daemon has, declared in the order of the documentation. Those of the
//! history, of steering and of the web configuration are declared by whoever has them.

use crate::{
    actuator::RouterFamilies,
    catalogue::Catalogue,
    probe::ProbeFamilies,
    telemetry::{ConfigMetrics, WanLabels, declare_build, declare_log, declare_process},
};

/// The handles of what every daemon counts.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) wans: WanLabels,
    pub(super) probing: ProbeFamilies,
    pub(super) routers: RouterFamilies,
    pub(super) config: ConfigMetrics,
}

impl Metrics {
    pub(super) fn declare(catalogue: &mut Catalogue) -> Self {
        let metrics = Self {
            wans: WanLabels::register(catalogue),
            probing: ProbeFamilies::register(catalogue),
            routers: RouterFamilies::register(catalogue),
            config: ConfigMetrics::register(catalogue),
        };
        catalogue.chapter("Program");
        declare_build(catalogue);
        declare_log(catalogue);
        declare_process(catalogue);
        metrics
    }
}

#[cfg(test)]
mod tests;
