//! The simulated world: what stands in for a router, its queues and the links behind them.
//!
//! Nothing of the running daemon imports this; `demo`, `emulate-router`, the tests and the
//! benchmarks do.

pub mod plant;
pub mod routeros;
