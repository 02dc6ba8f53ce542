use wanctl_core::units::{BitRate, Delay, MonoTime};

use super::*;
use crate::contest::Observation;

#[test]
fn a_plot_has_every_law_and_no_spike_is_lost() {
    let mut record = Record::default();
    for n in 1..=20_000_u64 {
        let spike = if n == 12_345 { 900.0 } else { 5.0 };
        let rate = PerDirection::build(|_| BitRate::from_mbps(20.0));
        record.push(&Observation {
            now: MonoTime::from_millis(50 * n),
            enforced: rate,
            capacity: rate,
            judged: &[Delay::from_millis_f64(spike)],
            judged_lost: 0,
            delivered: PerDirection::default(),
            demand: PerDirection::default(),
            writes: 0,
        });
    }
    let panels = ["adaptive", "a<b"].map(|law| Panel { law, record: &record });
    let svg = draw("step & back", &panels);
    for told in ["<title>step &amp; back</title>", ">adaptive</text>", ">a&lt;b</text>"] {
        assert!(svg.contains(told), "{told} is missing");
    }
    let chart = Chart { top: 0.0, end: record.duration(), low: 0.0, high: 1000.0 };
    let line = chart.line(&record.moments, |moment| moment.worst.map(Delay::millis));
    assert!(line.len() <= 2 * 901, "{} points", line.len());
    let highest = line.iter().map(|(_, y)| *y).fold(HEIGHT, f64::min);
    assert!((highest - HEIGHT * 0.1).abs() < 1e-9, "{highest}");
}

#[test]
fn an_empty_record_can_be_drawn() {
    let record = Record::default();
    let svg = draw("nothing", &[Panel { law: "fixed", record: &record }]);
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

#[test]
fn steps_are_round_and_few() {
    for (whole, count, expected) in [(50.0, 4.0, 20.0), (0.1, 4.0, 0.05), (3600.0, 10.0, 500.0)] {
        assert!((step(whole, count) - expected).abs() < 1e-9, "{whole}: {}", step(whole, count));
    }
}
