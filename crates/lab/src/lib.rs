//! Simulated links and an emulated router: what the demo, the tests and `emulate-router` run
//! against. Deterministic by seed, driven by whatever clock the caller has.

pub mod closed_loop;
pub mod controller;
pub mod demo_wans;
mod flow;
mod generate;
pub mod law_benchmark;
pub mod link;
pub mod plant;
mod reference;
pub mod routeros;
pub mod steering_benchmark;
mod text_table;
pub mod trace;
pub mod traffic;
pub mod world;
