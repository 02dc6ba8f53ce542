//! A link, its users, and how wanctl would be configured for it.

use std::time::Duration;

use wanctl_core::{
    Direction, DirectionParams, EvidenceParams, LawKind, Limits, Params, PerDirection,
    StateThresholds, WanParams,
    units::{BitRate, Delay},
};

use crate::{
    generate::Conditions,
    link::{Buffer, LinkSpec, Supply},
    trace::{Recording, Trace},
    traffic::{Demand, GREEDY, Phase, Traffic},
};

/// Idle time at first, in which a controller learns the idle link.
pub(super) const LEAD_IN: Duration = Duration::from_secs(5);
/// A trace runs for its own length, but no longer and no shorter than this.
const TRACE_RUNS: [Duration; 2] = [Duration::from_secs(30), Duration::from_mins(30)];
/// An upload that was not recorded is steady at this share of the download's mean capacity.
const UNRECORDED_UPLOAD: f64 = 0.2;

/// A link with its users and the configuration of the controller.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// The true capacity.
    pub capacity: PerDirection<Trace>,
    /// The link with its buffers, probes and users. Its supply is the capacity.
    pub link: LinkSpec,
    /// How wanctl would be configured.
    pub params: WanParams,
    /// How long it lasts.
    pub duration: Duration,
}

impl Scenario {
    /// Joins a link with its users. The nominal rate, which buffers are reckoned by, is the mean
    /// capacity, and the limits are those of [`limits_for`]; everything else is as in
    /// [`LinkSpec::steady`].
    pub(crate) fn new(
        name: &str,
        conditions: Conditions,
        traffic: Traffic,
        duration: Duration,
    ) -> Self {
        let Conditions { capacity, base_rtt_steps } = conditions;
        let nominal = PerDirection::build(|direction| capacity[direction].mean());
        let supply = PerDirection::build(|direction| Supply::Trace(capacity[direction].clone()));
        let mut link = LinkSpec {
            supply,
            base_rtt_steps,
            traffic,
            timestamps: true,
            ..LinkSpec::steady(nominal)
        };
        if let Some((Duration::ZERO, first)) = link.base_rtt_steps.first() {
            link.base_rtt = *first;
        }
        let limits = PerDirection::build(|direction| limits_for(&capacity[direction]));
        Self { name: name.to_owned(), capacity, link, params: default_params(limits), duration }
    }

    /// Makes a recording a scenario: after five idle seconds the download is saturated, and so is
    /// the upload if it was recorded.
    #[must_use]
    pub fn of_recording(name: &str, recording: Recording) -> Self {
        let Recording { download, upload, base_rtt_steps } = recording;
        let upload_demand = if upload.is_some() { GREEDY } else { BitRate::ZERO };
        let steady = || Trace::steady(download.mean().scaled(UNRECORDED_UPLOAD));
        let upload = upload.unwrap_or_else(steady);
        let [shortest, longest] = TRACE_RUNS;
        let duration = download.round().clamp(shortest, longest);
        let demand = PerDirection { download: GREEDY.into(), upload: upload_demand.into() };
        let capacity = PerDirection { download, upload };
        let conditions = Conditions { capacity, base_rtt_steps };
        let traffic = Traffic::new(saturated(demand, duration));
        Self::new(name, conditions, traffic, duration)
    }

    /// Returns whether there are ever greedy flows.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        Direction::ALL.into_iter().any(|direction| self.link.traffic.most_flows(direction) > 0)
    }

    /// Returns the scenario with provider buffers that hold `buffer` of the mean capacity.
    #[must_use]
    pub fn with_buffer(mut self, buffer: Duration) -> Self {
        self.link.buffer = PerDirection::build(|_| Buffer::Time(buffer));
        self
    }

    /// Returns the scenario with an empty round-trip time of `base_rtt`.
    pub(crate) fn with_base_rtt(mut self, base_rtt: Duration) -> Self {
        self.link.base_rtt = base_rtt;
        self
    }

    /// Returns the scenario with probes of which a share of `loss` (0 to 1) is lost, and the others
    /// comes later by an exponentially distributed time of mean `jitter`.
    pub(crate) fn with_probes(mut self, jitter: Duration, loss: f64) -> Self {
        self.link.jitter = jitter;
        self.link.loss = loss;
        self
    }

    /// Returns the scenario with the chance that `seed` gives.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.link.seed = seed;
        self
    }
}

