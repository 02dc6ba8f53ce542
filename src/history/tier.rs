//! The tiers: buckets of fixed lengths, each built of the next finer one.

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

/// Length in seconds, name in questions and answers, table, view; in the order of [`Tier`].
const TIERS: [(i64, &str, &str, &str); 4] = [
    (1, "1s", "tier_1s", "seconds"),
    (60, "1m", "tier_1m", "minutes"),
    (300, "5m", "tier_5m", "five_minutes"),
    (3600, "1h", "tier_1h", "hours"),
];

impl Tier {
    /// All tiers, finest first.
    pub const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::FiveMinutes, Self::Hour];

    /// Returns the length of a bucket in seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        TIERS[self as usize].0
    }

    /// Returns its name in questions and answers, such as `5m`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        TIERS[self as usize].1
    }

    /// Returns the tier's table in the database.
    pub(super) const fn table(self) -> &'static str {
        TIERS[self as usize].2
    }

    /// Returns the view that shows the tier to people.
    pub(super) const fn view(self) -> &'static str {
        TIERS[self as usize].3
    }

    /// Returns the level that this tier is built of.
    pub(super) const fn finer(self) -> Level {
        Level::ALL[self as usize]
    }

    /// Returns the tier that is built of this one.
    pub(super) const fn coarser(self) -> Option<Self> {
        Level::Tier(self).coarser()
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

    /// Returns the level's number in the table `mark`: its bucket's seconds, 0 for cycles.
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
            Self::Tier(Tier::Hour) => None,
            Self::Tier(tier) => Some(Tier::ALL[tier as usize + 1]),
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
            if let Level::Tier(finer) = tier.finer() {
                assert_eq!(tier.seconds() % finer.seconds(), 0);
            }
            assert_eq!(tier.finer().coarser(), Some(tier));
        }
    }
}
