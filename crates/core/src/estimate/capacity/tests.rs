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

#[test]
fn two_estimates_of_the_same_capacity_are_averaged_and_keep_their_age() {
    let mut capacity = known();
    capacity.queue_stood(at(5000), mbps(20.4));
    assert_eq!(capacity.rate(), Some(mbps(20.2)));
    assert!(capacity.at(at(60_000)).lifetime >= Duration::from_mins(1), "since the first");
    capacity.queue_stood(at(60_000), mbps(40.0));
    assert_eq!(capacity.rate(), Some(mbps(40.0)), "another capacity replaces it");
}

#[test]
fn the_typical_rate_approaches_the_rate_that_is_filled() {
    let mut capacity = CapacityEstimate::default();
    let typical = |capacity: &CapacityEstimate| capacity.at(at(0)).expected().unwrap().mbps();
    capacity.filled(Duration::from_millis(50), mbps(10.0));
    assert!((typical(&capacity) - 10.0).abs() < 0.01, "the first is taken as it is");
    let step = CapacityParams::default().typical_tau;
    capacity.filled(step, mbps(20.0));
    // One time constant leads 63 % of the way, on a logarithmic scale.
    let expected = 10.0 * 2_f64.powf(1.0 - (-1.0_f64).exp());
    assert!((typical(&capacity) - expected).abs() < 0.01, "{} {expected}", typical(&capacity));
}

#[test]
fn the_proven_rate_is_the_highest_of_the_last_minutes() {
    let mut capacity = CapacityEstimate::default();
    for (millis, rate, proven) in [(0, 10.0, 10.0), (1000, 30.0, 30.0), (2000, 20.0, 30.0)] {
        capacity.no_queue_stood(at(millis), mbps(rate), PROOF_TIME);
        assert_eq!(capacity.proven(at(millis)), Some(mbps(proven)), "{rate}");
    }
    let later = at(1000) + CapacityParams::default().proven_for;
    assert_eq!(capacity.proven(later), None, "it expires");
}
