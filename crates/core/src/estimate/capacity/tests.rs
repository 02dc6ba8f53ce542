use super::*;

const PROOF_TIME: Duration = Duration::from_millis(250);

fn mbps(rate: f64) -> BitRate {
    BitRate::from_mbps(rate)
}

fn at(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

/// An estimate of 20 Mbit/s.
fn known() -> CapacityEstimate {
    let mut capacity = CapacityEstimate::default();
    capacity.queue_stood(at(0), mbps(20.0));
    capacity
}

#[test]
fn an_estimate_holds_until_a_rate_well_beyond_it_has_been_in_force_for_long_enough() {
    let mut capacity = known();
    capacity.no_queue_stood(at(1000), mbps(20.5), PROOF_TIME);
    capacity.no_queue_stood(at(2000), mbps(20.5), PROOF_TIME);
    assert_eq!(capacity.rate(), Some(mbps(20.0)), "an estimate errs by that much");
    capacity.no_queue_stood(at(3000), mbps(21.8), PROOF_TIME);
    assert_eq!(capacity.rate(), Some(mbps(20.0)), "not in force for long enough");
    capacity.no_queue_stood(at(3200), mbps(21.8), PROOF_TIME);
    capacity.no_queue_stood(at(3250), mbps(21.8), PROOF_TIME);
    assert_eq!(capacity.rate(), None);
}

#[test]
fn a_delay_in_between_begins_the_proof_anew() {
    let mut capacity = known();
    capacity.no_queue_stood(at(1000), mbps(22.0), PROOF_TIME);
    capacity.delay_stood();
    capacity.no_queue_stood(at(1300), mbps(22.0), PROOF_TIME);
    assert_eq!(capacity.rate(), Some(mbps(20.0)));
}
