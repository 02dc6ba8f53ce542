//! Numbers of the estimator.

use std::time::Duration;

use super::{Group, Param, ParamError, Params, Tunable, checked, key, params};
use crate::units::{BitRate, Delay};

/// Numbers of the estimator, by part.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct EstimateParams {
    pub(crate) baseline: BaselineParams,
    pub(crate) noise: NoiseParams,
    pub(crate) reflectors: ReflectorParams,
    pub(crate) delay_split: DelaySplitParams,
    pub(crate) queue: QueueParams,
    pub(crate) counters: CounterParams,
    pub(crate) load: LoadParams,
    pub(crate) shaper_limited: ShaperLimitedParams,
    pub(crate) delivery: DeliveryParams,
    pub(crate) attribution: AttributionParams,
    pub(crate) bypass: BypassParams,
    pub(crate) capacity: CapacityParams,
    pub(crate) cut_response: CutResponseParams,
    pub(crate) path_offset: PathOffsetParams,
    pub(crate) state: StateParams,
}

impl Params {
    /// Returns all groups, in the order of the documentation.
    pub(super) fn groups(&mut self) -> [&mut dyn Group; 18] {
        let Self { estimate, pending, adaptive, zone } = self;
        [
            &mut estimate.baseline,
            &mut estimate.noise,
            &mut estimate.reflectors,
            &mut estimate.delay_split,
            &mut estimate.queue,
            &mut estimate.counters,
            &mut estimate.load,
            &mut estimate.shaper_limited,
            &mut estimate.delivery,
            &mut estimate.attribution,
            &mut estimate.bypass,
            &mut estimate.capacity,
            &mut estimate.cut_response,
            &mut estimate.path_offset,
            &mut estimate.state,
            pending,
            adaptive,
            zone,
        ]
    }
}

params! {
    /// How the idle delay of a reflector is learned.
    BaselineParams at "estimate.baseline" {
        /// A reply that is shorter by this much at most is of the same path.
        close: Delay = 1.0, "ms", 0.0..=50.0;
        /// Share of such a difference by which one reply lowers the baseline.
        fall_per_reply: f64 = 0.6, "", 0.0..=1.0;
        /// Replies of this time support a shorter delay.
        support_window: Duration = 4.0, "s", 0.1..=60.0;
        /// At least so many replies are considered: an idle link has about one per second.
        support_replies: usize = 16.0, "replies", 1.0..=1000.0;
        /// So many of them have to be as short, because two early replies prove nothing.
        support: usize = 3.0, "replies", 1.0..=100.0;
        /// And at least one in so many: where replies are frequent, early ones are as well.
        support_divisor: usize = 8.0, "replies", 1.0..=1000.0;
        /// Support for a provisional baseline, which is likely to contain a queue.
        support_provisional: usize = 2.0, "replies", 1.0..=100.0;
        /// Time constant of the rise on a quiet link: slow against a queue, fast against routes.
        rise_tau: Duration = 60.0, "s", 1.0..=3600.0;
        /// A quiet link shows a longer delay for this time before that is the baseline.
        relearn_after: Duration = 5.0, "s", 0.5..=600.0;
        /// Fewest replies that prove a path change.
        relearn_replies: usize = 8.0, "replies", 1.0..=1000.0;
        /// Smaller path changes are left to the slow rise.
        jump: Delay = 4.0, "ms", 0.1..=100.0;
        /// A final baseline was seen without load for this time.
        final_after: Duration = 2.0, "s", 0.0..=600.0;
        /// A final baseline was seen without load by so many replies.
        final_replies: u32 = 3.0, "replies", 0.0..=1000.0;
        /// A remembered baseline counts after this time: by then it has fallen to a shorter path.
        remembered_after: Duration = 10.0, "s", 0.0..=600.0;
        /// So many longer replies in a row take a large fall back.
        contradicted_by: u32 = 6.0, "replies", 1.0..=1000.0;
        /// They span at least this time.
        contradicted_for: Duration = 2.0, "s", 0.0..=600.0;
        /// A fall that is still supported after this time is final.
        fall_final_after: Duration = 30.0, "s", 1.0..=3600.0;
    }
}

