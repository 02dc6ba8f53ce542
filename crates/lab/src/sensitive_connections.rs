//! Latency-sensitive connections: each takes the way that is open when it begins, and keeps it.

use std::{collections::VecDeque, time::Duration};

/// Calls that begin one after the other and last equally long.
#[derive(Debug, Clone)]
pub struct SensitiveConnections {
    every: Duration,
    lasts: Duration,
    next: Duration,
    /// When each ends, and the link that carries it; the oldest first.
    open: VecDeque<(Duration, usize)>,
}

impl SensitiveConnections {
    /// Lets a call begin `every` so often and last so long.
    #[must_use]
    pub fn new(every: Duration, lasts: Duration) -> Self {
        Self {
            every: every.max(Duration::from_millis(1)),
            lasts,
            next: every,
            open: VecDeque::new(),
        }
    }

    /// Moves on to `now`; new calls take the link with the number `way`, if there is one.
    pub fn advance(&mut self, now: Duration, link: Option<usize>) {
        while self.next <= now {
            if let Some(link) = link {
                self.open.push_back((self.next + self.lasts, link));
            }
            self.next += self.every;
        }
        while self.open.front().is_some_and(|(until, _)| *until <= now) {
            self.open.pop_front();
        }
    }

    /// Counts the calls that the link with this number carries.
    #[must_use]
    pub fn on(&self, link: usize) -> u32 {
        u32::try_from(self.open.iter().filter(|(_, on)| *on == link).count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_keeps_the_wan_that_was_open_when_it_began() {
        let second = Duration::from_secs;
        let mut calls = SensitiveConnections::new(second(1), second(5));
        calls.advance(second(10), Some(0));
        assert_eq!((calls.on(0), calls.on(1)), (5, 0));
        calls.advance(second(12), Some(1));
        assert_eq!((calls.on(0), calls.on(1)), (3, 2));
        calls.advance(second(20), Some(1));
        assert_eq!((calls.on(0), calls.on(1)), (0, 5));
        calls.advance(second(30), None);
        assert_eq!((calls.on(0), calls.on(1)), (0, 0));
    }
}
