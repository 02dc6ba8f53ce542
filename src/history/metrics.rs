//! The metrics of the history, read from the writer's figures at each scrape.

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use super::Recorder;
use crate::units::Timestamp;

/// Exports how the writer stands.
#[derive(Debug)]
pub struct HistoryCollector {
    recorder: Recorder,
}

impl HistoryCollector {
    /// Exports what `recorder` knows of its writer.
    #[must_use]
    pub fn new(recorder: Recorder) -> Self {
        Self { recorder }
    }
}

impl Collector for HistoryCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let stats = self.recorder.stats();
        for (name, help, value) in [
            ("history_rows_written", "Cycles committed to the database.", stats.rows_written),
            ("history_events_written", "Events committed to the database.", stats.events_written),
            (
                "history_rows_dropped",
                "Cycles and events discarded because the queue was full.",
                stats.dropped,
            ),
            ("history_write_failures", "Failed attempts to write.", stats.failures),
        ] {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        let last_commit = stats.last_commit.map(Timestamp::seconds);
        for (name, help, value) in [
            (
                "history_failing",
                "1 if the last attempt to write failed: nothing is being kept. /health says why.",
                Some(f64::from(u8::from(stats.failing))),
            ),
            ("history_queue_rows", "Cycles and events not yet written.", Some(stats.queued as f64)),
            (
                "history_database_size_bytes",
                "Size of the database file.",
                Some(stats.database_bytes as f64),
            ),
            (
                "history_wal_size_bytes",
                "Size of its write-ahead log.",
                Some(stats.wal_bytes as f64),
            ),
            ("history_last_commit_timestamp_seconds", "Unix time of the last commit.", last_commit),
        ] {
            let Some(value) = value else { continue };
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }
}
