//! What the reflectors say together: per-reflector deltas, a robust middle, and a vote.
//!
//! Absolute delays of different targets are never blended, because a server further away is not
//! a queue. Each reflector is compared with its own baseline, and only the differences meet.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    baseline::{Baseline, Traffic},
    delay_split::DelaySplit,
    noise::Noise,
    reflector_liveness::ReflectorLiveness,
    replies::{QueueSignal, Replies},
};
use crate::units::{Delay, MonoTime};
use crate::{
    Measurement, MeasurementState, PerDirection, ProbeOutcome, ReflectorId, ReflectorView,
    RttSample, SendStatus, estimate::replies, params::EstimateParams,
};

/// Lost probes that are remembered in case their replies are late: those of the last six seconds.
const LATE_PROBES: usize = 128;

/// How evidence is gathered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EvidenceParams {
    /// How many reflectors the WAN has (1 or more).
    pub reflectors: u16,
    /// Age up to which a reflector's last reply counts.
    #[serde(rename = "stale_after_ns", with = "crate::units::nanos")]
    pub stale_after: Duration,
    /// Time between two probes of the WAN.
    #[serde(rename = "probe_interval_ns", with = "crate::units::nanos")]
    pub probe_interval: Duration,
    /// Delay over the baseline from which a reflector counts as delayed.
    #[serde(rename = "queue_threshold_us")]
    pub queue_threshold: Delay,
}

#[derive(Debug, Clone, Default)]
struct Reflector {
    baseline: Baseline,
    delay_split: DelaySplit,
    last: Option<ReflectorReply>,
    /// When the outcome of a probe was known last.
    heard: Option<MonoTime>,
    jitter: Option<Delay>,
    losses: Losses,
    liveness: ReflectorLiveness,
    /// Replies in a row above the queue threshold.
    streak: u32,
}

/// The share of probes that was lost lately.
#[derive(Debug, Clone, Default)]
struct Losses {
    /// Probes that the share goes back.
    memory: u32,
    share: f64,
    outcomes: u64,
    /// The sequence numbers of probes counted as lost, and how many outcomes were known by then.
    lost: VecDeque<(u64, u64)>,
}

#[derive(Debug, Clone, Copy)]
struct ReflectorReply {
    at: MonoTime,
    rtt: Delay,
    delta: Delay,
}

/// The reflectors of one WAN.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    params: EvidenceParams,
    tuning: EstimateParams,
    started: MonoTime,
    reflectors: Vec<Reflector>,
    send_status: SendStatus,
    replies: Replies,
    noise: Noise,
}

/// The reflectors' verdict on the delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quorum {
    /// Reflectors that are delayed.
    pub(crate) delayed: usize,
    /// Whether enough are delayed.
    pub(crate) reached: bool,
}

impl Evidence {
    pub(crate) fn new(params: EvidenceParams, tuning: &EstimateParams, now: MonoTime) -> Self {
        let reflectors = vec![Reflector::new(tuning); usize::from(params.reflectors)];
        Self {
            params,
            tuning: *tuning,
            started: now,
            reflectors,
            send_status: SendStatus::default(),
            replies: Replies::new(tuning.queue),
            noise: Noise::new(tuning.noise),
        }
    }

    /// Returns the final baseline of each reflector, in the order of the configuration.
    pub(crate) fn baselines(&self) -> Vec<Option<Delay>> {
        let learned = |baseline: &Baseline| baseline.value().filter(|_| !baseline.is_provisional());
        self.reflectors.iter().map(|reflector| learned(&reflector.baseline)).collect()
    }

    /// Starts from baselines that were learned before; reflectors beyond the list start anew.
    pub(crate) fn restore(&mut self, baselines: &[Option<Delay>]) {
        let params = self.tuning.baseline;
        for (reflector, baseline) in self.reflectors.iter_mut().zip(baselines) {
            reflector.baseline =
                baseline.map_or(Baseline::new(params), |delay| Baseline::remembered(params, delay));
        }
    }

