//! Whether a reflector's clock is good enough to measure one-way delays: a pure check of its ICMP
//! timestamps (RFC 792: milliseconds since midnight, universal time).
//!
//! The clock's offset is not known and need not be: only the changes of what it says mean
//! something. What counts is that the offset stays where it is. How far the path can make it
//! *seem* to move is bounded: of a round trip of `rtt`, either way may have had any share, so an
//! offset is known to within half of it. A clock that moves further than that has jumped or
//! drifts.

use std::time::Duration;

use wanctl_core::{
    PerDirection,
    units::{Delay, MonoTime},
};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// Milliseconds of a day: a timestamp in order is below this.
const DAY_MS: u32 = 86_400_000;
/// Set by a clock that does not count from midnight UTC (RFC 792).
const NOT_STANDARD: u32 = 0x8000_0000;
/// Longest time between arrival and departure at a reflector, in milliseconds; anything beyond
/// would be missing between up, down and the round trip.
const HELD: i64 = 3;
/// How near to our own clock a swapped timestamp must be to be known as one.
const NEAR: i64 = 60_000_000;
/// Both timestamps are cut to whole milliseconds.
const GRAIN: i64 = 2_000;
/// Steps as coarse as this, in milliseconds, are of no use.
const COARSE: u32 = 10;
/// A clock may run off by this many microseconds a second.
const DRIFT: i64 = 20;
/// How long a clock anchor is what other exchanges are compared with.
const ANCHORED: Duration = Duration::from_mins(10);
/// Equal timestamps this far apart are a clock that stands.
const STANDS: Duration = Duration::from_millis(20);
/// Answers in order that make a clock trusted.
const TRIAL: u8 = 8;
/// Requests in a row without an answer after which nothing is asked for a while.
const MISSED: u8 = 3;
/// How long a reflector with a clock fault, or one that never answered, is not asked again.
const BARRED: Duration = Duration::from_mins(10);
/// The same for one that was in order and fell silent.
const PAUSED: Duration = Duration::from_mins(1);

/// One exchange of timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimestampExchange {
    /// When the request left, in microseconds of the day by our clock.
    pub sent_micros: i64,
    /// When the reflector received it, as it says.
    pub receive: u32,
    /// When the reflector answered, as it says.
    pub transmit: u32,
    /// The round trip by our clock.
    pub rtt: Delay,
}

/// Why a clock is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockFault {
    /// It says itself that it does not count from midnight UTC.
    NotStandard,
    /// Its bytes are in the wrong order.
    Swapped,
    /// It shows a time that no day has.
    OutOfRange,
    /// It stands still.
    Constant,
    /// It counts in steps of 10 ms or more.
    Coarse,
    /// Up and down together are not the round trip.
    Mismatch,
    /// It jumped, or runs too fast or too slow.
    Unsteady,
    /// It does not answer.
    Silent,
}

impl ClockFault {
    /// Returns the reason in plain words.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::NotStandard => "it does not count from midnight UTC",
            Self::Swapped => "its byte order is wrong",
            Self::OutOfRange => "it shows an invalid time of day",
            Self::Constant => "it does not advance",
            Self::Coarse => "it counts in steps of 10 ms or more",
            Self::Mismatch => "its one-way delays do not add up to the round-trip time",
            Self::Unsteady => "it jumps or drifts",
            Self::Silent => "it does not answer",
        }
    }
}

/// The validation of one reflector's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClockValidator {
    standing: Standing,
    missed: u8,
    clock: Option<Known>,
}

#[derive(Debug, Clone, Copy)]
enum Standing {
    /// On trial, with so many answers in order.
    Trial(u8),
    Trusted,
    Barred {
        until: MonoTime,
    },
}

impl Default for Standing {
    fn default() -> Self {
        Self::Trial(0)
    }
}

/// What is known of a clock.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// The exchange with the shortest round trip lately.
    anchor: ClockAnchor,
    last: (MonoTime, u32),
    /// Greatest common divisor of all timestamps of the trial.
    step: u32,
    /// The first way up, in microseconds: the others are relative to it, so that a clock
    /// that is half a day off does not flip.
    up: i64,
}

#[derive(Debug, Clone, Copy)]
struct ClockAnchor {
    at: MonoTime,
    offset: i64,
    rtt: i64,
}

impl ClockValidator {
    /// Returns whether its one-way delays can be used.
    #[must_use]
    pub const fn is_trusted(&self) -> bool {
        matches!(self.standing, Standing::Trusted)
    }

    /// Returns how many answers a trial at `now` would build on; `None` if there is nothing to
    /// try.
    #[must_use]
    pub fn trial(&self, now: MonoTime) -> Option<u8> {
        match self.standing {
            Standing::Trial(answers) => Some(answers),
            Standing::Barred { until } => (now >= until).then_some(0),
            Standing::Trusted => None,
        }
    }

