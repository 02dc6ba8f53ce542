//! The settings that steering is tried in: a home WAN, and one that stands in for it.

use std::time::Duration;

use crate::{
    control::{Direction, PerDirection},
    sim::{
        contest::Scenario,
        generate::Conditions,
        trace::{Recording, Trace},
        traffic::{GREEDY, Phase, Traffic},
    },
    units::BitRate,
};

const HOUR: Duration = Duration::from_hours(1);
/// Round-trip times of the empty links.
const HOME_RTT: Duration = Duration::from_millis(30);
const OTHER_RTT: Duration = Duration::from_millis(50);

/// The home's buffers, in time at its usual capacity: in a brown-out probes still come through.
const BUFFER: Duration = Duration::from_millis(50);

/// Two WANs for some time.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// The preferred WAN.
    pub home: Scenario,
    /// The WAN that stands in for it.
    pub other: Scenario,
    /// How long it lasts.
    pub duration: Duration,
}

/// Makes two recordings of the same time a setting: the home's download is saturated, the other's
/// is hardly used.
#[must_use]
pub fn of_recordings(name: &str, home: Recording, other: Recording) -> Setting {
    let duration = home.download.round().clamp(Duration::from_secs(30), HOUR);
    let home = Scenario::of_recording("home", home).with_base_rtt(HOME_RTT);
    let light = light(other.download.mean());
    let upload = Trace::steady(other.download.mean().scaled(0.2));
    let capacity =
        PerDirection { download: other.download, upload: other.upload.unwrap_or(upload) };
    let conditions = Conditions { capacity, base_rtt_steps: other.base_rtt_steps };
    let other = Scenario::new("other", conditions, light, duration).with_base_rtt(OTHER_RTT);
    Setting { name: name.to_owned(), home, other, duration }
}

/// Returns the generated settings, an hour each.
#[must_use]
pub fn suite() -> Vec<Setting> {
    let seconds = Duration::from_secs;
    vec![
        events("brown-outs", 0.08, seconds(45), seconds(600)),
        events("outages", 0.0, seconds(30), seconds(900)),
        events("glitches", 0.0, seconds(1), seconds(60)),
    ]
}

/// A loaded home that has `left` of its capacity for `lasts`, once in every `every`.
fn events(name: &str, left: f64, lasts: Duration, every: Duration) -> Setting {
    let nominal = mbps(100.0, 20.0);
    let capacity = PerDirection::build(|direction: Direction| {
        let (high, from) = (nominal[direction], every / 2);
        let points = vec![(Duration::ZERO, high), (from, high.scaled(left)), (from + lasts, high)];
        Trace::held(points, every).unwrap_or_else(|| Trace::steady(high))
    });
    let home = Conditions { capacity, base_rtt_steps: Vec::new() };
    let phase = Phase {
        lasts: HOUR + HOUR,
        download: GREEDY.into(),
        upload: BitRate::from_mbps(1.0).into(),
    };
    let quiet = Phase { lasts: Duration::from_secs(5), download: BitRate::ZERO.into(), ..phase };
    let home = Scenario::new("home", home, Traffic::new(vec![quiet, phase]), HOUR);
    let nominal = mbps(40.0, 15.0);
    let capacity = PerDirection::build(|direction| Trace::steady(nominal[direction]));
    let other = Conditions { capacity, base_rtt_steps: Vec::new() };
    let other = Scenario::new("other", other, light(nominal.download), HOUR);
    Setting {
        name: name.to_owned(),
        home: home
            .with_buffer(BUFFER)
            .with_base_rtt(HOME_RTT)
            .with_probes(Duration::from_millis(2), 0.002),
        other: other.with_base_rtt(OTHER_RTT).with_probes(Duration::from_millis(3), 0.005),
        duration: HOUR,
    }
}

/// Somebody uses a tenth of what there is.
fn light(capacity: BitRate) -> Traffic {
    let rate = capacity.scaled(0.1);
    Traffic::new(vec![Phase {
        lasts: HOUR,
        download: rate.into(),
        upload: rate.scaled(0.1).into(),
    }])
}

fn mbps(download: f64, upload: f64) -> PerDirection<BitRate> {
    PerDirection { download: BitRate::from_mbps(download), upload: BitRate::from_mbps(upload) }
}