params! {
    /// How much the delay varies on an idle link.
    NoiseParams at "estimate.noise" {
        /// Replies that the mean goes back: a quarter of a minute under load, a minute when idle.
        memory: u32 = 256.0, "replies", 1.0..=100_000.0;
        /// No reply weighs more than one in so many, however few there were.
        min_memory: u32 = 16.0, "replies", 1.0..=100_000.0;
        /// A step counts as so many mean steps at most: one late reply is no noise.
        outlier: f64 = 4.0, "", 1.0..=100.0;
        /// Smaller steps count in full, so that a link that becomes noisy is recognised.
        outlier_floor: Delay = 8.0, "ms", 0.0..=1000.0;
        /// Mean steps that the least of three replies exceeds by noise once in 90 times.
        least: f64 = 1.5, "", 0.0..=20.0;
        /// Mean steps that the middle of three replies exceeds by noise once in 1,000 times.
        middle: f64 = 4.0, "", 0.0..=50.0;
    }
}

params! {
    /// Which reflectors take part, and when they count as dead.
    ReflectorParams at "estimate.reflectors" {
        /// Probes that the loss ratio goes back.
        loss_memory: u32 = 30.0, "probes", 1.0..=10_000.0;
        /// Replies that the jitter goes back (RFC 3550, section 6.4.1).
        jitter_memory: u32 = 16.0, "replies", 1.0..=10_000.0;
        /// After so many probes without a reply no rate is raised.
        silent_probes: u32 = 4.0, "probes", 1.0..=1000.0;
        /// For this long after the start silence is part of the start.
        start_grace: Duration = 3.0, "s", 0.0..=600.0;
        /// A reflector whose last outcome is older does not take part.
        participates_for: Duration = 3.0, "s", 0.1..=600.0;
        /// A reflector that used to answer is dead after this time, if others answer.
        dead_after: Duration = 30.0, "s", 1.0..=3600.0;
        /// A reflector that never answered is dead after this time.
        never_after: Duration = 5.0, "s", 1.0..=3600.0;
        /// Neither is dead after fewer probes.
        dead_probes: u32 = 8.0, "probes", 1.0..=1000.0;
        /// Probes further apart say nothing about the time in between.
        probe_gap: Duration = 5.0, "s", 0.1..=600.0;
        /// A reflector that was not probed for this long is not dead.
        probed_within: Duration = 10.0, "s", 0.1..=3600.0;
    }
}

params! {
    /// How timestamps of reflectors attribute delay to a direction.
    DelaySplitParams at "estimate.delay_split" {
        /// Up to this delay no queue stands: twice the rounding of a clock of whole milliseconds.
        calm: Delay = 2.0, "ms", 0.0..=100.0;
        /// Time constant of the idle difference: fast for clocks that drift, slow for rounding.
        tau: Duration = 5.0, "s", 0.1..=600.0;
        /// An idle difference that was not renewed for this long has drifted too far.
        expires: Duration = 120.0, "s", 1.0..=86_400.0;
    }
}

params! {
    /// What the last replies say about a queue.
    QueueParams at "estimate.queue" {
        /// Replies further apart are not compared.
        round_within: Duration = 600.0, "ms", 10.0..=60_000.0;
        /// The split of one reflector holds for the others for this long.
        split_shared_for: Duration = 200.0, "ms", 0.0..=60_000.0;
        /// Replies that are missing for so many probe intervals are late rather than lost.
        overdue_probes: u32 = 4.0, "probes", 1.0..=1000.0;
        /// Growth is measured from the last reply with this share of the newest delay.
        growth_from: f64 = 0.3, "", 0.0..=1.0;
        /// A delay that the least of three replies exceeds is a queue: a shaper alone adds less.
        standing: Delay = 4.0, "ms", 0.1..=1000.0;
        /// Below this delay there is no queue.
        clear: Delay = 2.5, "ms", 0.1..=1000.0;
        /// Delay tolerated in addition on the most volatile link, where no rate avoids every queue.
        volatile_tolerance: Delay = 10.0, "ms", 0.0..=1000.0;
    }
}

params! {
    /// Which counter readings are plausible.
    CounterParams at "estimate.counters" {
        /// More than a limit lets through on average: bursts, and the time that a reply takes.
        margin: f64 = 1.25, "", 1.0..=10.0;
        /// Traffic of this time may appear in one reading: a reply may be late by a timeout.
        late: Duration = 5.0, "s", 0.1..=600.0;
        /// Older readings say nothing about a queue that has just begun.
        fresh: Duration = 500.0, "ms", 1.0..=60_000.0;
    }
}