/// Returns the phases of a link that is idle for five seconds and then used like this until
/// `until`.
pub(super) fn saturated(demand: PerDirection<Demand>, until: Duration) -> Vec<Phase> {
    let none = Demand::from(BitRate::ZERO);
    vec![
        Phase { lasts: LEAD_IN, download: none, upload: none },
        Phase {
            // A moment more, so that the programme does not begin anew at the very end.
            lasts: until.saturating_sub(LEAD_IN) + Duration::from_secs(1),
            download: demand.download,
            upload: demand.upload,
        },
    ]
}

/// Returns the limits that a person who knows the line would configure: the ceiling a tenth above
/// the 99th percentile of its capacity, as providers promise a little more than they keep; the
/// base rate at the 25th percentile, which the link can be trusted to carry most of the time; the
/// floor at a tenth of the base rate.
#[must_use]
pub fn limits_for(capacity: &Trace) -> Limits {
    /// Below this no shaper is set, whatever the link does.
    const LEAST: BitRate = BitRate::from_bps(100_000);
    let ceiling = capacity.quantile(0.99).scaled(1.1).max(LEAST);
    // A link that is dead for more than a quarter of the time has to start somewhere.
    let base = capacity.quantile(0.25).max(ceiling.scaled(0.1)).max(LEAST).min(ceiling);
    Limits { floor: base.scaled(0.1).max(LEAST).min(base), base, ceiling }
}

/// Returns the defaults of the configuration file for these limits and six reflectors.
#[must_use]
pub fn default_params(limits: PerDirection<Limits>) -> WanParams {
    let ms = Delay::from_millis_f64;
    WanParams {
        evidence: EvidenceParams {
            reflectors: 6,
            probe_interval: Duration::from_millis(50),
            stale_after: Duration::from_millis(1200),
            queue_threshold: ms(15.0),
        },
        thresholds: StateThresholds { yellow: ms(15.0), soft_red: ms(45.0), red: ms(80.0) },
        directions: PerDirection::build(|direction: Direction| {
            Some(DirectionParams { limits: limits[direction], law: LawKind::Adaptive })
        }),
        tuning: Params::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(points: &[(u64, f64)], round: u64) -> Trace {
        let point = |(at, mbps): &(u64, f64)| (Duration::from_secs(*at), BitRate::from_mbps(*mbps));
        Trace::held(points.iter().map(point).collect(), Duration::from_secs(round)).unwrap()
    }

    #[test]
    fn limits_follow_the_line() {
        let Limits { floor, base, ceiling } = limits_for(&trace(&[(0, 20.0), (30, 50.0)], 100));
        let limits = [floor, base, ceiling].map(BitRate::bps);
        assert_eq!(limits, [2_000_000, 20_000_000, 55_000_000]);
        for dead in [trace(&[(0, 0.0), (50, 50.0)], 100), Trace::steady(BitRate::ZERO)] {
            let Limits { floor, base, ceiling } = limits_for(&dead);
            assert!(BitRate::ZERO < floor && floor <= base && base <= ceiling, "{dead:?}");
        }
    }

    #[test]
    fn a_recording_without_upload_has_one_that_nobody_uses() {
        let download = trace(&[(0, 20.0), (60, 30.0)], 120);
        let recording = Recording { download, upload: None, base_rtt_steps: Vec::new() };
        let scenario = Scenario::of_recording("drive", recording);
        assert_eq!(scenario.capacity.upload, Trace::steady(BitRate::from_mbps(5.0)));
        assert_eq!(scenario.duration, Duration::from_mins(2));
    }
}