    /// Takes one probe outcome into account, which came under `traffic`.
    pub(crate) fn update(&mut self, sample: &RttSample, traffic: Traffic) {
        self.send_status.update(sample);
        let others_answer = self.reflectors.iter().enumerate().any(|(place, other)| {
            place != usize::from(sample.reflector.0) && self.fresh_reply(other, sample.at).is_some()
        });
        let threshold = self.queue_threshold();
        let jitter_memory = self.tuning.reflectors.jitter_memory;
        let Some(reflector) = self.reflectors.get_mut(usize::from(sample.reflector.0)) else {
            return;
        };
        if sample.outcome != ProbeOutcome::Unsent {
            reflector.heard = Some(sample.at);
        }
        match sample.outcome {
            ProbeOutcome::Reply(rtt) => {
                reflector.losses.replied(sample.sequence);
                reflector.liveness.replied(sample.at);
                reflector.reply((sample.at, rtt), traffic, threshold, jitter_memory);
                if let Some(ReflectorReply { at, rtt, delta }) = reflector.last {
                    let sent = MonoTime::from_start(at.since_start().saturating_sub(path(rtt)));
                    let split = sample
                        .one_way
                        .and_then(|one_way| reflector.delay_split.split(at, delta, one_way));
                    self.replies.push(replies::ProbeReply { sent, at, delta, split });
                    self.noise.update(delta, traffic == Traffic::Quiet);
                }
            }
            ProbeOutcome::Lost => {
                reflector.losses.lost(sample.sequence);
                reflector.liveness.missed(sample.at, others_answer);
            }
            // No loss: the fault is on this side. But one to which nothing can be sent while others
            // answer, for want of IPv6 perhaps, is of no more use than a dead one.
            ProbeOutcome::Unsent => reflector.liveness.missed(sample.at, others_answer),
        }
    }

    /// Counts the delayed reflectors among the fresh replies to probes sent at `since` or later.
    pub(crate) fn quorum(&self, now: MonoTime, since: MonoTime) -> Quorum {
        let fresh = self.fresh(now);
        let threshold = self.queue_threshold();
        let is_vote = |reply: &ReflectorReply| reply.delta > threshold && reply.sent() >= since;
        let delayed = fresh.iter().filter(|(_, reply)| is_vote(reply)).count();
        let reached = match fresh.as_slice() {
            // One reflector is no quorum: it has to say so twice.
            [(only, _)] => only.streak >= 2 && delayed > 0,
            several => delayed >= quorum_size(several.len()),
        };
        Quorum { delayed, reached }
    }

    /// Returns how much the delay strays while the link is idle.
    pub(crate) fn noise(&self) -> Noise {
        self.noise
    }

    /// Noise makes no reflector count as delayed.
    fn queue_threshold(&self) -> Delay {
        self.params.queue_threshold.max(self.noise.middle())
    }

    /// Returns what the last replies to probes sent at `since` or later say about a queue.
    pub(crate) fn queue_signals(
        &self,
        now: MonoTime,
        since: PerDirection<Option<MonoTime>>,
    ) -> PerDirection<Option<QueueSignal>> {
        let interval = self.reply_interval(now);
        PerDirection::build(|direction| {
            let since = since[direction]?;
            let overdue = self.replies.overdue(now, since, interval);
            self.replies.queue_signal(since, overdue, direction)
        })
    }

    /// Returns whether replies are recent, and baselines final or old enough, to raise a rate on.
    pub(crate) fn has_sufficient_evidence(&self, now: MonoTime) -> bool {
        let last = self.reflectors.iter().filter_map(|r| r.last).max_by_key(|reply| reply.at);
        let recent = last.is_some_and(|reply| {
            let usual = self.reply_interval(now) * self.tuning.reflectors.silent_probes;
            now.since(reply.at) <= usual.saturating_add(reply.path())
        });
        let founded = self.reflectors.iter().any(|r| r.baseline.is_founded(now));
        recent && founded
    }