params! {
    /// How much traffic flows.
    LoadParams at "estimate.load" {
        /// Less is housekeeping, wanctl's own probes among it.
        traffic: BitRate = 100.0, "kbit/s", 0.0..=100_000.0;
        /// Utilisation up to which the link is quiet and baselines learn.
        quiet: f64 = 0.25, "", 0.0..=1.0;
        /// Utilisation above which a direction is busy; proven in production by version 1.7.
        high: f64 = 0.75, "", 0.0..=1.0;
        /// Utilisation below which a direction is idle.
        idle: f64 = 0.1, "", 0.0..=1.0;
        /// Time constant of the delivery rate: two readings at ten per second.
        rate_tau: Duration = 200.0, "ms", 1.0..=60_000.0;
        /// Time constant with which a busy moment fades: the delivery rate falls with the capacity.
        peak_tau: Duration = 2.0, "s", 0.01..=600.0;
        /// Older readings say nothing about now.
        stale: Duration = 2.0, "s", 0.1..=600.0;
    }
}

params! {
    /// Whether the shaper limits the traffic.
    ShaperLimitedParams at "estimate.shaper_limited" {
        /// A larger backlog is a queue in the shaper: two full packets.
        backlog: usize = 3028.0, "bytes", 0.0..=10_000_000.0;
        /// A queue in the shaper delivers at least this share of the limit.
        delivering: f64 = 0.2, "", 0.0..=1.0;
        /// After this time of shaper-limited traffic the queue behind the shaper has drained.
        lasting: Duration = 5.0, "s", 0.1..=600.0;
        /// Shorter gaps are those between two bursts.
        gap: Duration = 1.0, "s", 0.0..=60.0;
    }
}

params! {
    /// What the delivery rate says about the capacity.
    DeliveryParams at "estimate.delivery" {
        /// From this share of its limit on the shaper limits the traffic.
        filled: f64 = 0.9, "", 0.1..=1.0;
        /// Below this share of the limit something behind the shaper limits the traffic.
        full: f64 = 0.95, "", 0.1..=1.0;
        /// So much of the rate after a cut has to be used for the cut to have been tried.
        tried: f64 = 0.8, "", 0.1..=1.0;
        /// A filled rate exceeds the capacity by at most this, or the delivery rate had fallen.
        overshoot: f64 = 0.1, "", 0.0..=1.0;
        /// The same where nothing was counted since, or for an upload whose queue has just begun.
        rush: f64 = 1.0, "", 0.0..=10.0;
    }
}

params! {
    /// Which direction a queue is attributed to.
    AttributionParams at "estimate.attribution" {
        /// Share of the delay that a direction has to have by the timestamps.
        own_share: f64 = 0.25, "", 0.0..=1.0;
        /// Share of its floor that a direction has to deliver to be in use.
        floor_in_use: f64 = 0.5, "", 0.0..=1.0;
        /// Less delay is no standing queue.
        calm: Delay = 4.0, "ms", 0.0..=1000.0;
        /// After this time of a standing queue no busy direction is excluded any more.
        exclusion: Duration = 500.0, "ms", 0.0..=60_000.0;
        /// The delivery rate falls if the newest reading is below this share of it.
        falling: f64 = 0.95, "", 0.0..=1.0;
        /// Traffic below this share of limit and capacity estimate is still growing.
        growing: f64 = 0.9, "", 0.0..=1.0;
        /// For this long after a cut a queue may still stand: the link is not quiet.
        after_cut: Duration = 10.0, "s", 0.0..=600.0;
    }
}

params! {
    /// When the probes bypass the queue.
    BypassParams at "estimate.bypass" {
        /// Traffic that was shaper-limited fills a rate that is higher by this factor.
        raised: f64 = 1.05, "", 1.0..=10.0;
        /// Below this share of the rate it is not filled.
        unfilled: f64 = 0.97, "", 0.1..=1.0;
        /// Above this share of the rate that it filled before it is the same traffic.
        same_traffic: f64 = 0.9, "", 0.1..=1.0;
        /// For this long it has to be so: several times what a transfer takes to grow.
        lasting: Duration = 5.0, "s", 0.1..=600.0;
        /// Even traffic below this share of the rate may be all that the sender has.
        nearly_filled: f64 = 0.9, "", 0.1..=1.0;
        /// Windows that have to be alike for the link to be full.
        plateau_windows: usize = 6.0, "windows", 1.0..=6.0;
        /// Windows that suffice while the probes are known to bypass the queue.
        plateau_windows_known: usize = 2.0, "windows", 1.0..=6.0;
        /// A window in which the router's own lateness is no more than noise.
        plateau_window: Duration = 500.0, "ms", 50.0..=60_000.0;
        /// Rates that differ by less than this share are alike.
        plateau_spread: f64 = 0.02, "", 0.0..=1.0;
        /// The delay of an idle link, or the noise if that is more.
        flat: Delay = 2.5, "ms", 0.1..=1000.0;
        /// After this time without need to find the capacity the probes are tried again.
        retry: Duration = 60.0, "s", 1.0..=3600.0;
    }
}

