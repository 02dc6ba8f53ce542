//! The daemon's metrics, their exposition, and the log.

mod build;
mod config_metrics;
mod cycle_metrics;
mod expose;
mod logging;
mod process;
mod series;
mod steering_metrics;

pub use build::declare_build;
pub use config_metrics::ConfigMetrics;
pub use cycle_metrics::{CycleMetrics, WanLabels};
pub use expose::{Format, Page, encode};
pub use logging::{LogFormat, LogLevel, declare_log, start as start_logging};
pub use process::declare_process;
pub use steering_metrics::SteeringMetrics;
