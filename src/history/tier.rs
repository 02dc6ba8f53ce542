//! The tiers: buckets of fixed lengths, each built of the next finer one.

use std::time::Duration;

/// A tier of buckets. Buckets are aligned to the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// One second.
    Second,
    /// One minute.
    Minute,
    /// Five minutes.
    FiveMinutes,
    /// One hour.
    Hour,
}

impl Tier {
    /// All tiers, finest first.
    pub const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::FiveMinutes, Self::Hour];

    /// Returns the length of a bucket in seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::Hour => 3600,
        }
    }

    /// Returns the length of a bucket.
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(self.seconds().unsigned_abs())
    }

    /// Returns the tier's table in the database.
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::Second => "tier_1s",
            Self::Minute => "tier_1m",
            Self::FiveMinutes => "tier_5m",
            Self::Hour => "tier_1h",
        }
    }

    /// Returns the view that shows the tier to people.
    pub(super) const fn view(self) -> &'static str {
        match self {
            Self::Second => "seconds",
            Self::Minute => "minutes",
            Self::FiveMinutes => "five_minutes",
            Self::Hour => "hours",
        }
    }

    /// Returns the tier that this one is built of; `None` for the finest, built of cycles.
    pub(super) const fn finer(self) -> Option<Self> {
        match self {
            Self::Second => None,
            Self::Minute => Some(Self::Second),
            Self::FiveMinutes => Some(Self::Minute),
            Self::Hour => Some(Self::FiveMinutes),
        }
    }

    /// Returns the tier that is built of this one.
    pub(super) const fn coarser(self) -> Option<Self> {
        match self {
            Self::Second => Some(Self::Minute),
            Self::Minute => Some(Self::FiveMinutes),
            Self::FiveMinutes => Some(Self::Hour),
            Self::Hour => None,
        }
    }

    /// Returns the start of the bucket that holds the second `at`.
    pub(super) const fn floor(self, at: i64) -> i64 {
        at - at.rem_euclid(self.seconds())
    }

    /// Returns the first start of a bucket from the second `at` on.
    pub(super) const fn ceil(self, at: i64) -> i64 {
        let floor = self.floor(at);
        if floor == at { at } else { floor.saturating_add(self.seconds()) }
    }
}

/// What holds rows: the cycles themselves or a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Level {
    /// One row for each cycle.
    Raw,
    /// One row for each bucket.
    Tier(Tier),
}

impl Level {
    /// All levels, finest first.
    pub(super) const ALL: [Self; 5] = [
        Self::Raw,
        Self::Tier(Tier::Second),
        Self::Tier(Tier::Minute),
        Self::Tier(Tier::FiveMinutes),
        Self::Tier(Tier::Hour),
    ];

    /// Returns what stands for the level in the table `mark`: its bucket's seconds, 0 for cycles.
    pub(super) const fn mark(self) -> i64 {
        match self {
            Self::Raw => 0,
            Self::Tier(tier) => tier.seconds(),
        }
    }

    /// Returns the tier that is built of this level.
    pub(super) const fn coarser(self) -> Option<Tier> {
        match self {
            Self::Raw => Some(Tier::Second),
            Self::Tier(tier) => tier.coarser(),
        }
    }

    /// Returns the tier whose buckets are the steps in which this level is forgotten: a coarser
    /// bucket stands for all of its finer rows or for none.
    pub(super) const fn step(self) -> Tier {
        match self.coarser() {
            Some(tier) => tier,
            None => Tier::Hour,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_aligned_before_the_epoch_too() {
        assert_eq!((Tier::Minute.floor(119), Tier::Minute.ceil(119)), (60, 120));
        assert_eq!((Tier::Minute.floor(-1), Tier::Minute.ceil(-1)), (-60, 0));
        assert_eq!((Tier::Minute.floor(120), Tier::Minute.ceil(120)), (120, 120));
        assert_eq!(Tier::Hour.ceil(i64::MAX), i64::MAX);
    }

    #[test]
    fn each_tier_is_made_of_whole_buckets_of_the_finer() {
        for tier in Tier::ALL {
            if let Some(finer) = tier.finer() {
                assert_eq!(tier.seconds() % finer.seconds(), 0);
                assert_eq!(finer.coarser(), Some(tier));
            }
        }
    }
}
