use super::*;

const NOW: MonoTime = MonoTime::from_millis(100_000);
const LATER: MonoTime = MonoTime::from_millis(100_001);

#[test]
fn every_step_leads_where_the_diagram_says() {
    use FailoverReason::{
        AllDown, AnswersAgain, Away, Blocked, CannotSend, Failback, FailbackBlocked, NoneCanSend,
        Silent, Stale, Stay, Well,
    };
    let down = Err(Blocker::AlternateDown);
    let wait = Err(Blocker::FailbackDelay);
    let (home, first, second) = (Rank::HOME, Rank(1), Rank(2));
    let ready = Ok(());
    // Rank, whether the stay is over, pulse, rescue, better, ready; then the rank and the reason.
    for (rank, over, pulse, rescue, better, ready, then, reason) in [
        (home, true, Pulse::Unclear, Ok(first), wait, ready, home, Stale),
        (home, true, Pulse::Alive, Ok(first), wait, ready, home, Well),
        (home, true, Pulse::Dead, Ok(first), wait, ready, first, Silent),
        (home, true, Pulse::Dead, down, wait, ready, home, AllDown),
        (home, true, Pulse::Dead, Err(Blocker::ActionsSpent), wait, ready, home, Blocked),
        (home, true, Pulse::Dead, Ok(first), wait, Err(Blocker::InDoubt), first, Silent),
        (home, true, Pulse::CannotLook, Ok(first), wait, ready, home, NoneCanSend),
        (home, true, Pulse::Returning, Ok(first), wait, ready, home, AnswersAgain),
        (home, true, Pulse::Gone, Ok(first), wait, ready, first, CannotSend),
        (home, true, Pulse::Gone, down, wait, ready, home, AllDown),
        (first, true, Pulse::CannotLook, Ok(home), Ok(home), ready, first, NoneCanSend),
        (first, true, Pulse::Returning, Ok(home), wait, ready, home, Silent),
        (first, true, Pulse::Returning, Ok(second), wait, ready, first, AnswersAgain),
        (first, true, Pulse::Returning, down, wait, ready, first, AnswersAgain),
        (first, true, Pulse::Gone, Ok(second), wait, ready, second, CannotSend),
        (first, true, Pulse::Unclear, Ok(home), Ok(home), ready, first, Stale),
        (first, false, Pulse::Alive, Ok(home), Ok(home), ready, first, Stay),
        (first, true, Pulse::Alive, Ok(home), wait, ready, first, Away),
        (first, true, Pulse::Alive, Ok(home), Ok(home), ready, home, Failback),
        (
            first,
            true,
            Pulse::Alive,
            Ok(home),
            Ok(home),
            Err(Blocker::Pending),
            first,
            FailbackBlocked,
        ),
        (first, false, Pulse::Dead, Ok(home), wait, ready, home, Silent),
        (first, false, Pulse::Dead, Ok(second), wait, ready, second, Silent),
        (second, true, Pulse::Alive, Ok(home), Ok(first), ready, first, Failback),
        (second, false, Pulse::Dead, down, wait, ready, second, AllDown),
    ] {
        let carrier = Carrier { rank, stay_until: if over { NOW } else { LATER } };
        let plight = Plight { now: NOW, pulse, rescue, better, ready };
        let course = carrier.step(&plight, &FailoverParams::default());
        assert_eq!((course.carrier.rank, course.reason), (then, reason), "{carrier:?} {plight:?}");
        assert_eq!(course.reason.moves(), then != rank);
    }
}
