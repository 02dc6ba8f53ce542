use wanctl_core::{Actuation, PerDirection};

use super::*;
use crate::traffic::{Demand, Phase, Traffic};

fn mbps(rate: f64) -> PerDirection<BitRate> {
    PerDirection::build(|_| BitRate::from_mbps(rate))
}

/// Writes one rate until a moment and another one from then on, and keeps its inputs.
#[derive(Debug, Default)]
struct Switch {
    probes: Vec<RttSample>,
    readings: usize,
    actuations: Vec<Actuation>,
}

impl Controller for Switch {
    fn on_rtt(&mut self, sample: &RttSample) {
        self.probes.push(*sample);
    }

    fn on_shaper(&mut self, _: &ShaperSample) {
        self.readings += 1;
    }

    fn on_actuation(&mut self, actuation: PerDirection<Actuation>) {
        self.actuations.push(actuation.download);
    }

    fn decide(&mut self, now: MonoTime) -> PerDirection<BitRate> {
        mbps(if now < MonoTime::from_millis(500) { 18.0 } else { 9.0 })
    }
}

fn spec() -> LinkSpec {
    let demand = Demand::from(crate::traffic::GREEDY);
    let lasts = Duration::from_hours(1);
    LinkSpec {
        traffic: Traffic::new(vec![Phase { lasts, download: demand, upload: Demand::None }]),
        ..LinkSpec::steady(mbps(20.0))
    }
}

#[test]
fn a_write_takes_effect_after_the_routers_latency_and_only_changes_are_written() {
    let latency = Duration::from_millis(70);
    let spec_of_loop = LoopSpec { latency, ..LoopSpec::new(mbps(18.0)) };
    let mut bench = ClosedLoop::new(spec(), spec_of_loop, Switch::default());
    let mut enforced = Vec::new();
    bench.run(Duration::from_secs(1), |step| {
        if step.enforced == mbps(9.0) {
            enforced.push(step.now);
        }
        assert_eq!(step.writes.download, u64::from(step.now >= MonoTime::from_millis(500)));
    });
    assert_eq!(enforced.first(), Some(&MonoTime::from_millis(600)));
    let pending = |at: usize| bench.controller().actuations[at].pending_since;
    assert_eq!([pending(9), pending(10)], [None, Some(MonoTime::from_millis(500))]);
    assert_eq!(pending(11), None, "in force");
}

#[test]
fn every_probe_ends_and_readings_come_at_their_interval() {
    let mut bench = ClosedLoop::new(spec(), LoopSpec::new(mbps(18.0)), Switch::default());
    let mut monitored = 0;
    bench.run(Duration::from_secs(10), |step| monitored += step.monitor_delays.len());
    let ended = bench.controller().probes.len();
    assert!((198..=200).contains(&ended), "{ended} of 200 probes ended");
    assert!(bench.controller().probes.is_sorted_by_key(|sample| sample.at));
    assert_eq!(bench.controller().readings, 100);
    assert!((490..=500).contains(&monitored), "{monitored} packets of 50 per second");
}

#[test]
fn a_reply_that_comes_after_the_timeout_is_a_loss_at_the_timeout() {
    let slow = LinkSpec { base_rtt: Duration::from_millis(1200), ..spec() };
    let mut bench = ClosedLoop::new(slow, LoopSpec::new(mbps(18.0)), Switch::default());
    bench.run(Duration::from_secs(3), |_| {});
    let first = bench.controller().probes[0];
    assert_eq!(first.outcome, ProbeOutcome::Lost);
    assert_eq!(first.at, MonoTime::from_millis(1050), "sent at 50 ms");
}
