//! What the last replies say about a queue, whichever reflectors they came from.
//!
//! A queue of ours delays every packet; noise delays one now and then. So the middle of the last
//! three replies says how deep the queue is, and their least how much of it surely stands.

use std::{collections::VecDeque, time::Duration};

use crate::units::{Delay, MonoTime};
use crate::{Direction, PerDirection, params::QueueParams};

/// How many replies make a finding: an outlier among three is outvoted, and at twenty replies a
/// second three take no longer than a person's blink.
const ROUND: usize = 3;
/// How many replies are kept: enough that a finding can look back before its cause.
const REPLY_HISTORY: usize = 8;

/// One reply, compared with its reflector's baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProbeReply {
    /// When the probe was sent.
    pub(crate) sent: MonoTime,
    /// When the reply arrived.
    pub(crate) at: MonoTime,
    /// Its delay over the baseline; may be negative.
    pub(crate) delta: Delay,
    /// How that is shared out between the ways, if the reflector measures that.
    pub(crate) split: Option<PerDirection<Delay>>,
}

/// What the last replies say about a queue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct QueueSignal {
    /// The least delay of the round: what surely stands.
    pub(crate) standing: Delay,
    /// The middle delay of the round: how deep the queue is.
    pub(crate) depth: Delay,
    /// Seconds by which the delay has grown in a second; zero if that is unknown.
    pub(crate) growth: f64,
    /// All of this is the delay of one direction alone.
    pub(crate) is_own: bool,
}

/// The last replies of a WAN, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replies {
    params: QueueParams,
    kept: VecDeque<ProbeReply>,
}

impl Replies {
    pub(crate) fn new(params: QueueParams) -> Self {
        Self { params, ..Self::default() }
    }

    pub(crate) fn push(&mut self, reply: ProbeReply) {
        if self.kept.len() == REPLY_HISTORY {
            self.kept.pop_front();
        }
        self.kept.push_back(reply);
    }

    /// Returns what the last round says, of probes sent at `since` or later: about `direction` alone
    /// if the reflectors measure one-way delays, else about the round trip.
    ///
    /// Silence is evidence, too: where a reply is overdue, the queue is at least that deep.
    pub(crate) fn queue_signal(
        &self,
        since: MonoTime,
        overdue: Option<Delay>,
        direction: Direction,
    ) -> Option<QueueSignal> {
        let newest = self.kept.back()?;
        let round: Vec<&ProbeReply> = self
            .kept
            .iter()
            .rev()
            .take(ROUND - usize::from(overdue.is_some()))
            .filter(|reply| {
                reply.sent >= since && newest.at.since(reply.at) <= self.params.round_within
            })
            .collect();
        let share = self.share(newest, direction).filter(|_| overdue.is_none());
        let is_own = share.is_some();
        let delay = |reply: &ProbeReply| match (share, reply.split) {
            (None, _) => reply.delta,
            (Some(_), Some(split)) => split[direction],
            (Some(share), None) => reply.delta.scaled(share),
        };
        let mut delays: Vec<Delay> =
            round.iter().map(|reply| delay(reply)).chain(overdue).collect();
        delays.sort_unstable();
        let middle = delays.len().div_ceil(2);
        match delays.as_slice() {
            // Two are too few for a vote, but enough if both say so.
            [_, _] | [_, _, _] => Some(QueueSignal {
                standing: *delays.first()?,
                depth: *delays.get(middle.saturating_sub(1))?,
                growth: self.growth(newest, delay),
                is_own,
            }),
            _ => None,
        }
    }

    /// The share of the delay that the last reply with one-way delays attributes to
    /// `direction`. A reflector that does not measure that meets the same queue at about the same time.
    fn share(&self, newest: &ProbeReply, direction: Direction) -> Option<f64> {
        let measured = self.kept.iter().rev().find(|reply| reply.split.is_some())?;
        if newest.at.since(measured.at) > self.params.split_shared_for {
            return None;
        }
        if measured.delta <= Delay::ZERO {
            return Some(0.5);
        }
        Some(measured.split?[direction].seconds() / measured.delta.seconds())
    }

    /// Returns by how much the next reply is overdue as of `now`, counting from `since` on: a lower
    /// bound of the queue that holds it up. Probes lost for no reason must not count, so a few
    /// may be missing.
    pub(crate) fn overdue(
        &self,
        now: MonoTime,
        since: MonoTime,
        interval: Duration,
    ) -> Option<Delay> {
        let newest = self.kept.back()?;
        let silence =
            now.since(newest.at.max(since)).checked_sub(interval * self.params.overdue_probes)?;
        Some(newest.delta + Delay::from(silence))
    }

    /// How quickly the delay has grown since the last probe that met a third of it or less.
    fn growth(&self, newest: &ProbeReply, delay: impl Fn(&ProbeReply) -> Delay) -> f64 {
        let little = delay(newest).scaled(self.params.growth_from);
        let Some(calm) = self.kept.iter().rev().find(|reply| delay(reply) <= little) else {
            return 0.0;
        };
        let grown = (delay(newest) - delay(calm)).seconds().max(0.0);
        let within = newest.sent.since(calm.sent).as_secs_f64();
        if within > 0.0 { grown / within } else { 0.0 }
    }
}
