//! The congestion states of a direction, with dwell and hysteresis in time.
//!
//! ```text
//!            > yellow          > soft red         > red
//!  GREEN ───────────► YELLOW ───────────► SOFT_RED ──────► RED
//!        ◄───────────        ◄───────────          ◄──────
//!         < yellow − band     < soft red − band     < red − band
//! ```
//!
//! The states are how a person, an alert and steering see the link. A worse state is entered
//! once the delay has stood above its threshold for `worse_after`; a better one, one level at a
//! time, once the delay has stood below the exit threshold for `better_after`.
//!
//! Where no delay is measured the state is `UNKNOWN`, at once. It is left, for the state that the
//! delay has, once a delay has been measured for `worse_after`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::params::StateParams;
use crate::units::{Delay, MonoTime};

/// How congested a direction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CongestionState {
    /// No delay is measured, so nothing is known of a queue. It compares as the least, and is
    /// neither good nor bad.
    Unknown,
    /// No queue of ours stands.
    Green,
    /// A queue begins to stand.
    Yellow,
    /// A queue stands that a person notices.
    SoftRed,
    /// A queue stands that breaks calls.
    Red,
}

impl CongestionState {
    /// All states: unknown, then mildest first.
    pub const ALL: [Self; 5] = [Self::Unknown, Self::Green, Self::Yellow, Self::SoftRed, Self::Red];
    /// The states of a direction whose delay is measured, mildest first.
    pub const MEASURED: [Self; 4] = [Self::Green, Self::Yellow, Self::SoftRed, Self::Red];

    /// Returns the name used in labels and in the history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::SoftRed => "soft_red",
            Self::Red => "red",
        }
    }

    /// Returns what stands for a time in which both states held: the worse, and unknown rather than
    /// green.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, state) | (state, Self::Unknown) if state <= Self::Green => {
                Self::Unknown
            }
            _ => self.max(other),
        }
    }

    const fn milder(self) -> Self {
        match self {
            Self::Unknown => Self::Unknown,
            Self::Green | Self::Yellow => Self::Green,
            Self::SoftRed => Self::Yellow,
            Self::Red => Self::SoftRed,
        }
    }
}

/// Delays over the baseline at which the states begin, each greater than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateThresholds {
    /// GREEN up to here.
    #[serde(rename = "yellow_us")]
    pub yellow: Delay,
    /// YELLOW up to here.
    #[serde(rename = "soft_red_us")]
    pub soft_red: Delay,
    /// SOFT_RED up to here.
    #[serde(rename = "red_us")]
    pub red: Delay,
}

impl StateThresholds {
    /// Returns the threshold above which `state` begins.
    const fn entry(&self, state: CongestionState) -> Delay {
        match state {
            CongestionState::Unknown | CongestionState::Green => Delay::from_micros(i64::MIN),
            CongestionState::Yellow => self.yellow,
            CongestionState::SoftRed => self.soft_red,
            CongestionState::Red => self.red,
        }
    }

    fn exit(&self, state: CongestionState, band: Delay) -> Delay {
        let entry = self.entry(state);
        entry - band.min(entry.scaled(0.5))
    }

    pub(crate) fn classify(&self, delay: Delay) -> CongestionState {
        if delay > self.red {
            CongestionState::Red
        } else if delay > self.soft_red {
            CongestionState::SoftRed
        } else if delay > self.yellow {
            CongestionState::Yellow
        } else {
            CongestionState::Green
        }
    }
}

/// Where a direction stands and since when.
#[derive(Debug, Clone)]
pub(crate) struct StateMachine {
    params: StateParams,
    thresholds: StateThresholds,
    state: CongestionState,
    since: MonoTime,
    worse_since: Option<MonoTime>,
    better_since: Option<MonoTime>,
}

impl StateMachine {
    pub(crate) fn new(params: StateParams, thresholds: StateThresholds, now: MonoTime) -> Self {
        Self {
            params,
            thresholds,
            state: CongestionState::Unknown,
            since: now,
            worse_since: None,
            better_since: None,
        }
    }

    pub(crate) fn state(&self) -> CongestionState {
        self.state
    }

    pub(crate) fn since(&self) -> MonoTime {
        self.since
    }

    /// Moves on by the delay that this direction's traffic causes; `None` if nothing is measured.
    /// Where `noise` exceeds the first threshold all of them begin so much later.
    pub(crate) fn update(&mut self, now: MonoTime, delay: Option<Delay>, noise: Delay) {
        let Some(delay) = delay else {
            self.worse_since = None;
            if self.state != CongestionState::Unknown {
                self.enter(CongestionState::Unknown, now);
            }
            return;
        };
        let delay = delay - (noise - self.thresholds.yellow).max(Delay::ZERO);
        let class = self.thresholds.classify(delay);
        let worse = class > self.state;
        let better = self.state > CongestionState::Green
            && delay < self.thresholds.exit(self.state, self.params.band);
        keep_since(&mut self.worse_since, worse, now);
        keep_since(&mut self.better_since, better, now);
        if lasted(self.worse_since, now, self.params.worse_after) {
            self.enter(class, now);
        } else if lasted(self.better_since, now, self.params.better_after) {
            self.enter(self.state.milder(), now);
        }
    }

    fn enter(&mut self, state: CongestionState, now: MonoTime) {
        self.state = state;
        self.since = now;
        self.worse_since = None;
        self.better_since = None;
    }
}

