//! The metrics of the history, read from the writer's figures at each scrape.

use wanctl_core::units::Timestamp;

use super::Recorder;
use crate::catalogue::{Catalogue, Figure};

/// Declares what `recorder` knows of its writer.
pub fn declare_metrics(c: &mut Catalogue, recorder: Recorder) {
    c.chapter("History");
    let figures = [
        Figure::counter("wanctl_history_rows_written_total", "Cycles committed to the database"),
        Figure::counter("wanctl_history_events_written_total", "Events committed to the database"),
        Figure::counter(
            "wanctl_history_rows_dropped_total",
            "Cycles and events discarded because the queue was full",
        ),
        Figure::counter("wanctl_history_write_failures_total", "Failed attempts to write"),
        Figure::gauge(
            "wanctl_history_failing",
            "1 if the last attempt to write failed: nothing is being kept; /health says why",
        ),
        Figure::gauge("wanctl_history_queue_rows", "Cycles and events not yet written"),
        Figure::gauge("wanctl_history_database_size_bytes", "Size of the database file"),
        Figure::gauge("wanctl_history_wal_size_bytes", "Size of its write-ahead log"),
    ];
    let commit = Figure::gauge(
        "wanctl_history_last_commit_timestamp_seconds",
        "Unix time of the last commit",
    );
    let reported = recorder.clone();
    c.figures(figures.map(|figure| figure.when("with a history")), move || {
        let stats = reported.stats();
        [
            stats.rows_written as f64,
            stats.events_written as f64,
            stats.dropped as f64,
            stats.failures as f64,
            f64::from(u8::from(stats.failing)),
            stats.queued as f64,
            stats.database_bytes as f64,
            stats.wal_bytes as f64,
        ]
        .map(Some)
    });
    c.figures([commit.when("with a history, once committed")], move || {
        [recorder.stats().last_commit.map(Timestamp::seconds)]
    });
}
