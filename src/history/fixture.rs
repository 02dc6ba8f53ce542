//! Cycles and histories for the tests.

use std::{sync::Arc, time::Duration};

use tempfile::TempDir;

use super::{Settings, row::Batch, store::Store, tracker::Tracker};
use crate::{
    control::{
        Actuation, CongestionState, Cycle, DirectionCycle, Load, LoadClass, Measurement,
        MeasurementState, PerDirection, QueueReading, Reason, Timing,
    },
    units::{BitRate, Delay, MonoTime, Timestamp},
};

/// The wall clock at cycle 0.
pub(super) const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
/// Time between two cycles.
pub(super) const STEP: Duration = Duration::from_millis(50);

/// Returns cycle `number` of a WAN at ease: no value equals another of its row by accident.
pub(super) fn cycle(wan: usize, number: u64) -> Cycle {
    let since_start = STEP * u32::try_from(number).unwrap();
    let at = MonoTime::from_start(since_start);
    let direction = |place: u64, reason, class| DirectionCycle {
        state: CongestionState::Green,
        since: MonoTime::ZERO,
        load: Load {
            class,
            achieved: Some(BitRate::from_bps(41_000_000 + place)),
            newest: Some(BitRate::from_bps(40_000_000 + place)),
            recent_peak: Some(0.4),
        },
        blamed: place == 0,
        queue: Some(QueueReading {
            bytes: 1_000_000 + number * (256_000 + place),
            packets: 1_000 + number * (210 + place),
            dropped: number * (3 + place),
            backlog_bytes: 15_140 + place,
            backlog_packets: 10,
            limit: BitRate::from_bps(90_000_000 + place),
        }),
        previous: BitRate::from_bps(91_000_000 + place),
        desired: BitRate::from_bps(92_000_000 + place),
        reason,
        actuation: Actuation {
            written: Some(BitRate::from_bps(92_000_000 + place)),
            observed: Some(BitRate::from_bps(93_000_000 + place)),
            pending_since: None,
            writes: 5,
        },
    };
    Cycle {
        wan,
        number,
        at,
        wall: START.after(since_start),
        measurement: Measurement {
            state: MeasurementState::Healthy,
            fresh: 6,
            votes: 2,
            bloated: true,
            rtt: Some(Delay::from_micros(24_300)),
            baseline: Some(Delay::from_micros(22_100)),
            delta: Some(Delay::from_micros(2_200)),
            jitter: Some(Delay::from_micros(870)),
            age: Some(Duration::from_millis(30)),
        },
        directions: PerDirection {
            download: direction(0, Reason::RaiseDemand, LoadClass::High),
            upload: direction(1, Reason::HoldNoDemand, LoadClass::Low),
        },
        reflectors: Vec::new(),
        samples: Vec::new(),
        timing: Timing {
            interval: Duration::from_millis(50),
            lateness: Duration::from_micros(310),
            skipped: 4,
            busy: Duration::from_micros(95),
        },
    }
}

/// Returns settings for two WANs and a file in `directory`.
pub(super) fn settings(directory: &TempDir) -> Settings {
    Settings {
        path: directory.path().join("history.db"),
        // The fixture's cycles have fixed moments, and the writer trims by the real clock.
        raw_retention: Duration::MAX,
        wans: vec!["cable".into(), "dsl".into()],
    }
}

/// Returns a store on these settings that does not wait for locks.
pub(super) fn store(settings: &Settings) -> Store {
    Store::new(settings.clone(), Duration::ZERO)
}

/// Returns the batch of these cycles.
pub(super) fn batch(cycles: impl IntoIterator<Item = Cycle>) -> Batch {
    let (mut tracker, mut batch) = (Tracker::new(2), Batch::default());
    for cycle in cycles {
        tracker.take(Arc::new(cycle), &mut batch);
    }
    batch
}
