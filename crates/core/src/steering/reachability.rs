//! Whether a WAN is dead, which is something else than congested.
//!
//! ```text
//!           targets answer for `answering`
//!  UNKNOWN ───────────────────────────────► UP
//!     │                                   │    ▲
//!     │ silence                  silence  │    │ targets answer for `answering`
//!     └────────────────► DOWN ◄───────────┘    │
//!                          └───────────────────┘
//! ```
//!
//! A WAN is silent when nothing has answered through its own source for `silence`, although at
//! least `quorum` distinct reflectors used to (or, right after the start, that many were asked). One
//! target that answers is enough to be alive. Silence counts only while somebody watches.
//!
//! A WAN none of whose probes can be sent counts as silent as well, whatever its targets did
//! before, once another WAN's probes have been sent for `silence`: its device, its address or its
//! route is gone. If no WAN's probes can be sent, the fault is on this side and proves nothing about
//! any of them, and where that ends each WAN gets as long to come back.
//!
//! Congestion is not silence. While a download still comes through the WAN, the missing replies
//! are probably late, and it takes `LATE` times as long until they count as silence.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::{FailoverParams, flap_damping::Since};
use crate::{Cycle, LoadClass, MeasurementState, ProbeOutcome, SendStatus, units::MonoTime};

/// Targets that answered within this time before the last answer of any used to answer: in a WAN
/// that dies by and by, the last target to fall is not the only one.
const USED_TO_ANSWER: Duration = Duration::from_mins(10);
/// So many times the silence passes for a queue while a download comes through: deeper queues
/// than that are an outage for everybody who uses the link.
const LATE: u32 = 4;

/// Whether a WAN is reachable.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Reach {
    /// Neither proven.
    Unknown,
    /// Targets answer, and have for a while.
    Up,
    /// No target answers.
    Down,
}

named!(Reach::name);

/// The evidence of a single cycle.
enum Sign {
    Answers,
    Silence,
    Neither,
}

#[derive(Debug, Clone)]
pub(super) struct Reachability {
    reach: Reach,
    since: MonoTime,
    /// Since when somebody has watched without a gap.
    watched: Option<MonoTime>,
    answering: Since,
    send_status: SendStatus,
    /// Since when another WAN's probes can be sent without a gap.
    others: Since,
    /// Since the last reply: a probe was lost, a probe could not be sent.
    lost: bool,
    unsent: bool,
}

impl Reachability {
    pub(super) fn new(now: MonoTime) -> Self {
        Self {
            reach: Reach::Unknown,
            since: now,
            watched: None,
            answering: Since::default(),
            send_status: SendStatus::default(),
            others: Since::default(),
            lost: false,
            unsent: false,
        }
    }

    pub(super) const fn reach(&self) -> Reach {
        self.reach
    }

    pub(super) const fn since(&self) -> MonoTime {
        self.since
    }

    /// Takes note of a gap: earlier evidence does not count any more.
    pub(super) fn interrupted(&mut self) {
        self.watched = None;
        self.answering = Since::default();
        self.others = Since::default();
    }

    /// Since when none of the WAN's probes can be sent; `None` if some can, or if that is not
    /// known.
    pub(super) fn cannot_send_since(
        &self,
        now: MonoTime,
        params: &FailoverParams,
    ) -> Option<MonoTime> {
        self.send_status.cannot_send_since(now, params.dead_after)
    }

    /// Returns whether the WAN's probes can be sent.
    pub(super) fn can_send(&self, now: MonoTime) -> bool {
        self.send_status.can_send(now)
    }

    /// Takes in a cycle. `others_send`: another WAN's probes can be sent.
    pub(super) fn update(&mut self, cycle: &Cycle, others_send: bool, params: &FailoverParams) {
        let now = cycle.at;
        self.note_samples(cycle);
        self.others.keep(others_send, now);
        let watched = *self.watched.get_or_insert(now);
        let sign = self.sign(cycle, now.since(watched), params);
        self.answering.keep(matches!(sign, Sign::Answers), now);
        let proven = self.answering.lasted(now, params.recovery);
        let next = match (self.reach, sign) {
            (Reach::Unknown | Reach::Up, Sign::Silence) => Reach::Down,
            (Reach::Unknown | Reach::Down, Sign::Answers) if proven => Reach::Up,
            (reach @ (Reach::Unknown | Reach::Up), Sign::Answers | Sign::Neither)
            | (reach @ Reach::Down, Sign::Answers | Sign::Neither | Sign::Silence) => reach,
        };
        if next != self.reach {
            (self.reach, self.since) = (next, now);
        }
    }

    fn note_samples(&mut self, cycle: &Cycle) {
        for sample in &cycle.samples {
            self.send_status.update(sample);
            match sample.outcome {
                ProbeOutcome::Reply(_) => (self.lost, self.unsent) = (false, false),
                ProbeOutcome::Lost => self.lost = true,
                ProbeOutcome::Unsent => self.unsent = true,
            }
        }
    }

    fn sign(&self, cycle: &Cycle, watched: Duration, params: &FailoverParams) -> Sign {
        let measurement = &cycle.measurement;
        let silence = measurement.age.map_or(watched, |age| age.min(watched));
        if silence >= params.dead_after {
            let is_silent = if self.cannot_send_since(cycle.at, params).is_some() {
                // After a common outage the first WAN that can send again proves nothing yet.
                self.others.lasted(cycle.at, params.dead_after)
            } else {
                let sent = self.lost || !self.unsent;
                let is_late = flows(cycle) && silence < params.dead_after * LATE;
                sent && !is_late && answering_reflectors(cycle) >= params.quorum
            };
            return if is_silent { Sign::Silence } else { Sign::Neither };
        }
        let answers = match measurement.state {
            MeasurementState::Healthy | MeasurementState::Reduced | MeasurementState::Bypass => {
                measurement.fresh >= params.quorum
            }
            MeasurementState::Starting
            | MeasurementState::Collapsed
            | MeasurementState::Stalled
            | MeasurementState::CannotSend => false,
        };
        if answers { Sign::Answers } else { Sign::Neither }
    }
}

/// Returns whether a download comes through the WAN. Uploads say nothing: the shaper sees them before
/// the link does; nor does a download that is not shaped, whose traffic is not known.
fn flows(cycle: &Cycle) -> bool {
    let class = cycle.directions.download.map(|download| download.load.class);
    matches!(class, Some(LoadClass::Low | LoadClass::High))
}

/// Counts the targets whose silence means something.
fn answering_reflectors(cycle: &Cycle) -> u16 {
    let replies = || cycle.reflectors.iter().filter_map(|reflector| reflector.last_reply);
    let count = match replies().max() {
        Some(last) => replies().filter(|at| last.since(*at) <= USED_TO_ANSWER).count(),
        None if cycle.measurement.state == MeasurementState::Starting => 0,
        None => cycle.reflectors.len(),
    };
    u16::try_from(count).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
