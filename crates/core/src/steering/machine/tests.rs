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
        Phase::Home => "home",
        Phase::Confirming { .. } => "confirming",
        Phase::Steered { .. } => "steered",
        Phase::Recovering { .. } => "recovering",
    };
    (name, phase.refuge())
}

/// Every phase, every condition, every refuge, with a third WAN to go to and without.
#[test]
fn every_step_leads_where_the_diagram_says() {
    use Condition::{Dead, Middling, Recovered, Returning, Suffers, Unclear};
    use Refuge::{Good, Worse};
    let confirmed = Phase::Confirming { since: long_ago() };
    let held = Phase::Steered { to: TO, hold_until: LATER };
    let free = Phase::Steered { to: TO, hold_until: NOW };
    let recovered = Phase::Recovering { to: TO, since: long_ago() };
    let (home, waits) = (("home", None), ("confirming", None));
    let (away, third) = (("steered", Some(TO)), ("steered", Some(THIRD)));
    let back = ("recovering", Some(TO));
    let refuges = [Good, Worse, Refuge::Dead];
    // Phase, condition, then for each refuge: with a third WAN, and without.
    let table = [
        (Phase::Home, Unclear, [(home, home); 3]),
        (Phase::Home, Dead, [(third, home); 3]),
        (Phase::Home, Returning, [(home, home); 3]),
        (Phase::Home, Suffers, [(waits, waits); 3]),
        (Phase::Home, Middling, [(home, home); 3]),
        (Phase::Home, Recovered, [(home, home); 3]),
        (confirmed, Unclear, [(home, home); 3]),
        (confirmed, Dead, [(third, home); 3]),
        (confirmed, Returning, [(home, home); 3]),
        (confirmed, Suffers, [(third, waits); 3]),
        (confirmed, Middling, [(home, home); 3]),
        (confirmed, Recovered, [(home, home); 3]),
        (held, Unclear, [(away, away), (away, away), (home, home)]),
        (held, Dead, [(away, away), (away, away), (third, away)]),
        (held, Returning, [(away, away), (away, away), (home, home)]),
        (held, Suffers, [(away, away), (away, away), (home, home)]),
        (held, Middling, [(away, away), (away, away), (home, home)]),
        (held, Recovered, [(away, away), (away, away), (home, home)]),
        (free, Unclear, [(away, away), (away, away), (home, home)]),
        (free, Dead, [(away, away), (away, away), (third, away)]),
        (free, Returning, [(away, away), (away, away), (home, home)]),
        (free, Suffers, [(away, away), (third, home), (home, home)]),
        (free, Middling, [(away, away), (third, home), (home, home)]),
        (free, Recovered, [(back, back), (back, back), (home, home)]),
        (recovered, Unclear, [(away, away), (away, away), (home, home)]),
        (recovered, Dead, [(away, away), (away, away), (third, back)]),
        (recovered, Returning, [(away, away), (away, away), (home, home)]),
        (recovered, Suffers, [(away, away), (away, away), (home, home)]),
        (recovered, Middling, [(away, away), (away, away), (home, home)]),
        (recovered, Recovered, [(home, home), (home, home), (home, home)]),
    ];
    for (phase, condition, outcomes) in table {
        for (refuge, (with, without)) in refuges.into_iter().zip(outcomes) {
            for (third, expected) in [(Ok(THIRD), with), (Err(Blocker::AlternateDown), without)] {
                let circumstances = Circumstances {
                    now: NOW,
                    condition,
                    refuge,
                    fit: third,
                    verified: third,
                    patience: Duration::ZERO,
                    back: Ok(()),
                };
                let step = phase.step(&circumstances, &Preset::Balanced.steer());
                let told = format!("{phase:?} {condition:?} {refuge:?} {third:?}: {step:?}");
                assert_eq!(kind(step.phase), expected, "{told}");
            }
        }
    }
}

#[test]
fn a_router_that_is_not_ready_keeps_connections_where_they_are() {
    let phase = Phase::Recovering { to: TO, since: long_ago() };
    let circumstances = Circumstances {
        now: NOW,
        condition: Condition::Recovered,
        refuge: Refuge::Good,
        fit: Err(Blocker::Pending),
        verified: Err(Blocker::Pending),
        patience: Duration::ZERO,
        back: Err(Blocker::Pending),
    };
    let step = phase.step(&circumstances, &Preset::Balanced.steer());
    assert_eq!((step.phase, step.blocker), (phase, Some(Blocker::Pending)));
}

#[test]
fn without_a_sustain_the_first_sign_moves() {
    let params = SteerParams { sustain: Duration::ZERO, ..Preset::Balanced.steer() };
    let circumstances = Circumstances {
        now: NOW,
        condition: Condition::Suffers,
        refuge: Refuge::Good,
        fit: Ok(TO),
        verified: Ok(TO),
        patience: Duration::ZERO,
        back: Ok(()),
    };
    assert_eq!(Phase::Home.step(&circumstances, &params).phase.refuge(), Some(TO));
}

#[test]
fn a_recovery_that_is_not_believed_keeps_connections_away_unless_they_suffer_there() {
    let recovered = Phase::Recovering { to: TO, since: long_ago() };
    for (refuge, phase, blocker) in [
        (Refuge::Good, recovered, Some(Blocker::Relapsing)),
        (Refuge::Worse, Phase::Home, None),
        (Refuge::Dead, Phase::Home, None),
    ] {
        let circumstances = Circumstances {
            now: NOW,
            condition: Condition::Recovered,
            refuge,
            fit: Err(Blocker::AlternateDown),
            verified: Err(Blocker::AlternateDown),
            patience: Duration::from_secs(1),
            back: Ok(()),
        };
        let step = recovered.step(&circumstances, &Preset::Balanced.steer());
        assert_eq!((step.phase, step.blocker), (phase, blocker), "{refuge:?}");
    }
}
