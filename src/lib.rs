//! wanctl, a Prometheus-native exporter-controller for CAKE.
pub mod config;
pub mod control;
pub mod units;
