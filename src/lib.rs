//! wanctl
pub mod actuator;
pub mod clock;
pub mod config;
pub mod control;
pub mod http;
pub mod probe;
pub mod router;
pub mod sim;
pub mod status;
pub mod telemetry;
pub mod units;