    /// Combines the fresh replies as of `now`. `traffic`: anything flows at all.
    pub(crate) fn measurement(&self, now: MonoTime, traffic: bool) -> Measurement {
        let fresh = self.fresh(now);
        let Quorum { delayed, reached, .. } = self.quorum(now, MonoTime::ZERO);
        let last = self.reflectors.iter().filter_map(|r| r.last.map(|l| l.at)).max();
        let cannot_send_since = self.cannot_send_since(now).filter(|_| fresh.is_empty());
        Measurement {
            state: match cannot_send_since {
                Some(_) => MeasurementState::CannotSend,
                None => self.state(now, fresh.len(), traffic),
            },
            fresh: count(fresh.len()),
            delayed: count(delayed),
            quorum: reached,
            rtt: median(fresh.iter().map(|(_, reply)| reply.rtt)),
            baseline: median(fresh.iter().filter_map(|(r, _)| r.baseline.value())),
            delta: median(fresh.iter().map(|(_, reply)| reply.delta)),
            jitter: median(fresh.iter().filter_map(|(r, _)| r.jitter)),
            noise: self.noise.step(),
            age: last.map(|at| now.since(at)),
            cannot_send_since,
            provisional: !fresh.is_empty()
                && fresh.iter().all(|(r, _)| r.baseline.is_provisional()),
        }
    }

    /// The time between two replies if none is lost but those of the dead.
    fn reply_interval(&self, now: MonoTime) -> Duration {
        let (all, alive) = self.participating(now).fold((0_u32, 0_u32), |(all, alive), r| {
            (all + 1, alive + u32::from(!r.liveness.is_dead(now)))
        });
        self.params.probe_interval.mul_f64(f64::from(all.max(1)) / f64::from(alive.max(1)))
    }

    /// The reflectors that take part: one that rests is not missing.
    fn participating(&self, now: MonoTime) -> impl Iterator<Item = &Reflector> {
        let within = self.params.stale_after.max(self.tuning.reflectors.participates_for);
        self.reflectors.iter().filter(move |r| r.heard.is_some_and(|at| now.since(at) <= within))
    }

    /// Since when no probe can be sent. Before the first reply that has to last for a while, or a
    /// device that comes a moment late would be reported as missing.
    fn cannot_send_since(&self, now: MonoTime) -> Option<MonoTime> {
        let since = self.send_status.cannot_send_since(now, self.params.stale_after)?;
        let has_answered = self.reflectors.iter().any(|reflector| reflector.last.is_some());
        (has_answered || now.since(since) >= self.params.stale_after).then_some(since)
    }

    /// Shows each reflector as it stands at `now`.
    pub(crate) fn views(&self, now: MonoTime) -> Vec<ReflectorView> {
        (0..)
            .zip(&self.reflectors)
            .map(|(id, r)| ReflectorView {
                id: ReflectorId(id),
                baseline: r.baseline.value(),
                provisional: r.baseline.value().is_some() && r.baseline.is_provisional(),
                delta: r.last.map(|reply| reply.delta),
                jitter: r.jitter,
                loss: r.losses.share,
                fresh: self.fresh_reply(r, now).is_some(),
                last_reply: r.last.map(|reply| reply.at),
                dead_since: r.liveness.dead_since(now),
            })
            .collect()
    }

    fn fresh(&self, now: MonoTime) -> Vec<(&Reflector, ReflectorReply)> {
        self.reflectors.iter().filter_map(|r| Some((r, self.fresh_reply(r, now)?))).collect()
    }

    fn fresh_reply(&self, reflector: &Reflector, now: MonoTime) -> Option<ReflectorReply> {
        reflector.last.filter(|reply| now.since(reply.at) <= self.params.stale_after)
    }

