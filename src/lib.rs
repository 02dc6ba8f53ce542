//! wanctl keeps latency low on links whose capacity moves (cable, DSL, LTE/5G, Starlink): it
//! measures delay 20 times a second, decides, and moves the shaper rates of a router's CAKE
//! queues. Everything it sees and decides is a Prometheus metric and a row in its own history.
//!
//! Data flows one way:
//!
//! ```text
//! probe ──────► RttSample ──┐
//!                           ├─► wanctl_core::Wan ─► Cycle ─► telemetry  (/metrics)
//! actuator ◄─► router       │      │                      ├─► history    (SQLite)
//!    │    └───► ShaperSample┘      │                      └─► status ─► http  (/, /health)
//!    └─────────◄── desired rates ◄─┘
//! ```
//!
//! The decisions are in the crate `wanctl_core`, simulations and the emulated router in `wanctl_lab`.
//! `docs/architecture.md` has the map of the modules, the invariants, and what is deliberately absent.

#![cfg_attr(
    not(feature = "backend"),
    allow(
        unreachable_code,
        unused_variables,
        reason = "without any kind of router, nothing follows a connection to one"
    )
)]

pub mod actuator;
pub mod catalogue;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod digest;
pub mod files;
pub mod history;
pub mod http;
#[cfg(feature = "https")]
pub mod https;
#[cfg(feature = "plot")]
pub mod plot;
pub mod probe;
pub mod recording;
pub mod router;
pub mod status;
pub mod telemetry;
