//! When a WAN may be probed more slowly: a pure rule over its cycles.

use std::time::Duration;

use wanctl_core::{Decision, LoadClass, MeasurementState, units::MonoTime};

use crate::probe::Pace;

/// How long next to nothing must have flowed before the probes become fewer.
const QUIET: Duration = Duration::from_mins(1);

/// Watches for quiet.
#[derive(Debug, Clone, Copy, Default)]
pub struct IdleWatch {
    since: Option<MonoTime>,
}

impl IdleWatch {
    /// Returns the pace after a decision: idle once what is shaped has been idle for a minute
    /// and the delay normal, full at once when anything stirs or is not known.
    pub(super) fn pace(&mut self, decision: &Decision, now: MonoTime) -> Pace {
        let measured = &decision.measurement;
        let is_normal = measured.state == MeasurementState::Healthy && measured.delayed == 0;
        let is_idle =
            decision.directions.present().all(|(_, decided)| decided.load.class == LoadClass::Idle);
        self.after(is_normal && is_idle, now)
    }

    fn after(&mut self, is_quiet: bool, now: MonoTime) -> Pace {
        if !is_quiet {
            self.since = None;
            return Pace::Full;
        }
        let since = *self.since.get_or_insert(now);
        if now.since(since) >= QUIET { Pace::Idle } else { Pace::Full }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_of_quiet_slows_the_probes_and_a_stir_ends_it_at_once() {
        let mut watch = IdleWatch::default();
        let at = |seconds: u64| MonoTime::from_millis(seconds * 1000);
        assert_eq!(watch.after(true, at(10)), Pace::Full);
        assert_eq!(watch.after(true, at(69)), Pace::Full);
        assert_eq!(watch.after(true, at(70)), Pace::Idle);
        assert_eq!(watch.after(false, at(71)), Pace::Full);
        assert_eq!(watch.after(true, at(72)), Pace::Full);
        assert_eq!(watch.after(true, at(132)), Pace::Idle);
    }
}