params! {
    /// What the bottleneck carries, and for how long such knowledge lasts.
    CapacityParams at "estimate.capacity" {
        /// Lifetime of an estimate on a link of which nothing is known yet.
        lifetime_prior: Duration = 20.0, "s", 0.1..=3600.0;
        /// Capacities within this factor are the same: an estimate is no better.
        same: f64 = 1.25, "", 1.0..=10.0;
        /// Weight of one lifetime in their geometric mean.
        lifetime_weight: f64 = 0.35, "", 0.0..=1.0;
        /// Shorter lifetimes cannot be distinguished.
        lifetime_min: Duration = 200.0, "ms", 1.0..=60_000.0;
        /// How long a higher rate that was proven is remembered.
        proven_for: Duration = 300.0, "s", 1.0..=86_400.0;
        /// Time constant of the typical rate.
        typical_tau: Duration = 4.0, "s", 0.1..=600.0;
        /// A rate beyond the estimate by this factor without a queue disproves it.
        disproved: f64 = 1.08, "", 1.0..=10.0;
        /// The same while a higher rate is known to have been possible.
        disproved_below_proven: f64 = 1.04, "", 1.0..=10.0;
        /// A rate is proven whole if this share of it is delivered.
        met: f64 = 0.98, "", 0.1..=1.0;
        /// Time without a queue that proves a rate, besides the path: three replies, one reading.
        proof_time: Duration = 250.0, "ms", 1.0..=60_000.0;
        /// The same where a small delay stands: a queue would have grown in it.
        proof_time_delayed: Duration = 1000.0, "ms", 1.0..=60_000.0;
        /// Share of the proof time that the most volatile link saves: it has changed by then.
        volatile_saving: f64 = 0.5, "", 0.0..=1.0;
    }
}

params! {
    /// How a queue responds to a cut.
    CutResponseParams at "estimate.cut_response" {
        /// Three replies show that a queue is gone; no cut follows another sooner.
        settle: Duration = 150.0, "ms", 0.0..=10_000.0;
        /// No queue takes longer to drain: what stands then is another one.
        max_drain: Duration = 2.0, "s", 0.1..=60.0;
        /// A queue may look deeper by this factor before the cut shows.
        worse: f64 = 1.5, "", 1.0..=10.0;
        /// And by this delay.
        worse_by: Delay = 8.0, "ms", 0.0..=1000.0;
        /// A queue that keeps at least this share of its depth did not respond.
        unchanged_min: f64 = 0.6, "", 0.0..=1.0;
        /// Unless it grew beyond this share.
        unchanged_max: f64 = 1.3, "", 1.0..=10.0;
    }
}

params! {
    /// Delay that no drain removes: a longer path.
    PathOffsetParams at "estimate.path_offset" {
        /// So many ineffective cuts in a row prove it: one may have met a falling capacity.
        ineffective_cuts: u32 = 2.0, "cuts", 1.0..=100.0;
        /// Time constant with which it fades when less delay stands: longer than a few odd replies.
        fade_tau: Duration = 1.0, "s", 0.01..=600.0;
    }
}

params! {
    /// The congestion states that metrics and history show.
    StateParams at "estimate.state" {
        /// A delay stands this long above a threshold: two replies.
        worse_after: Duration = 100.0, "ms", 0.0..=60_000.0;
        /// A delay stands this long below the exit threshold: a round of six reflectors.
        better_after: Duration = 300.0, "ms", 0.0..=60_000.0;
        /// Widest hysteresis; half of a threshold that is smaller than twice this.
        band: Delay = 3.0, "ms", 0.0..=1000.0;
    }
}
