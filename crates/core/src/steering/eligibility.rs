//! Whether another WAN may be moved to.

use super::{Blocker, FailoverParams, Reach, SteerParams, WanFacts, watch::Watch};
use crate::{
    CongestionState, MeasurementState,
    units::{Delay, MonoTime},
};

/// Returns whether a WAN is verified healthy, which a WAN must be before anything is moved to it:
///
/// 1. its cycle is fresh, AND
/// 2. it has been proven up, AND
/// 3. enough of its targets answer now, AND
/// 4. one answered within half the silence that makes a WAN dead. What fails along with the
///    other WAN (a cable that both share) is thereby found out in time.
pub(super) fn verified(
    watch: &Watch,
    params: &FailoverParams,
    now: MonoTime,
) -> Result<(), Blocker> {
    let snapshot = watch.snapshot(now).ok_or(Blocker::AlternateStale)?;
    match watch.reach() {
        Reach::Down => return Err(Blocker::AlternateDown),
        Reach::Unknown => return Err(Blocker::AlternateUnverified),
        Reach::Up => {}
    }
    let is_healthy = snapshot.measurement.state == MeasurementState::Healthy;
    if is_healthy && watch.replied_within(now, params.dead_after / 2) {
        Ok(())
    } else {
        Err(Blocker::AlternateUnverified)
    }
}

/// Returns whether connections may be moved to a WAN because of congestion: it is verified, has no
/// queue of its own, has headroom, costs nothing, and its round trip is shorter than `rtt`, that of
/// the WAN that is left.
pub(super) fn eligible(
    watch: &Watch,
    facts: &WanFacts,
    rtt: Option<Delay>,
    (steer, failover): (&SteerParams, &FailoverParams),
    now: MonoTime,
) -> Result<(), Blocker> {
    verified(watch, failover, now)?;
    if facts.metered && !steer.allow_metered {
        return Err(Blocker::AlternateMetered);
    }
    let snapshot = watch.snapshot(now).ok_or(Blocker::AlternateStale)?;
    if snapshot.state == CongestionState::Unknown {
        return Err(Blocker::AlternateUnverified);
    }
    if snapshot.state > CongestionState::Yellow {
        return Err(Blocker::AlternateCongested);
    }
    let share = snapshot.share.ok_or(Blocker::AlternateLoadUnknown)?;
    if share >= steer.headroom {
        return Err(Blocker::AlternateLoaded);
    }
    match (rtt, snapshot.measurement.rtt, steer.gain) {
        (Some(here), Some(there), Some(gain)) if there + gain > here => {
            Err(Blocker::AlternateNotBetter)
        }
        (_, _, _) => Ok(()),
    }
}
