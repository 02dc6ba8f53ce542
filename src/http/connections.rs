//! Caps concurrent connections; when full, evicts the oldest connection of the least use.

use std::{
    collections::BTreeMap,
    fs,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering::Relaxed},
    },
};

use rustix::process::{Resource, getrlimit};
use tokio_util::sync::CancellationToken;

// Phases of a connection, in the order of eviction.
/// Its password was wrong; the response to that is still due.
const REJECTED: u8 = 0;
/// It has not sent a request.
const NEW: u8 = 1;
/// It is idle between two requests.
const IDLE: u8 = 2;
/// Its password waits for the check.
const WAITING: u8 = 3;
/// Its request is being served: never evicted.
const SERVING: u8 = 4;

/// File descriptors that are left to control besides those open at the start: connections to three
/// routers, name servers, history and configuration files, and one connection to turn away.
const RESERVED_DESCRIPTORS: usize = 12;

/// The open connections.
///
/// When all places are taken, a new connection evicts the oldest whose password was wrong, else the
/// oldest without a request, else the oldest that is idle, else the newest whose password waits.
#[derive(Debug, Clone)]
pub(super) struct ConnectionLimit {
    most: usize,
    open: Arc<Mutex<OpenConnections>>,
}

#[derive(Debug, Default)]
struct OpenConnections {
    next: u64,
    /// By number: oldest first.
    connections: BTreeMap<u64, Arc<Connection>>,
}

/// A connection, as seen by the handlers of its requests.
#[derive(Debug)]
pub(super) struct Connection {
    /// The address of the client.
    pub(super) address: IpAddr,
    phase: AtomicU8,
    has_failed: AtomicBool,
    evicted: CancellationToken,
}

/// The place of a connection; dropped, it is free.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    number: u64,
    limit: ConnectionLimit,
    /// The connection that has the place.
    pub(super) connection: Arc<Connection>,
}

/// Marks the connection as being served until this is dropped.
#[derive(Debug)]
pub(super) struct Serving(Arc<Connection>);

impl ConnectionLimit {
    /// Has room for `most` connections.
    pub(super) fn new(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    /// Gives a new connection a place, by eviction if necessary; `None` if all are being served.
    pub(super) fn admit(&self, address: IpAddr) -> Option<ConnectionSlot> {
        let mut open = self.open();
        if open.connections.len() >= self.most {
            let rank = |(number, connection): (&u64, &Arc<Connection>)| {
                let phase = connection.phase.load(Relaxed);
                (phase, if phase == WAITING { u64::MAX - number } else { *number }, *number)
            };
            let (phase, _, least) = open.connections.iter().map(rank).min()?;
            if phase == SERVING {
                return None;
            }
            open.connections.remove(&least)?.evicted.cancel();
        }
        let number = open.next;
        open.next += 1;
        let connection = Arc::new(Connection::new(address));
        open.connections.insert(number, Arc::clone(&connection));
        Some(ConnectionSlot { number, limit: self.clone(), connection })
    }

    fn open(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// A connection from `address` without a request.
    pub(super) fn new(address: IpAddr) -> Self {
        Self {
            address,
            phase: AtomicU8::new(NEW),
            has_failed: AtomicBool::default(),
            evicted: CancellationToken::new(),
        }
    }

    /// Marks the connection as being served.
    pub(super) fn serve(self: &Arc<Self>) -> Serving {
        self.phase.store(SERVING, Relaxed);
        Serving(Arc::clone(self))
    }

    /// Notes that the password waits for its check.
    pub(super) fn note_waiting(&self) {
        self.phase.store(WAITING, Relaxed);
    }

    /// Notes that the password was right.
    pub(super) fn note_accepted(&self) {
        self.phase.store(SERVING, Relaxed);
    }

    /// Notes that the password was wrong.
    pub(super) fn note_rejected(&self) {
        self.phase.store(REJECTED, Relaxed);
        self.has_failed.store(true, Relaxed);
    }

    /// Returns whether a password on this connection was wrong.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Relaxed)
    }

    /// Waits until another connection needs the place.
    pub(super) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.limit.open().connections.remove(&self.number);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.phase.store(IDLE, Relaxed);
    }
}

/// Returns how many connections of the `most` wanted the limit of file descriptors permits.
pub(super) fn affordable(most: usize) -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    // Without /proc: the usual number of a daemon with two WANs.
    let open = fs::read_dir("/proc/self/fd").map_or(24, Iterator::count);
    spare(limit, open).min(most)
}

/// At least one connection, so that the operator can look at the fault.
fn spare(limit: usize, open: usize) -> usize {
    limit.saturating_sub(open).saturating_sub(RESERVED_DESCRIPTORS).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(limit: &ConnectionLimit) -> Option<ConnectionSlot> {
        limit.admit(IpAddr::from([127, 0, 0, 1]))
    }

    fn is_evicted(slot: &ConnectionSlot) -> bool {
        slot.connection.evicted.is_cancelled()
    }

    #[test]
    fn silent_connections_are_evicted_before_idle_ones_and_served_ones_never() {
        let limit = ConnectionLimit::new(3);
        let first = admit(&limit).unwrap();
        let serving = first.connection.serve();
        let idle = admit(&limit).unwrap();
        drop(idle.connection.serve());
        let silent = admit(&limit).unwrap();

        let fourth = admit(&limit).unwrap();
        drop(fourth.connection.serve());
        assert!(is_evicted(&silent) && !is_evicted(&idle));
        let fifth = admit(&limit).unwrap();
        let _fifth = fifth.connection.serve();
        assert!(is_evicted(&idle), "the older of two idle ones");
        let sixth = admit(&limit).unwrap();
        let _sixth = sixth.connection.serve();
        assert!(is_evicted(&fourth));

        assert!(admit(&limit).is_none(), "all are being served");
        drop(serving);
        assert!(admit(&limit).is_some());
        assert!(is_evicted(&first));
    }

    #[test]
    fn wrong_passwords_are_evicted_first_and_waiting_ones_last() {
        let limit = ConnectionLimit::new(4);
        let slots: Vec<ConnectionSlot> = (0..4).map(|_| admit(&limit).unwrap()).collect();
        let _serving: Vec<Serving> = slots.iter().map(|slot| slot.connection.serve()).collect();
        slots[0].connection.note_waiting();
        slots[1].connection.note_waiting();
        slots[2].connection.note_accepted();
        slots[3].connection.note_rejected();
        let mut newcomers = Vec::new();
        for evicted in
            [[false, false, false, true], [false, true, false, true], [true, true, false, true]]
        {
            let newcomer = admit(&limit).unwrap();
            newcomer.connection.note_accepted();
            newcomers.push(newcomer);
            assert_eq!(slots.iter().map(is_evicted).collect::<Vec<_>>(), evicted);
        }
        assert!(admit(&limit).is_none());
    }

    #[test]
    fn a_closed_connection_frees_its_slot() {
        let limit = ConnectionLimit::new(1);
        for _ in 0..3 {
            let slot = admit(&limit).unwrap();
            let _serving = slot.connection.serve();
        }
        assert_eq!(limit.open().connections.len(), 0);
    }

    #[test]
    fn descriptors_are_reserved_for_control() {
        for (limit, open, left) in [(1024, 24, 988), (64, 24, 28), (30, 24, 1), (0, 24, 1)] {
            assert_eq!(spare(limit, open), left);
        }
        assert!((1..=5).contains(&affordable(5)));
    }
}
