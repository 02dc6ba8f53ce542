//! File descriptors that the server leaves to control: without one the router cannot be reached, no
//! probe be sent and no history be written.

use std::fs;

use rustix::process::{Resource, getrlimit};

/// Descriptors that control may come to need besides those that are open when the server starts:
/// connections to the router for three users, name servers, the files of the history and of the
/// configuration, and one connection that is accepted only to be turned away.
const RESERVE: usize = 12;

/// Returns how many connections the server may have, of the `most` that it wants.
pub(super) fn affordable(most: usize) -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    // Without /proc the usual number of a daemon with two WANs.
    let open = fs::read_dir("/proc/self/fd").map_or(24, Iterator::count);
    left_of(limit, open).min(most)
}

/// One connection at least, so that somebody can ask what is wrong.
fn left_of(limit: usize, open: usize) -> usize {
    limit.saturating_sub(open).saturating_sub(RESERVE).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_has_its_reserve() {
        assert_eq!(left_of(1024, 24), 988);
        assert_eq!(left_of(64, 24), 28);
        assert_eq!(left_of(30, 24), 1);
        assert_eq!(left_of(0, 24), 1);
        assert!((1..=5).contains(&affordable(5)));
    }
}
