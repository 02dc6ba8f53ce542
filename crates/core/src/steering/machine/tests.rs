use std::time::Duration;

use super::*;
use crate::steering::Preset;

const NOW: MonoTime = MonoTime::from_millis(100_000);
const LATER: MonoTime = MonoTime::from_millis(100_001);
const TO: Rank = Rank(1);
const THIRD: Rank = Rank(2);

fn long_ago() -> MonoTime {
    MonoTime::ZERO
}

fn kind(phase: Phase) -> (&'static str, Option<Rank>) {
    let name = match phase {
        Phase::Default => "default",
        Phase::Confirming { .. } => "confirming",
        Phase::Steered { .. } => "steered",
        Phase::Recovering { .. } => "recovering",
    };
    (name, phase.alternate())
}

/// Every phase, every condition, every alternate, with a third WAN to go to and without.
#[test]
fn every_step_leads_where_the_diagram_says() {
    use AlternateHealth::{Good, Worse};
    use Condition::{AboveThreshold, BelowThreshold, Dead, Recovered, Returning, Unknown};
    let confirmed = Phase::Confirming { since: long_ago() };
    let held = Phase::Steered { to: TO, hold_until: LATER };
    let free = Phase::Steered { to: TO, hold_until: NOW };
    let recovered = Phase::Recovering { to: TO, since: long_ago() };
    let (default, waits) = (("default", None), ("confirming", None));
    let (away, third) = (("steered", Some(TO)), ("steered", Some(THIRD)));
    let back = ("recovering", Some(TO));
    let healths = [Good, Worse, AlternateHealth::Dead];
    // Phase, condition, then for each alternate: with a third WAN, and without.
    let table = [
        (Phase::Default, Unknown, [(default, default); 3]),
        (Phase::Default, Dead, [(third, default); 3]),
        (Phase::Default, Returning, [(default, default); 3]),
        (Phase::Default, AboveThreshold, [(waits, waits); 3]),
        (Phase::Default, BelowThreshold, [(default, default); 3]),
        (Phase::Default, Recovered, [(default, default); 3]),
        (confirmed, Unknown, [(default, default); 3]),
        (confirmed, Dead, [(third, default); 3]),
        (confirmed, Returning, [(default, default); 3]),
        (confirmed, AboveThreshold, [(third, waits); 3]),
        (confirmed, BelowThreshold, [(default, default); 3]),
        (confirmed, Recovered, [(default, default); 3]),
        (held, Unknown, [(away, away), (away, away), (default, default)]),
        (held, Dead, [(away, away), (away, away), (third, away)]),
        (held, Returning, [(away, away), (away, away), (default, default)]),
        (held, AboveThreshold, [(away, away), (away, away), (default, default)]),
        (held, BelowThreshold, [(away, away), (away, away), (default, default)]),
        (held, Recovered, [(away, away), (away, away), (default, default)]),
        (free, Unknown, [(away, away), (away, away), (default, default)]),
        (free, Dead, [(away, away), (away, away), (third, away)]),
        (free, Returning, [(away, away), (away, away), (default, default)]),
        (free, AboveThreshold, [(away, away), (third, default), (default, default)]),
        (free, BelowThreshold, [(away, away), (third, default), (default, default)]),
        (free, Recovered, [(back, back), (back, back), (default, default)]),
        (recovered, Unknown, [(away, away), (away, away), (default, default)]),
        (recovered, Dead, [(away, away), (away, away), (third, back)]),
        (recovered, Returning, [(away, away), (away, away), (default, default)]),
        (recovered, AboveThreshold, [(away, away), (away, away), (default, default)]),
        (recovered, BelowThreshold, [(away, away), (away, away), (default, default)]),
        (recovered, Recovered, [(default, default), (default, default), (default, default)]),
    ];
    for (phase, condition, outcomes) in table {
        for (alternate_health, (with, without)) in healths.into_iter().zip(outcomes) {
            for (third, expected) in [(Ok(THIRD), with), (Err(Blocker::AlternateDown), without)] {
                let inputs = SteerInputs {
                    now: NOW,
                    condition,
                    alternate_health,
                    eligible: third,
                    verified: third,
                    damping: Duration::ZERO,
                    return_ready: Ok(()),
                };
                let step = phase.step(&inputs, &Preset::Balanced.steer());
                let message =
                    format!("{phase:?} {condition:?} {alternate_health:?} {third:?}: {step:?}");
                assert_eq!(kind(step.phase), expected, "{message}");
            }
        }
    }
}

#[test]
fn a_router_that_is_not_ready_keeps_connections_where_they_are() {
    let phase = Phase::Recovering { to: TO, since: long_ago() };
    let inputs = SteerInputs {
        now: NOW,
        condition: Condition::Recovered,
        alternate_health: AlternateHealth::Good,
        eligible: Err(Blocker::Pending),
        verified: Err(Blocker::Pending),
        damping: Duration::ZERO,
        return_ready: Err(Blocker::Pending),
    };
    let step = phase.step(&inputs, &Preset::Balanced.steer());
    assert_eq!((step.phase, step.blocker), (phase, Some(Blocker::Pending)));
}

#[test]
fn without_a_sustain_the_first_sign_moves() {
    let params = SteerParams { sustain: Duration::ZERO, ..Preset::Balanced.steer() };
    let inputs = SteerInputs {
        now: NOW,
        condition: Condition::AboveThreshold,
        alternate_health: AlternateHealth::Good,
        eligible: Ok(TO),
        verified: Ok(TO),
        damping: Duration::ZERO,
        return_ready: Ok(()),
    };
    assert_eq!(Phase::Default.step(&inputs, &params).phase.alternate(), Some(TO));
}

#[test]
fn a_recovery_under_damping_keeps_connections_away_unless_the_alternate_is_congested() {
    let recovered = Phase::Recovering { to: TO, since: long_ago() };
    for (alternate_health, phase, blocker) in [
        (AlternateHealth::Good, recovered, Some(Blocker::FlapDamping)),
        (AlternateHealth::Worse, Phase::Default, None),
        (AlternateHealth::Dead, Phase::Default, None),
    ] {
        let inputs = SteerInputs {
            now: NOW,
            condition: Condition::Recovered,
            alternate_health,
            eligible: Err(Blocker::AlternateDown),
            verified: Err(Blocker::AlternateDown),
            damping: Duration::from_secs(1),
            return_ready: Ok(()),
        };
        let step = recovered.step(&inputs, &Preset::Balanced.steer());
        assert_eq!((step.phase, step.blocker), (phase, blocker), "{alternate_health:?}");
    }
}
