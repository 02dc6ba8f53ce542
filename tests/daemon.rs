//! The real program as a child process against the emulated router: what its user, its service
//! manager and its scraper see, on good days and bad ones.
//!
//! Pings need a permission. Where it is lacking, the tests of `run` assert that it is refused
//! with its own exit code and a remedy, and nothing else.
#![expect(clippy::unwrap_used, reason = "tests may panic")]
#![expect(clippy::float_cmp, reason = "values that were set, not computed, are compared")]

#[path = "support"]
mod support {
    pub(crate) mod child;
    pub(crate) mod daemon;
    pub(crate) mod exposition;
    #[expect(dead_code, reason = "the tests of the client use more of it")]
    pub(crate) mod hostile;
    pub(crate) mod http;
    pub(crate) mod peers;
    pub(crate) mod router;
    pub(crate) mod schema;
    pub(crate) mod site;
}

#[path = "daemon"]
mod daemon {
    mod check;
    mod commands;
    mod demo;
    mod faults;
    mod health;
    mod history;
    mod hostile;
    mod lacking;
    mod memory;
    mod pages;
    mod peers;
    mod refusals;
    mod reload;
    mod replay;
    mod run;
    mod simulate;
    mod stop;
    mod storage;
    mod web;
}
