//! The program among real neighbours: a Prometheus that scrapes it, and links between network
//! namespaces. Needs Debian packages and the superuser; `tests/run` sees to both.
//!
//! Nothing is skipped: a tool that is missing is a failure that names its package.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

#[path = "support"]
mod support {
    pub(crate) mod child;
    pub(crate) mod exposition;
    pub(crate) mod http;
    pub(crate) mod site;
}

#[path = "system"]
mod system {
    mod browser;
    mod disk;
    mod faults;
    mod fleet;
    mod hostile;
    mod import;
    mod lab;
    #[path = "../../benches/history/link.rs"]
    mod link;
    mod load;
    mod monitor;
    mod page;
    mod probes;
    mod prometheus;
    mod stack;
    mod terminal;
    mod tool;
}