fn keep_since(since: &mut Option<MonoTime>, holds: bool, now: MonoTime) {
    *since = if holds { since.or(Some(now)) } else { None };
}

fn lasted(since: Option<MonoTime>, now: MonoTime, span: Duration) -> bool {
    since.is_some_and(|since| now.since(since) >= span)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLDS: StateThresholds = StateThresholds {
        yellow: Delay::from_micros(15_000),
        soft_red: Delay::from_micros(45_000),
        red: Delay::from_micros(80_000),
    };

    /// Feeds `delay_ms` every 50 ms for `millis` and returns the state.
    fn feed(
        m: &mut StateMachine,
        now: &mut MonoTime,
        millis: u64,
        delay_ms: f64,
    ) -> CongestionState {
        for _ in 0..=millis / 50 {
            *now = *now + Duration::from_millis(50);
            m.update(*now, Some(Delay::from_millis_f64(delay_ms)), Delay::ZERO);
        }
        m.state()
    }

    #[test]
    fn no_state_begins_within_the_noise() {
        let noise = Delay::from_micros(35_000);
        let (mut m, mut now) =
            (StateMachine::new(StateParams::default(), THRESHOLDS, MonoTime::ZERO), MonoTime::ZERO);
        for (delay_ms, state) in [
            (34.0, CongestionState::Green),
            (60.0, CongestionState::Yellow),
            (70.0, CongestionState::SoftRed),
        ] {
            for _ in 0..4 {
                now = now + Duration::from_millis(50);
                m.update(now, Some(Delay::from_millis_f64(delay_ms)), noise);
            }
            assert_eq!(m.state(), state, "{delay_ms} ms");
        }
    }

    #[test]
    fn every_pair_of_state_and_delay_leads_where_the_diagram_says() {
        use CongestionState::{Green, Red, SoftRed, Yellow};
        // Start state (by the delay that leads there), delay, state after 150 ms, after 2 s.
        for (start, delay, soon, later) in [
            (0.0, 10.0, Green, Green),
            (0.0, 20.0, Yellow, Yellow),
            (0.0, 60.0, SoftRed, SoftRed),
            (0.0, 100.0, Red, Red),
            (20.0, 13.0, Yellow, Yellow), // inside the band: stays
            (20.0, 11.0, Yellow, Green),
            (60.0, 43.0, SoftRed, SoftRed),
            (60.0, 20.0, SoftRed, Yellow),
            (100.0, 78.0, Red, Red),
            (100.0, 0.0, Red, Green), // level by level, each with its dwell
            (20.0, 100.0, Red, Red),
        ] {
            let (mut m, mut now) = (
                StateMachine::new(StateParams::default(), THRESHOLDS, MonoTime::ZERO),
                MonoTime::ZERO,
            );
            feed(&mut m, &mut now, 1000, start);
            assert_eq!(feed(&mut m, &mut now, 150, delay), soon, "{start} -> {delay}, soon");
            assert_eq!(feed(&mut m, &mut now, 2000, delay), later, "{start} -> {delay}, later");
        }
    }

    #[test]
    fn what_is_partly_unknown_is_not_shown_as_green() {
        use CongestionState::{Green, Red, Unknown, Yellow};
        for (one, other, shown) in [
            (Unknown, Unknown, Unknown),
            (Unknown, Green, Unknown),
            (Unknown, Yellow, Yellow),
            (Green, Green, Green),
            (Green, Red, Red),
        ] {
            assert_eq!((one.worse(other), other.worse(one)), (shown, shown));
        }
    }

    #[test]
    fn a_spike_shorter_than_the_dwell_changes_nothing() {
        let (mut m, mut now) =
            (StateMachine::new(StateParams::default(), THRESHOLDS, MonoTime::ZERO), MonoTime::ZERO);
        feed(&mut m, &mut now, 150, 1.0);
        for _ in 0..20 {
            assert_eq!(feed(&mut m, &mut now, 0, 300.0), CongestionState::Green);
            assert_eq!(feed(&mut m, &mut now, 200, 1.0), CongestionState::Green);
        }
    }

    #[test]
    fn a_threshold_smaller_than_the_band_can_be_left() {
        let tight = StateThresholds { yellow: Delay::from_micros(1_400), ..THRESHOLDS };
        let (mut m, mut now) =
            (StateMachine::new(StateParams::default(), tight, MonoTime::ZERO), MonoTime::ZERO);
        assert_eq!(feed(&mut m, &mut now, 500, 2.0), CongestionState::Yellow);
        assert_eq!(feed(&mut m, &mut now, 500, 0.5), CongestionState::Green);
    }

    #[test]
    fn without_a_delay_the_state_is_unknown_until_one_has_lasted() {
        let (mut m, mut now) =
            (StateMachine::new(StateParams::default(), THRESHOLDS, MonoTime::ZERO), MonoTime::ZERO);
        assert_eq!(m.state(), CongestionState::Unknown);
        for (delay, state) in [(60.0, CongestionState::SoftRed), (1.0, CongestionState::Green)] {
            assert_eq!(feed(&mut m, &mut now, 50, delay), CongestionState::Unknown);
            assert_eq!(feed(&mut m, &mut now, 50, delay), state);
            let measured_until = now;
            for _ in 0..100 {
                now = now + Duration::from_millis(50);
                m.update(now, None, Delay::ZERO);
                assert_eq!(m.state(), CongestionState::Unknown);
            }
            assert_eq!(m.since(), measured_until + Duration::from_millis(50));
        }
    }
}
