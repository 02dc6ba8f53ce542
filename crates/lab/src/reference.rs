//! The laws that ours are compared with: our own code, from what is known of their behaviour, with
//! their published defaults. For comparison only; nothing that steers a router uses them.
//!
//! | name | law |
//! |---|---|
//! | `proportional-reference` | [`Proportional`]: cuts by the mean delay, raises gated by load |
//! | `median-vote-reference` | [`MedianVote`]: one delay by vote, rates that were safe are replayed |
//! | `fixed-p5`, `fixed-p50` | [`FixedRates`] at a [`percentile`] of the capacity |
//! | `oracle` | [`Oracle`]: knows the capacity, the bound that none can pass |

mod delivery_rate;
mod median_vote;
mod oracle;
mod percentile;
mod proportional;

pub use median_vote::MedianVote;
pub use oracle::Oracle;
pub use percentile::{FixedRates, percentile};
pub use proportional::{Proportional, ProportionalParams};
