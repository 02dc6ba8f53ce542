//! Whether a reflector is dead: silent for a while although others answer.

use std::time::Duration;

use crate::{params::ReflectorParams, units::MonoTime};

/// What is known of a reflector's silence.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReflectorLiveness {
    params: ReflectorParams,
    has_answered: bool,
    /// When the last reply came, or the first probe without one ended.
    since: Option<MonoTime>,
    asked: Option<MonoTime>,
    /// For how long it has been silent while others answered.
    lasted: Duration,
    probes: u32,
}

impl ReflectorLiveness {
    pub(crate) fn new(params: ReflectorParams) -> Self {
        Self { params, ..Self::default() }
    }

    /// Takes note of a reply.
    pub(crate) fn replied(&mut self, at: MonoTime) {
        let (since, asked) = (Some(at), Some(at));
        *self = Self { has_answered: true, since, asked, ..Self::new(self.params) };
    }

    /// Takes note of a probe without a reply. If nobody answers, that is no fault of this one.
    pub(crate) fn missed(&mut self, at: MonoTime, others_answer: bool) {
        let before = self.asked.replace(at);
        self.since = self.since.or(Some(at));
        if others_answer {
            let apart = before.map_or(Duration::ZERO, |before| at.since(before));
            self.lasted = self.lasted.saturating_add(apart.min(self.params.probe_gap));
            self.probes = self.probes.saturating_add(1);
        }
    }

    /// Returns whether the reflector is dead as of `now`.
    pub(crate) fn is_dead(&self, now: MonoTime) -> bool {
        self.dead_since(now).is_some()
    }

    /// Returns since when the reflector has not answered, if it is dead as of `now`.
    pub(crate) fn dead_since(&self, now: MonoTime) -> Option<MonoTime> {
        let most = if self.has_answered { self.params.dead_after } else { self.params.never_after };
        let is_asked =
            self.asked.is_some_and(|asked| now.since(asked) <= self.params.probed_within);
        let is_dead = self.lasted >= most && self.probes >= self.params.dead_probes;
        self.since.filter(|_| is_asked && is_dead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Misses a probe every 300 ms for `seconds` from `from` on; returns whether it is dead then.
    fn misses(
        liveness: &mut ReflectorLiveness,
        from: u64,
        seconds: u64,
        others_answer: bool,
    ) -> bool {
        let ends = (1..=seconds * 1000 / 300).map(|n| MonoTime::from_millis(from * 1000 + n * 300));
        let last = ends.inspect(|at| liveness.missed(*at, others_answer)).last();
        last.is_some_and(|at| liveness.dead_since(at).is_some())
    }

    #[test]
    fn one_that_never_answered_is_dead_sooner_than_one_that_did() {
        let mut liveness = ReflectorLiveness::default();
        assert!(!misses(&mut liveness, 0, 4, true));
        assert!(misses(&mut liveness, 4, 3, true));
        liveness.replied(MonoTime::from_millis(7_000));
        assert!(!misses(&mut liveness, 7, 29, true));
        assert!(misses(&mut liveness, 36, 3, true));
        let since = liveness.dead_since(MonoTime::from_millis(39_000));
        assert_eq!(since, Some(MonoTime::from_millis(7_000)));
        liveness.replied(MonoTime::from_millis(40_000));
        assert_eq!(liveness.dead_since(MonoTime::from_millis(40_000)), None);
    }

    #[test]
    fn an_outage_of_all_kills_no_reflector_and_neither_does_rest() {
        let mut liveness = ReflectorLiveness::default();
        liveness.replied(MonoTime::ZERO);
        assert!(!misses(&mut liveness, 0, 600, false));
        assert!(misses(&mut liveness, 600, 40, true));
        assert_eq!(liveness.dead_since(MonoTime::from_millis(660_000)), None);
    }
}
