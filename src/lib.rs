//! wanctl, a Prometheus-native exporter-controller for CAKE.
pub mod control;
pub mod sim;
pub mod units;
