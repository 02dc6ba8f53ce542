//! When a switch is changed, looked at, doubted and given up.

use wanctl_core::steering::Rank;

use super::*;

const STEER: Switch = Switch { wan: Rank(1), kind: SwitchKind::SteerRule };
const FAILED_OVER: Switch = Switch { wan: Rank(1), kind: SwitchKind::FailoverRule };
const DEFAULT: Switch = Switch { wan: Rank(0), kind: SwitchKind::FailoverRoute };

fn at(seconds: u64) -> MonoTime {
    MonoTime::from_start(Duration::from_secs(seconds))
}

fn order(switch: Switch, enabled: bool) -> SwitchOrder {
    SwitchOrder { switch, enabled }
}

/// A board whose switches were seen to be so at the start.
fn board(switches: &[(Switch, bool)]) -> SwitchTable {
    let mut board = SwitchTable::new(switches.iter().map(|(switch, _)| *switch).collect());
    for _ in switches {
        let poll = board.due_read(at(0)).unwrap();
        board.begin(poll, at(0));
        board.answered(poll, switches[poll.place].1, at(0));
    }
    board
}

fn write(board: &mut SwitchTable, now: MonoTime) -> Job {
    let job = board.due_change(now).expect("a change is due");
    board.begin(job, now);
    job
}

fn poll(board: &mut SwitchTable, now: MonoTime, enabled: bool) -> Found {
    let job = board.due_read(now).expect("a read is due");
    board.begin(job, now);
    board.answered(job, enabled, now)
}

fn report(board: &SwitchTable) -> SwitchReport {
    board.actuation().switches[0]
}

#[test]
fn nothing_is_changed_before_it_was_read_nor_without_an_order() {
    let mut unread = SwitchTable::new(vec![STEER]);
    unread.want(&[order(STEER, true)], at(0));
    assert_eq!(unread.due_change(at(0)), None);
    assert!(unread.due_read(at(0)).is_some());
    assert_eq!(board(&[(STEER, false)]).due_change(at(0)), None);
}

#[test]
fn what_is_ordered_is_written_once_and_read_every_half_minute() {
    let mut board = board(&[(STEER, false)]);
    board.want(&[order(STEER, true)], at(1));
    assert_eq!(report(&board).pending_since, Some(at(1)));
    let job = write(&mut board, at(1));
    assert_eq!(board.due_change(at(1)), None, "one at a time");
    board.answered(job, true, at(2));
    assert_eq!(report(&board).pending_since, None);
    assert_eq!((board.due_change(at(2)), board.due_read(at(31))), (None, None));
    assert!(board.due_read(at(32)).is_some());
}

#[test]
fn a_switch_that_was_changed_externally_is_reported_and_corrected() {
    let mut board = board(&[(STEER, false)]);
    board.want(&[order(STEER, false)], at(1));
    assert!(poll(&mut board, at(30), true).drifted);
    assert_eq!(write(&mut board, at(30)).change, Some(false));
}

#[test]
fn nothing_is_disabled_before_the_other_route_is_enabled() {
    let mut board = board(&[(DEFAULT, true), (FAILED_OVER, false), (STEER, true)]);
    board.want(&[order(FAILED_OVER, true), order(STEER, false), order(DEFAULT, false)], at(1));
    let job = write(&mut board, at(1));
    assert_eq!(job.place, 1, "the diversion first");
    board.refused(job, "two match".to_owned(), at(1));
    let job = write(&mut board, at(1));
    assert_eq!(job.place, 2, "the steering rule is about other traffic");
    board.answered(job, false, at(1));
    assert_eq!(board.due_change(at(60)), None, "the route stays as long as nothing else is open");
}

#[test]
fn a_steering_rule_that_cannot_be_used_keeps_no_other_from_being_closed() {
    let next = |kind| Switch { wan: Rank(2), kind };
    let (other, other6) = (next(SwitchKind::SteerRule), next(SwitchKind::SteerRule6));
    let mut board = board(&[(STEER, true), (other, false), (other6, false)]);
    board.want(&[order(other, true), order(other6, true), order(STEER, false)], at(1));
    let job = write(&mut board, at(1));
    board.answered(job, true, at(1));
    let job = write(&mut board, at(1));
    assert_eq!(job.place, 2, "a rule that may still come is waited for");
    board.refused(job, "no rule".to_owned(), at(1));
    let job = write(&mut board, at(1));
    assert_eq!((job.place, job.change), (0, Some(false)));
    board.answered(job, false, at(1));
    let pending = |report: &&SwitchReport| report.pending_since.is_some() && !report.refused;
    assert_eq!(board.actuation().switches.iter().find(pending), None);
}