    fn state(&self, now: MonoTime, fresh: usize, traffic: bool) -> MeasurementState {
        // Of those that take part and can answer: the dead have no vote.
        let alive = self.participating(now).filter(|r| !r.liveness.is_dead(now)).count();
        let healthy = quorum_size(alive).min(alive);
        match fresh {
            0 if self.reflectors.iter().all(|r| r.last.is_none())
                && now.since(self.started) < self.tuning.reflectors.start_grace =>
            {
                MeasurementState::Starting
            }
            0 if traffic => MeasurementState::Collapsed,
            0 => MeasurementState::Stalled,
            n if n >= healthy => MeasurementState::Healthy,
            _ => MeasurementState::Reduced,
        }
    }
}

impl Losses {
    fn weight(&self) -> f64 {
        1.0 / f64::from(self.memory)
    }

    fn lost(&mut self, sequence: u64) {
        self.outcomes += 1;
        self.share += (1.0 - self.share) * self.weight();
        if self.lost.len() == LATE_PROBES {
            self.lost.pop_front();
        }
        self.lost.push_back((sequence, self.outcomes));
    }

    /// Counts a reply. One whose probe was counted as lost was only late: that is taken back.
    fn replied(&mut self, sequence: u64) {
        let Some(place) = self.lost.iter().position(|(lost, _)| *lost == sequence) else {
            self.outcomes += 1;
            self.share -= self.share * self.weight();
            return;
        };
        if let Some((_, counted)) = self.lost.remove(place) {
            let since = self.outcomes.saturating_sub(counted);
            let weight = (1.0 - self.weight()).powf(since as f64) * self.weight();
            self.share = (self.share - weight).max(0.0);
        }
    }
}

impl ReflectorReply {
    /// The time that the probe was in flight.
    fn path(&self) -> Duration {
        path(self.rtt)
    }

    /// When the probe was sent.
    fn sent(&self) -> MonoTime {
        MonoTime::from_start(self.at.since_start().saturating_sub(self.path()))
    }
}

impl Reflector {
    fn new(tuning: &EstimateParams) -> Self {
        Self {
            baseline: Baseline::new(tuning.baseline),
            delay_split: DelaySplit::new(tuning.delay_split),
            losses: Losses { memory: tuning.reflectors.loss_memory, ..Losses::default() },
            liveness: ReflectorLiveness::new(tuning.reflectors),
            ..Self::default()
        }
    }

    fn reply(
        &mut self,
        (at, rtt): (MonoTime, Delay),
        traffic: Traffic,
        threshold: Delay,
        jitter_memory: u32,
    ) {
        self.baseline.update(at, rtt, traffic);
        let delta = rtt - self.baseline.value().unwrap_or(rtt);
        if let Some(before) = self.last {
            let step = (rtt - before.rtt).abs();
            let jitter = self.jitter.unwrap_or(step);
            self.jitter = Some(jitter + (step - jitter).scaled(1.0 / f64::from(jitter_memory)));
        }
        self.streak = if delta > threshold { self.streak.saturating_add(1) } else { 0 };
        self.last = Some(ReflectorReply { at, rtt, delta });
    }
}

/// The time that a round trip takes.
pub(crate) fn path(rtt: Delay) -> Duration {
    Duration::from_micros(u64::try_from(rtt.micros()).unwrap_or(0))
}

/// How many of `n` reflectors make a verdict: at least two, and at least half.
fn quorum_size(n: usize) -> usize {
    n.div_ceil(2).max(2)
}

/// Middle of the values; of an even number the mean of the two middle ones.
fn median(values: impl IntoIterator<Item = Delay>) -> Option<Delay> {
    let mut sorted: Vec<Delay> = values.into_iter().collect();
    sorted.sort_unstable();
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2)?;
    Some(Delay::from_micros(i64::midpoint(lower.micros(), upper.micros())))
}

fn count(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
