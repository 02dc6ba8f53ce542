//! What two runs of decisions have in common and where they part.

use std::{collections::BTreeMap, time::Duration};

use wanctl_core::units::BitRate;

use super::line::DecidedLine;

/// The decisions of one direction as they were recorded and as they come out now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// Decisions that were compared.
    pub cycles: u64,
    /// Those of them whose rate, reason or state differ.
    pub differing: u64,
    /// The first of these.
    pub first: Option<Difference>,
    /// What was recorded.
    pub recorded: ReplayCounts,
    /// What comes out now.
    pub replayed: ReplayCounts,
}

/// A decision that comes out otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The line of the recording.
    pub line: u64,
    /// Time since the WAN's controller started.
    pub after: Duration,
    /// The recorded rate, reason and state.
    pub recorded: (BitRate, String, String),
    /// The rate, reason and state that come out now.
    pub replayed: (BitRate, String, String),
}

/// What a run of decisions adds up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReplayCounts {
    /// The desired rates.
    pub rates: Rates,
    /// How often the rate fell, by reason.
    pub cuts: BTreeMap<String, u64>,
    /// How often the rate rose, by reason.
    pub raises: BTreeMap<String, u64>,
}

/// How often each rate was desired, to three significant digits; a long recording fits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rates {
    counts: BTreeMap<u64, u64>,
    total: u64,
    sum: f64,
}

impl Rates {
    fn add(&mut self, rate: u64) {
        let scale = 10_u64.pow(rate.checked_ilog10().unwrap_or(0).saturating_sub(2));
        *self.counts.entry(rate / scale * scale).or_default() += 1;
        self.total += 1;
        self.sum += rate as f64;
    }

    /// Returns the mean rate; zero for none.
    #[must_use]
    pub fn mean(&self) -> BitRate {
        BitRate::from_bps(1).scaled(self.sum / (self.total.max(1) as f64))
    }

    /// Returns the rate that a share of `quantile` (0 to 1) does not exceed, to three significant
    /// digits; zero for none.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> BitRate {
        let wanted = quantile.clamp(0.0, 1.0) * self.total as f64;
        let mut seen = 0;
        let found = self.counts.iter().find(|(_, count)| {
            seen += **count;
            seen as f64 >= wanted
        });
        BitRate::from_bps(found.map_or(0, |(rate, _)| *rate))
    }
}

impl ReplayCounts {
    fn add(&mut self, decided: &DecidedLine) {
        let DecidedLine { previous_bps, desired_bps, reason, .. } = decided;
        self.rates.add(*desired_bps);
        let counts = match desired_bps.cmp(previous_bps) {
            std::cmp::Ordering::Less => &mut self.cuts,
            std::cmp::Ordering::Greater => &mut self.raises,
            std::cmp::Ordering::Equal => return,
        };
        // Looked up first: almost always it is there, and no text need be copied.
        match counts.get_mut(reason.as_ref()) {
            Some(count) => *count += 1,
            None => drop(counts.insert(reason.to_string(), 1)),
        }
    }
}

impl Comparison {
    /// Takes in one decision, recorded on `line`, `after` the start.
    pub(super) fn add(
        &mut self,
        line: u64,
        after: Duration,
        recorded: &DecidedLine,
        replayed: &DecidedLine,
    ) {
        self.cycles += 1;
        self.recorded.add(recorded);
        self.replayed.add(replayed);
        if recorded == replayed {
            return;
        }
        self.differing += 1;
        let reported = |decided: &DecidedLine| {
            let DecidedLine { desired_bps, reason, state, .. } = decided;
            (BitRate::from_bps(*desired_bps), reason.to_string(), state.to_string())
        };
        self.first.get_or_insert_with(|| Difference {
            line,
            after,
            recorded: reported(recorded),
            replayed: reported(replayed),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_summed_up_to_three_digits_and_their_mean_is_exact() {
        let mut rates = Rates::default();
        for mbps in 1..=100 {
            rates.add(mbps * 1_000_000 + 4_321);
        }
        assert_eq!(rates.quantile(0.5), BitRate::from_mbps(50.0));
        assert_eq!(rates.quantile(0.95), BitRate::from_mbps(95.0));
        assert_eq!(rates.mean().bps(), 50_504_321);
        assert_eq!(Rates::default().quantile(0.5), BitRate::ZERO);
        rates.add(0);
        rates.add(u64::MAX);
        assert_eq!(rates.quantile(0.0), BitRate::ZERO);
    }
}
