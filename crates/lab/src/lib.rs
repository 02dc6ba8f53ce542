//! Simulated links and an emulated router: what the demo, the tests and `emulate-router` run
//! against. Deterministic by seed, driven by whatever clock the caller has.

pub mod calls;
pub mod capacity;
pub mod closed_loop;
pub mod contest;
mod flow;
pub mod generate;
pub mod home;
pub mod link;
pub mod pilot;
pub mod plant;
pub mod reference;
pub mod routeros;
pub mod standby;
pub mod trace;
pub mod traffic;
pub mod world;
