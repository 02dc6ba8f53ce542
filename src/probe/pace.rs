//! How fast a WAN is probed.

/// How fast a WAN is probed; the control loop says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// As often as is configured: something may be going on.
    #[default]
    Full,
    /// Slower: nothing has flowed for a while, and nothing is wrong.
    Idle,
}
