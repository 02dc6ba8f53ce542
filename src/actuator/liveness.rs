//! Liveness checks of the router's server while a request stays without an answer.
//!
//! RouterOS takes aborted requests badly, so a request that hangs is waited for. Meanwhile a small
//! request without credentials, on a connection of its own, is made four times a second: the first
//! answer to one says that the server is back. A request that was lost in the hang gets no
//! answer; it is given up once a later check was answered although an earlier one was not.

use std::{collections::VecDeque, future::pending, time::Duration};

use futures_util::future::{BoxFuture, select_all};

use wanctl_core::units::MonoTime;

/// A request without an answer for this long makes us check the server.
const CHECK_AFTER: Duration = Duration::from_millis(400);
/// Time between two checks, and the share of the time since the last answer by which it grows.
const CHECK_EVERY: Duration = Duration::from_millis(200);
const SLOWER: u32 = 20;
const LONGEST_CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// Most checks in flight, of the 20 connections that RouterOS serves.
const MOST: usize = 8;
/// A server that hangs answers no check within this time.
const PROMPT: Duration = Duration::from_millis(300);
/// So long after the server is back a request from before may still be answered.
pub(super) const GRACE: Duration = Duration::from_millis(150);

/// A check of the server; it yields whether anything was answered.
pub(super) struct Check {
    began: MonoTime,
    answer: BoxFuture<'static, bool>,
}

/// What an answered check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerState {
    /// The server does not answer.
    Down,
    /// The server answers; requests in flight may still be answered.
    Up,
    /// The server answers, but what was asked before a while ago is lost.
    RequestsLost,
}

/// The checks in flight, oldest first.
#[derive(Default)]
pub(super) struct Liveness {
    checks: VecDeque<Check>,
    /// What is waited for, by its beginning.
    waits_since: Option<MonoTime>,
    next: MonoTime,
    /// The server answers; only the request is slow.
    is_alive: bool,
}

impl Liveness {
    /// Takes since when an answer is waited for, if so, and returns when the next check is due.
    pub(super) fn watch(&mut self, waits_since: Option<MonoTime>) -> Option<MonoTime> {
        if self.waits_since != waits_since {
            self.waits_since = waits_since;
            self.is_alive = false;
            if waits_since.is_none() {
                // Whoever is answered again does not need to know any more.
                self.next = MonoTime::ZERO;
                self.checks.clear();
            }
        }
        let since = waits_since.filter(|_| !self.is_alive)?;
        // Once a check was needed, there is no doubt any more.
        let first = if self.checks.is_empty() { since + CHECK_AFTER } else { MonoTime::ZERO };
        Some(self.next.max(first))
    }

    /// Adds a check that begins now.
    pub(super) fn begin(&mut self, answer: BoxFuture<'static, bool>, now: MonoTime) {
        if self.checks.len() == MOST {
            self.checks.pop_front();
        }
        self.checks.push_back(Check { began: now, answer });
        let waited = self.waits_since.map_or(Duration::ZERO, |since| now.since(since));
        self.next = now + (waited / SLOWER).clamp(CHECK_EVERY, LONGEST_CHECK_INTERVAL);
    }

    /// Waits for the answer to any check; dropping the future loses nothing.
    pub(super) async fn answer(&mut self) -> (MonoTime, bool) {
        if self.checks.is_empty() {
            return pending().await;
        }
        let answers = self.checks.iter_mut().map(|check| &mut check.answer);
        let (answered, index, _) = select_all(answers).await;
        let began = self.checks.remove(index).map_or(MonoTime::ZERO, |check| check.began);
        (began, answered)
    }

    /// Takes the answer to the check that began at `began`.
    pub(super) fn take(&mut self, began: MonoTime, answered: bool, now: MonoTime) -> ServerState {
        if !answered {
            return ServerState::Down;
        }
        self.is_alive = true;
        let is_lost = |check: &Check| began.since(check.began) >= PROMPT / 2;
        let forgot = now.since(began) <= PROMPT
            && self.checks.iter().any(|check| check.began < began && is_lost(check));
        if forgot { ServerState::RequestsLost } else { ServerState::Up }
    }
}

impl std::fmt::Debug for Liveness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Liveness").field("checks", &self.checks.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::ready};

    use super::*;

    fn at(millis: u64) -> MonoTime {
        MonoTime::from_millis(millis)
    }

    /// Waits since 1 s, with checks whenever they are due until `until`; those that begin from
    /// `back` on are answered, and `swallowed` ones never are.
    fn hang(back: u64, until: u64) -> Option<(u64, ServerState)> {
        let mut liveness = Liveness::default();
        for ms in 1000..until {
            let due = liveness.watch(Some(at(1000)));
            if due.is_some_and(|due| due <= at(ms)) {
                let answers = ms >= back;
                let answer = if answers { ready(true).boxed() } else { pending().boxed() };
                liveness.begin(answer, at(ms));
            }
            if let Some((began, answered)) = liveness.answer().now_or_never() {
                return Some((ms, liveness.take(began, answered, at(ms))));
            }
        }
        None
    }

    #[test]
    fn a_server_that_comes_back_is_noticed_within_a_fifth_of_a_second_of_a_short_hang() {
        for back in [1900, 3000, 4500, 5000] {
            let (noticed, life) = hang(back, 9000).unwrap();
            assert!(noticed - back <= 200, "back at {back}, noticed at {noticed}");
            assert_eq!(life, ServerState::RequestsLost);
        }
    }

    #[test]
    fn checks_of_a_long_hang_are_few() {
        let (noticed, _) = hang(61_000, 70_000).unwrap();
        assert!(noticed - 61_000 <= 2000, "{noticed}");
    }

    #[test]
    fn a_request_that_is_merely_slow_is_waited_for_and_not_checked_again() {
        assert_eq!(hang(0, 9000), Some((1400, ServerState::Up)));
        let mut liveness = Liveness::default();
        liveness.watch(Some(at(1000)));
        liveness.begin(ready(true).boxed(), at(1400));
        let (began, answered) = liveness.answer().now_or_never().unwrap();
        liveness.take(began, answered, at(1401));
        assert_eq!(liveness.watch(Some(at(1000))), None);
        assert_eq!(liveness.watch(Some(at(3000))), Some(at(3400)), "another request");
    }

    #[test]
    fn a_slow_server_that_answers_in_turn_has_lost_nothing() {
        let mut liveness = Liveness::default();
        liveness.watch(Some(at(1000)));
        liveness.begin(ready(true).boxed(), at(1400));
        liveness.begin(pending().boxed(), at(1600));
        let (began, answered) = liveness.answer().now_or_never().unwrap();
        assert_eq!(liveness.take(began, answered, at(2600)), ServerState::Up);
    }
}
