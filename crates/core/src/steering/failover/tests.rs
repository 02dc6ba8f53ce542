use super::{DefaultRouteHealth as Health, *};

const NOW: MonoTime = MonoTime::from_millis(100_000);
const LATER: MonoTime = MonoTime::from_millis(100_001);

#[test]
fn every_step_leads_where_the_diagram_says() {
    use FailoverReason::{
        AllDown, AnswersAgain, Blocked, CannotSend, Failback, FailbackBlocked, FailedOver, Healthy,
        HoldDown, NoReplies, NoneCanSend, Stale,
    };
    let down = Err(Blocker::AlternateDown);
    let wait = Err(Blocker::FailbackDelay);
    let (default, first, second) = (Rank::DEFAULT_WAN, Rank(1), Rank(2));
    let ready = Ok(());
    // Rank, whether the stay is over, pulse, rescue, better, ready; then the rank and the reason.
    for (rank, over, health, alternate, preferred, ready, then, reason) in [
        (default, true, Health::Unknown, Ok(first), wait, ready, default, Stale),
        (default, true, Health::Alive, Ok(first), wait, ready, default, Healthy),
        (default, true, Health::Dead, Ok(first), wait, ready, first, NoReplies),
        (default, true, Health::Dead, down, wait, ready, default, AllDown),
        (default, true, Health::Dead, Err(Blocker::ActionLimit), wait, ready, default, Blocked),
        (default, true, Health::Dead, Ok(first), wait, Err(Blocker::InDoubt), first, NoReplies),
        (default, true, Health::NoneCanSend, Ok(first), wait, ready, default, NoneCanSend),
        (default, true, Health::Returning, Ok(first), wait, ready, default, AnswersAgain),
        (default, true, Health::CannotSend, Ok(first), wait, ready, first, CannotSend),
        (default, true, Health::CannotSend, down, wait, ready, default, AllDown),
        (first, true, Health::NoneCanSend, Ok(default), Ok(default), ready, first, NoneCanSend),
        (first, true, Health::Returning, Ok(default), wait, ready, default, NoReplies),
        (first, true, Health::Returning, Ok(second), wait, ready, first, AnswersAgain),
        (first, true, Health::Returning, down, wait, ready, first, AnswersAgain),
        (first, true, Health::CannotSend, Ok(second), wait, ready, second, CannotSend),
        (first, true, Health::Unknown, Ok(default), Ok(default), ready, first, Stale),
        (first, false, Health::Alive, Ok(default), Ok(default), ready, first, HoldDown),
        (first, true, Health::Alive, Ok(default), wait, ready, first, FailedOver),
        (first, true, Health::Alive, Ok(default), Ok(default), ready, default, Failback),
        (
            first,
            true,
            Health::Alive,
            Ok(default),
            Ok(default),
            Err(Blocker::Pending),
            first,
            FailbackBlocked,
        ),
        (first, false, Health::Dead, Ok(default), wait, ready, default, NoReplies),
        (first, false, Health::Dead, Ok(second), wait, ready, second, NoReplies),
        (second, true, Health::Alive, Ok(default), Ok(first), ready, first, Failback),
        (second, false, Health::Dead, down, wait, ready, second, AllDown),
    ] {
        let default_route = DefaultRoute { rank, hold_until: if over { NOW } else { LATER } };
        let inputs = FailoverInputs { now: NOW, health, alternate, preferred, router_ready: ready };
        let step = default_route.step(&inputs, &FailoverParams::default());
        assert_eq!(
            (step.default_route.rank, step.reason),
            (then, reason),
            "{default_route:?} {inputs:?}"
        );
        assert_eq!(step.reason.moves(), then != rank);
    }
}
