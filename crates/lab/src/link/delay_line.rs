//! Ways on which nothing waits, but everything takes its time.

use std::collections::VecDeque;

use super::parcel::{Parcel, Ride};

/// A way on which nothing overtakes.
#[derive(Debug, Clone, Default)]
pub(super) struct DelayLine {
    /// With the time at which it arrives.
    underway: VecDeque<(f64, Parcel)>,
}

impl DelayLine {
    pub(super) fn put(&mut self, due: f64, parcel: Parcel) {
        let last = self.underway.back().map_or(due, |(last, _)| *last);
        self.underway.push_back((due.max(last), parcel));
    }

    /// Takes the next one that has arrived by `now`.
    pub(super) fn take(&mut self, now: f64) -> Option<Parcel> {
        let (_, parcel) = self.underway.pop_front_if(|(due, _)| *due <= now + ROUNDING)?;
        Some(parcel)
    }

    #[cfg(test)]
    pub(super) fn parcels(&self) -> impl Iterator<Item = &Parcel> {
        self.underway.iter().map(|(_, parcel)| parcel)
    }
}

/// Ways of different lengths, each for one sparse packet at a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Journeys {
    underway: Vec<(f64, Ride)>,
}

impl Journeys {
    pub(super) fn put(&mut self, due: f64, ride: Ride) {
        self.underway.push((due, ride));
    }

    /// Takes one that has arrived by `now`.
    pub(super) fn take(&mut self, now: f64) -> Option<Ride> {
        let place = self.underway.iter().position(|(due, _)| *due <= now + ROUNDING)?;
        Some(self.underway.remove(place).1)
    }
}

/// Times are sums of steps: so much, in seconds, may be the rounding's fault.
const ROUNDING: f64 = 1e-7;
