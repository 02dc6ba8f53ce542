//! MikroTik RouterOS 7.

mod model;
mod rest;
mod tls;

pub use rest::RestClient;
