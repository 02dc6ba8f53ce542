//! Simulated links and an emulated router: what the demo, the tests and `emulate-router` run
//! against. Deterministic by seed, driven by whatever clock the caller has.

pub mod capacity;
pub mod closed_loop;
pub mod controller;
pub mod demo_wans;
mod flow;
pub mod generate;
pub mod law_benchmark;
pub mod link;
pub mod plant;
pub mod reference;
pub mod routeros;
pub mod sensitive_connections;
pub mod steering_benchmark;
pub mod trace;
pub mod traffic;
pub mod world;
