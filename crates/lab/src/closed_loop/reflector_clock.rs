//! A reflector's clock as ICMP timestamps show it: ahead of ours, drifting, in whole milliseconds.

use wanctl_core::{
    PerDirection, ReflectorId,
    units::{Delay, MonoTime},
};

/// How far a reflector's clock is ahead, times its number: seconds apart, as unkempt clocks are.
const AHEAD: i64 = 1_234_567;
/// How fast it drifts, in millionths: what an undisciplined crystal does.
const DRIFT: i64 = 20;

/// Returns the ways as a client reckons them of a reply that took `rtt`, `up` of it to the reflector.
pub(super) fn timestamps(
    reflector: ReflectorId,
    at: MonoTime,
    rtt: Delay,
    up: Delay,
) -> PerDirection<Delay> {
    let arrived = i64::try_from(at.since_start().as_micros()).unwrap_or(i64::MAX);
    let sent = arrived - rtt.micros();
    let reflected = sent + up.micros();
    let ahead = AHEAD * (i64::from(reflector.0) + 1) + reflected / 1_000_000 * DRIFT;
    let stamp = (reflected + ahead).div_euclid(1000) * 1000;
    PerDirection {
        download: Delay::from_micros(arrived - stamp),
        upload: Delay::from_micros(stamp - sent),
    }
}
