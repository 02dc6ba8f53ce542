//! Whether the probes of a WAN can be sent at all, from the outcomes of the last ones.
//!
//! A probe that cannot be sent (device, source address or route gone, no permission, refused by
//! the router) says nothing about the link. It differs from a lost one by the order in
//! which the probes were due, not by the order in which their outcomes became known: a probe that
//! was in flight when the device vanished is counted as lost long after the next ones could not
//! be sent.

use std::time::Duration;

use crate::units::MonoTime;
use crate::{ProbeOutcome, RttSample};

/// A probe that was sent this long ago says nothing about now: longer than the longest timeout
/// after which its outcome becomes known, and than the longest pause between two probes.
const RECENT: Duration = Duration::from_secs(6);

/// The outcomes of one WAN's probes, as far as they show whether probes can be sent.
#[derive(Debug, Clone, Default)]
pub struct SendStatus {
    /// When the outcome of a probe that had been sent became known last.
    sent: Option<MonoTime>,
    /// Probes that could not be sent, with none after the first of them that could.
    run: Option<Run>,
    /// Since the last reply some probes could be sent and others could not.
    is_mixed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    first: u64,
    since: MonoTime,
    last: MonoTime,
}

impl SendStatus {
    /// Takes the outcome of one probe into account.
    pub fn update(&mut self, sample: &RttSample) {
        match sample.outcome {
            ProbeOutcome::Reply(_) => {
                self.sent = Some(sample.at);
                self.run = None;
                self.is_mixed = false;
            }
            ProbeOutcome::Lost => {
                self.sent = Some(sample.at);
                if self.run.is_some_and(|run| sample.sequence > run.first) {
                    self.run = None;
                    self.is_mixed = true;
                }
            }
            ProbeOutcome::Unsent => {
                let (first, since) = (sample.sequence, sample.at);
                let run = self.run.get_or_insert(Run { first, since, last: since });
                run.last = sample.at;
            }
        }
    }

    /// Returns since when no probe can be sent; `None` if some can, or if that is not known as of
    /// `now`. Where some probes were sent meanwhile, all outcomes of the last `window` must be
    /// probes that could not.
    #[must_use]
    pub fn cannot_send_since(&self, now: MonoTime, window: Duration) -> Option<MonoTime> {
        let run = self.run.filter(|run| now.since(run.last) <= RECENT)?;
        let is_refuted = self.is_mixed && self.sent.is_some_and(|at| now.since(at) <= window);
        (!is_refuted).then_some(run.since)
    }

    /// Returns whether probes are known to leave as of `now`.
    #[must_use]
    pub fn can_send(&self, now: MonoTime) -> bool {
        let is_recent = self.sent.is_some_and(|at| now.since(at) <= RECENT);
        is_recent && (self.is_mixed || self.run.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ReflectorId, units::Delay};

    const WINDOW: Duration = Duration::from_millis(1_200);
    const SENT: ProbeOutcome = ProbeOutcome::Reply(Delay::from_micros(20_000));

    fn after(outcomes: &[(u64, u64, ProbeOutcome)]) -> SendStatus {
        let mut send_status = SendStatus::default();
        for &(sequence, ms, outcome) in outcomes {
            let (reflector, at) = (ReflectorId(0), MonoTime::from_millis(ms));
            send_status.update(&RttSample { reflector, sequence, at, outcome, one_way: None });
        }
        send_status
    }

    fn cannot_send_since(outcomes: &[(u64, u64, ProbeOutcome)], ms: u64) -> Option<u64> {
        let since = after(outcomes).cannot_send_since(MonoTime::from_millis(ms), WINDOW)?;
        u64::try_from(since.since_start().as_millis()).ok()
    }

    #[test]
    fn a_probe_that_was_under_way_when_the_device_vanished_does_not_hide_that() {
        use ProbeOutcome::{Lost, Unsent};
        let vanished = [(1, 50, SENT), (3, 150, Unsent), (4, 200, Unsent)];
        assert_eq!(cannot_send_since(&vanished, 200), Some(150));
        let known_late = [&vanished[..], &[(2, 1_100, Lost), (22, 1_150, Unsent)]].concat();
        assert_eq!(cannot_send_since(&known_late, 1_150), Some(150));
        assert!(!after(&known_late).can_send(MonoTime::from_millis(1_150)));
    }

    #[test]
    fn one_reflector_without_a_route_among_others_that_are_silent_is_no_missing_device() {
        use ProbeOutcome::{Lost, Unsent};
        let mixed = [(1, 50, Unsent), (2, 1_100, Lost), (23, 1_150, Unsent)];
        assert_eq!(cannot_send_since(&mixed, 1_150), None);
        assert!(after(&mixed).can_send(MonoTime::from_millis(1_150)));
        let alone = [&mixed[..], &[(50, 2_500, Unsent)]].concat();
        assert_eq!(cannot_send_since(&alone, 2_500), Some(1_150), "nothing else for so long");
    }

    #[test]
    fn a_reply_and_the_end_of_all_outcomes_end_it() {
        use ProbeOutcome::Unsent;
        assert_eq!(cannot_send_since(&[(1, 50, Unsent), (2, 120, SENT)], 150), None);
        assert_eq!(cannot_send_since(&[(1, 50, Unsent)], 10_000), None);
        assert_eq!(cannot_send_since(&[], 0), None);
        assert!(!after(&[]).can_send(MonoTime::ZERO));
    }
}
