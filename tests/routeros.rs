//! The RouterOS client and the actuator against the emulator, over real HTTP: every operation, and
//! every fault that a router is known for.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "support"]
mod support {
    pub(crate) mod hostile;
}

mod routeros {
    mod actuator;
    mod bench;
    mod certificates;
    mod client;
    mod findings;
    mod hostile;
    mod shapes;
    mod swallow;
}
