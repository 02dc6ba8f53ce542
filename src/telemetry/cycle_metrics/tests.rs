//! What a scrape says after some cycles.

use std::time::Duration;

use wanctl_core::{
    CongestionState, DirectionParams, EvidenceParams, LawKind, Limits, MeasurementState,
    ProbeMethod, ProbeOutcome, QueueReading, ReflectorId, RttSample, ShaperSample, StateThresholds,
    Timing, Wan,
    units::{BitRate, Delay, Timestamp},
};

use super::*;
use crate::telemetry::{Format, encode};

const NAME: &str = "my \"fast\"\\\nWAN";

/// Runs a real controller for `cycles` cycles at a steady 25 of 30 Mbit/s and records them.
fn scrape_after(cycles: u64, format: Format) -> String {
    let mut catalogue = Catalogue::default();
    let families = WanLabels::register(&mut catalogue);
    let mut metrics =
        CycleMetrics::new(&families, NAME, &["192.0.2.1".to_owned()], &Direction::ALL);
    let rate = BitRate::from_mbps(30.0);
    let limits = Limits { floor: rate, base: rate, ceiling: rate };
    let direction = DirectionParams { limits, law: LawKind::Fixed };
    let ms = Delay::from_millis_f64;
    let mut wan = Wan::new(
        &WanParams {
            evidence: EvidenceParams {
                reflectors: 1,
                probe_interval: Duration::from_millis(50),
                stale_after: Duration::from_secs(1),
                queue_threshold: ms(15.0),
            },
            thresholds: StateThresholds { yellow: ms(15.0), soft_red: ms(45.0), red: ms(80.0) },
            directions: PerDirection { download: Some(direction), upload: Some(direction) },
            tuning: wanctl_core::Params::default(),
        },
        MonoTime::ZERO,
    );
    for number in 1..=cycles {
        let at = MonoTime::from_millis(50 * number);
        let sample = RttSample {
            reflector: ReflectorId(0),
            sequence: number,
            at,
            outcome: ProbeOutcome::Reply(ms(20.0)),
            one_way: None,
        };
        wan.on_rtt(&sample);
        let bytes = BitRate::from_mbps(25.0).bytes_in(at.since_start());
        let reading = QueueReading { bytes, limit: rate, ..QueueReading::default() };
        let queues = PerDirection { download: Some(reading), upload: Some(reading) };
        wan.on_shaper(&ShaperSample { sequence: number, at, queues });
        let decision = wan.decide(at);
        let interval = Duration::from_millis(50);
        metrics.record(&Cycle {
            wan: 0,
            number,
            at,
            wall: Timestamp::from_micros(1_700_000_000_000_000),
            measurement: decision.measurement,
            directions: decision.directions,
            reflectors: decision.reflectors,
            samples: vec![sample],
            method: Some(ProbeMethod::IcmpEcho),
            timing: Timing { interval, ..Timing::default() },
        });
    }
    encode(&catalogue, format).unwrap().text()
}

fn value(page: &str, series: &str) -> f64 {
    let line = page.lines().find(|line| line.starts_with(series));
    let line = line.unwrap_or_else(|| panic!("no series {series} in\n{page}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

const WAN: &str = r#"wan="my \"fast\"\\\nWAN""#;

#[test]
fn nothing_is_lost_between_two_scrapes() {
    let page = scrape_after(201, Format::OpenMetrics);
    let rtt = format!("wanctl_rtt_seconds_count{{{WAN}}}");
    assert!((value(&page, &rtt) - 201.0).abs() < 0.5);
    let probes = format!("wanctl_reflector_probes_total{{{WAN},reflector=\"192.0.2.1\"}}");
    assert!((value(&page, &probes) - 201.0).abs() < 0.5);
    // 200 intervals of 50 ms at 30 Mbit/s, of which 25 were used.
    let of = |name: &str| value(&page, &format!("wanctl_{name}{{{WAN},direction=\"download\"}}"));
    assert!((of("shaper_allowance_bytes_total") - 10.0 * 30e6 / 8.0).abs() < 1.0);
    assert!((of("shaper_sent_bytes_total") - 10.0 * 25e6 / 8.0).abs() < 10.0);
    // Before the first delay has lasted for 100 ms there is no congestion state.
    for (state, seconds) in [("unknown", 0.1), ("green", 9.9)] {
        let time = "wanctl_controller_state_time_seconds_total";
        let series = format!("{time}{{{WAN},direction=\"download\",state=\"{state}\"}}");
        assert!((value(&page, &series) - seconds).abs() < 1e-6, "{series} in\n{page}");
    }
}

#[test]
fn every_series_is_there_before_anything_happened() {
    let page = scrape_after(0, Format::Text);
    for series in [
        "wanctl_cycle_overruns_total",
        "wanctl_cycle_ticks_skipped_total",
        "wanctl_reflector_probe_failures_total",
        "wanctl_controller_state_transitions_total",
        "wanctl_shaper_rate_writes_total",
        "wanctl_decisions_total",
    ] {
        assert!(value(&page, &format!("{series}{{")).abs() < 1e-9);
    }
}

#[test]
fn the_documentation_lists_every_state() {
    let document = include_str!("../../../docs/metrics.md");
    let listed = |of: &str, names: Vec<&str>| {
        let line = format!("| `state` of `{of}_…` | `{}` |", names.join("`, `"));
        assert!(document.contains(&line), "docs/metrics.md lacks: {line}");
    };
    listed("controller", CongestionState::ALL.map(CongestionState::name).to_vec());
    listed("measurement", MeasurementState::ALL.map(MeasurementState::name).to_vec());
}

#[test]
fn what_is_unknown_is_absent() {
    let page = scrape_after(1, Format::Text);
    assert!(!page.contains("wanctl_shaper_rate_observed_bytes_per_second{"));
}

#[test]
fn exactly_one_state_is_current() {
    let page = scrape_after(50, Format::Text);
    let current: f64 = page
        .lines()
        .filter(|line| line.starts_with("wanctl_controller_state{") && line.contains("upload"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum();
    assert!((current - 1.0).abs() < 1e-9);
}

#[test]
fn a_direction_that_is_not_shaped_has_no_series() {
    let mut catalogue = Catalogue::default();
    let families = WanLabels::register(&mut catalogue);
    let metrics = CycleMetrics::new(&families, "cable", &[], &[Direction::Upload]);
    let page = encode(&catalogue, Format::Text).unwrap().text();
    assert!(page.contains("direction=\"upload\""));
    assert!(!page.contains("direction=\"download\""), "{page}");
    drop(metrics);
}
