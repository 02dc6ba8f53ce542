//! The metrics of the switches: how each ought to be, how it is, and how changing it went.

use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use wanctl_core::steering::{Switch, SwitchReport, WanFacts};

use super::Job;
use crate::catalogue::{Catalogue, Labels, Spec};

/// Metrics of a router's switches.
#[derive(Debug, Clone)]
pub struct SwitchMetrics {
    wans: Vec<String>,
    desired: Family<Labels, Gauge>,
    observed: Family<Labels, Gauge>,
    refused: Family<Labels, Gauge>,
    in_doubt: Family<Labels, Gauge>,
    writes: Family<Labels, Counter>,
}

impl SwitchMetrics {
    /// Declares the metrics, for switches of these WANs.
    pub fn register(c: &mut Catalogue, wans: &[WanFacts]) -> Self {
        c.chapter("Steering switches");
        let wans = wans.iter().map(|wan| wan.name.clone()).collect();
        let by_switch = |name, help| Spec::new(name, help).by(&["wan", "switch"]);
        let seen = "with steering, once known";
        Self {
            wans,
            desired: c.family(
                by_switch(
                    "wanctl_steering_switch_desired",
                    "1 if the rule or route of the router should be enabled",
                )
                .when(seen),
            ),
            observed: c.family(
                by_switch(
                    "wanctl_steering_switch_observed",
                    "1 if the switch was enabled at the last read",
                )
                .when(seen),
            ),
            refused: c.family(
                by_switch(
                    "wanctl_steering_switch_refused",
                    "1 if the switch cannot be used: no row, several rows or an unsuitable row \
                     has its comment",
                )
                .when(seen),
            ),
            in_doubt: c.family(
                by_switch(
                    "wanctl_steering_switch_in_doubt",
                    "1 while the result of the last write is unknown",
                )
                .when(seen),
            ),
            writes: c.family(
                Spec::new("wanctl_steering_switch_writes_total", "Writes of the switch by result")
                    .by(&["wan", "switch", "result"])
                    .when(seen),
            ),
        }
    }

    /// Returns metrics that nobody sees, for a router without switches.
    #[must_use]
    pub fn unregistered() -> Self {
        Self {
            wans: Vec::new(),
            desired: Family::default(),
            observed: Family::default(),
            refused: Family::default(),
            in_doubt: Family::default(),
            writes: Family::default(),
        }
    }

    /// Counts a change.
    pub(super) fn answered(&self, switch: Switch, job: Job, good: bool) {
        if job.change.is_some() {
            let mut labels = self.labels(switch);
            labels.push(("result", if good { "success" } else { "failure" }.to_owned()));
            self.writes.get_or_create(&labels).inc();
        }
    }

    /// Shows how a switch is and ought to be.
    pub(super) fn report(&self, report: &SwitchReport, wanted: Option<bool>) {
        let labels = self.labels(report.switch);
        let show = |family: &Family<Labels, Gauge>, value: Option<bool>| match value {
            Some(value) => {
                family.get_or_create(&labels).set(i64::from(value));
            }
            // Not known is not zero.
            None => {
                family.remove(&labels);
            }
        };
        show(&self.desired, wanted);
        show(&self.observed, report.seen.map(|(enabled, _)| enabled));
        show(&self.refused, Some(report.refused));
        show(&self.in_doubt, Some(report.in_doubt));
        for result in ["success", "failure"] {
            let mut labels = labels.clone();
            labels.push(("result", result.to_owned()));
            drop(self.writes.get_or_create(&labels));
        }
    }

    fn labels(&self, switch: Switch) -> Labels {
        let wan = self.wans.get(switch.wan.0).cloned().unwrap_or_default();
        vec![("wan", wan), ("switch", switch.kind.name().to_owned())]
    }
}