    /// Checks one exchange. Returns the delay up and down, off by the unknown offset of the
    /// clock, the one less what the other is more.
    ///
    /// # Errors
    /// The first [`ClockFault`] found; the clock is not used for a while then.
    pub fn observe(
        &mut self,
        stamps: &TimestampExchange,
        now: MonoTime,
    ) -> Result<PerDirection<Delay>, ClockFault> {
        if let Standing::Barred { .. } = self.standing {
            *self = Self::default();
        }
        self.missed = 0;
        let reported = self.compare(stamps, now);
        match (reported, self.standing) {
            (Err(_), _) => self.bar(now + BARRED),
            (Ok(_), Standing::Trial(answers)) if answers + 1 < TRIAL => {
                self.standing = Standing::Trial(answers + 1);
            }
            (Ok(_), Standing::Trial(_)) => {
                if self.clock.is_some_and(|clock| clock.step % COARSE == 0) {
                    self.bar(now + BARRED);
                    return Err(ClockFault::Coarse);
                }
                self.standing = Standing::Trusted;
            }
            (Ok(_), Standing::Trusted | Standing::Barred { .. }) => {}
        }
        reported
    }

    /// Takes note of a request that was not answered.
    ///
    /// # Errors
    /// [`ClockFault::Silent`] once that is reason enough to ask no more for a while.
    pub fn missed(&mut self, now: MonoTime) -> Result<(), ClockFault> {
        self.missed = self.missed.saturating_add(1);
        if self.missed < MISSED {
            return Ok(());
        }
        self.bar(now + if self.is_trusted() { PAUSED } else { BARRED });
        Err(ClockFault::Silent)
    }

    fn bar(&mut self, until: MonoTime) {
        *self = Self { standing: Standing::Barred { until }, ..Self::default() };
    }

    fn compare(
        &mut self,
        stamps: &TimestampExchange,
        now: MonoTime,
    ) -> Result<PerDirection<Delay>, ClockFault> {
        let TimestampExchange { sent_micros: sent, receive, transmit, rtt } = *stamps;
        let rtt = rtt.micros().clamp(0, DAY / 2);
        in_range(receive, sent)?;
        in_range(transmit, sent)?;
        if let Some(known) = &self.clock
            && known.last.1 == transmit
            && now.since(known.last.0) >= STANDS
        {
            return Err(ClockFault::Constant);
        }
        let held = wrap(micros(transmit) - micros(receive));
        if held < 0 || held > (HELD * 1000).min(rtt + GRAIN) {
            return Err(ClockFault::Mismatch);
        }
        let up = wrap(micros(receive) - sent);
        let down = rtt - held - up;
        let anchor = ClockAnchor { at: now, offset: i64::midpoint(up, -down), rtt };
        let known = self.clock.get_or_insert(Known { anchor, last: (now, transmit), step: 0, up });
        if !anchor.agrees(&known.anchor) {
            return Err(ClockFault::Unsteady);
        }
        if anchor.rtt <= known.anchor.rtt || now.since(known.anchor.at) >= ANCHORED {
            known.anchor = anchor;
        }
        known.last = (now, transmit);
        known.step = divisor(divisor(known.step, receive), transmit);
        let up = known.up + wrap(up - known.up);
        let down = rtt - held - up;
        Ok(PerDirection { upload: Delay::from_micros(up), download: Delay::from_micros(down) })
    }
}

impl ClockAnchor {
    /// Whether the path alone explains how far the offset seems to have moved.
    fn agrees(&self, anchor: &Self) -> bool {
        let seconds = i64::try_from(self.at.since(anchor.at).as_secs()).unwrap_or(DAY);
        let explained = i64::midpoint(self.rtt, anchor.rtt) + GRAIN;
        wrap(self.offset - anchor.offset).abs() <= explained.saturating_add(seconds * DRIFT)
    }
}

/// A timestamp that counts the milliseconds of a day, or why not.
fn in_range(stamp: u32, sent: i64) -> Result<(), ClockFault> {
    let is_near = |stamp: u32| stamp < DAY_MS && wrap(micros(stamp) - sent).abs() <= NEAR;
    if !is_near(stamp) && is_near(stamp.swap_bytes()) {
        return Err(ClockFault::Swapped);
    }
    if stamp & NOT_STANDARD != 0 {
        return Err(ClockFault::NotStandard);
    }
    if stamp >= DAY_MS {
        return Err(ClockFault::OutOfRange);
    }
    Ok(())
}

fn micros(stamp: u32) -> i64 {
    i64::from(stamp) * 1000
}

/// The shortest way around the clock from zero to `span`: midnight is a moment like any other.
fn wrap(span: i64) -> i64 {
    (span + DAY / 2).rem_euclid(DAY) - DAY / 2
}

/// Greatest common divisor; of nothing and a number it is the number.
fn divisor(a: u32, b: u32) -> u32 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests;
