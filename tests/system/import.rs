//! Prometheus takes over the history.

use std::{path::Path, process::Stdio, sync::Arc, thread, time::Duration};

use serde_json::Value;
use wanctl::history::{self, Retention, Settings};
use wanctl_core::units::Timestamp;

use super::{link::TrafficModel, monitor::Prometheus, tool::tool};
use crate::support::{
    child::{Program, wanctl},
    site::Site,
};

/// Cycles of ten minutes.
const CYCLES: u64 = 20 * 600;

/// Makes a history of two WANs that began three hours ago, and returns its span.
fn history(path: &Path) -> (Timestamp, Timestamp) {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let start = Timestamp::default().after(now.saturating_sub(Duration::from_hours(3)));
    let wans = ["cable", "lte"].map(str::to_owned).to_vec();
    let settings = Settings { path: path.to_owned(), retention: Retention::default(), wans };
    let (recorder, writer) = history::start(settings);
    for wan in 0..2 {
        let mut link = TrafficModel::new(wan, start);
        for _ in 0..CYCLES {
            while recorder.stats().queued > 4096 {
                thread::sleep(Duration::from_millis(1));
            }
            recorder.cycle(Arc::new(link.cycle()));
        }
    }
    writer.close(Duration::from_mins(1)).unwrap();
    (start, start.after(Duration::from_mins(11)))
}

#[test]
fn an_export_becomes_blocks_that_answer_queries() {
    let site = Site::new();
    let (from, to) = history(&site.path("history.db"));
    let seconds = |at: Timestamp| (at.micros() / 1_000_000).to_string();
    let ask = |arguments: &[&str]| {
        let mut command = wanctl();
        command.arg("history").args(arguments).arg("--db").arg(site.path("history.db"));
        command.args(["--from", &seconds(from), "--to", &seconds(to)]);
        let exit = Program::finish(command);
        exit.expect(0);
        exit.stdout
    };
    let text = site.path("history.om").display().to_string();
    let openmetrics = ["--format", "openmetrics", "--resolution", "1s", "--output", &text];
    ask(&[&["export"][..], &openmetrics].concat());

    let mut import = tool("promtool", "prometheus");
    import
        .args(["tsdb", "create-blocks-from", "openmetrics", &text])
        .arg(site.path("prometheus.tsdb"));
    let imported = import.stdin(Stdio::null()).output().unwrap();
    assert!(imported.status.success(), "{imported:?}");

    // It scrapes nothing: what it knows, it has from the import.
    let prometheus = Prometheus::scraping(&site, "127.0.0.1:9".parse().unwrap(), "", &[]);
    let summary: Value = serde_json::from_str(&ask(&["--summary", "--format", "json"])).unwrap();
    let exact = |name: &str| summary[0][name].as_f64().unwrap();
    assert_eq!(summary[0]["wan"], "cable");
    let at = |query: &str| -> f64 {
        let found = prometheus.query_at(query, "wan", &seconds(to));
        assert_eq!(found.len(), 1, "{query}: {found:?}");
        found[0].1
    };
    let near = |reported: f64, exact: f64| (reported - exact).abs() <= exact.abs() * 0.05;
    let cable = "{wan=\"cable\",direction=\"download\"}";
    // Before the first sample the counter was nothing.
    let sent = at(&format!("last_over_time(wanctl_shaper_sent_bytes_total{cable}[15m])"));
    assert!(near(sent, exact("download_bytes")), "{sent}");
    let green = "wanctl_controller_state_time_seconds_total{wan=\"cable\",direction=\"upload\"";
    let green = at(&format!("last_over_time({green},state=\"green\"}}[15m])"));
    assert!(near(green * 1e3, exact("upload_green_ms")), "{green}");
    let p95 = "histogram_quantile(0.95, rate(wanctl_rtt_seconds_bucket{wan=\"cable\"}[15m]))";
    // Prometheus knows the bounds 30 ms and 50 ms only.
    assert!((0.03..0.05).contains(&at(p95)), "{}", at(p95));
    assert!((30_000.0..50_000.0).contains(&exact("rtt_p95_us")));
    let mean = at(&format!("avg_over_time(wanctl_shaper_rate_bytes_per_second{cable}[15m])"));
    assert!(near(mean * 8.0, exact("download_desired_mean_bps")), "{mean}");
    let wans = prometheus.query_at(
        "count by (wan) (wanctl_rtt_delta_seconds offset 2m)",
        "wan",
        &seconds(to),
    );
    assert_eq!(wans.len(), 2, "{wans:?}");
}