#[test]
fn a_write_without_an_answer_leaves_a_doubt_until_it_is_seen() {
    let mut board = board(&[(STEER, false)]);
    board.want(&[order(STEER, true)], at(1));
    write(&mut board, at(1));
    board.doubt(at(4));
    assert!(report(&board).in_doubt && report(&board).seen.is_none());
    assert_eq!(board.due_change(at(4)), None, "a read comes first");
    assert!(!poll(&mut board, at(4), true).drifted, "that was us");
    assert!(!report(&board).in_doubt);
    assert_eq!(board.due_change(at(5)), None);
}

#[test]
fn a_router_that_applies_late_is_caught_even_if_the_order_has_changed() {
    let mut board = board(&[(STEER, false)]);
    board.want(&[order(STEER, true)], at(1));
    write(&mut board, at(1));
    board.doubt(at(4));
    board.want(&[order(STEER, false)], at(4));
    poll(&mut board, at(4), false);
    assert!(report(&board).in_doubt, "it may still come");
    poll(&mut board, at(5), true);
    assert_eq!(write(&mut board, at(5)).change, Some(false));
}

#[test]
fn a_write_that_never_arrived_is_made_again_and_not_doubted_for_ever() {
    let mut board = board(&[(STEER, false)]);
    board.want(&[order(STEER, true)], at(1));
    write(&mut board, at(1));
    board.doubt(at(2));
    poll(&mut board, at(2), false);
    assert_eq!(board.due_change(at(2)).unwrap().change, Some(true), "writing it again is the same");
    board.want(&[], at(2));
    poll(&mut board, at(3), false);
    assert!(report(&board).in_doubt);
    poll(&mut board, at(7), false);
    assert!(!report(&board).in_doubt);
}

#[test]
fn a_refused_switch_is_reported_once_left_alone_and_found_again_once_mended() {
    let mut board = board(&[(STEER, false)]);
    board.want(&[order(STEER, true)], at(1));
    let job = write(&mut board, at(1));
    assert!(board.refused(job, "no rule".to_owned(), at(1)));
    assert_eq!(board.problems(), ["no rule"]);
    assert_eq!((board.due_change(at(20)), board.due_read(at(20))), (None, None));
    let job = board.due_read(at(31)).unwrap();
    assert!(!board.refused(job, "no rule".to_owned(), at(31)), "known");
    assert!(poll(&mut board, at(61), false).recovered);
    assert_eq!(write(&mut board, at(61)).change, Some(true));
}

/// Lets the board write for five minutes, with a router that answers each write so; returns the
/// times of the writes.
fn writes_against(answer: bool, polls: bool) -> Vec<u64> {
    let mut board = board(&[(STEER, false)]);
    board.want(&[order(STEER, true)], at(0));
    let mut writes = Vec::new();
    for tick in 0..3000_u64 {
        let now = MonoTime::from_millis(tick * 100);
        if let Some(job) = board.due_change(now) {
            board.begin(job, now);
            board.answered(job, answer, now);
            writes.push(tick / 10);
        } else if let Some(job) = board.due_read(now) {
            board.begin(job, now);
            board.answered(job, polls, now);
        }
    }
    assert_eq!(board.not_applied().collect::<Vec<_>>(), [0]);
    writes
}

#[test]
fn a_rule_that_does_not_stay_as_it_is_set_is_not_written_endlessly() {
    assert_eq!(writes_against(false, false), [0, 0, 1, 11, 71, 131, 191, 251]);
    let confirmed = writes_against(true, false);
    assert!(confirmed.len() <= 10, "{confirmed:?}");
}

#[test]
fn another_order_goes_out_at_once_whatever_became_of_the_last() {
    let mut board = board(&[(STEER, false)]);
    board.want(&[order(STEER, true)], at(0));
    for second in [0, 1, 3, 20] {
        let job = write(&mut board, at(second));
        board.answered(job, false, at(second));
    }
    assert_eq!(board.due_change(at(21)), None);
    board.want(&[order(STEER, false)], at(21));
    board.want(&[order(STEER, true)], at(22));
    assert!(board.due_change(at(22)).is_some());
    assert_eq!(board.not_applied().count(), 0);
}
