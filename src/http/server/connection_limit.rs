//! Caps concurrent connections; when full, evicts the oldest connection of the least use.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio_util::sync::CancellationToken;

/// It has never asked for anything.
const NEW: u8 = 0;
/// It has been answered and may ask again.
const IDLE: u8 = 1;
/// It is being answered.
const BUSY: u8 = 2;
/// Its password waits to be checked.
const WAITING: u8 = 3;
/// Its password was wrong; it will hear of that.
const REFUSED: u8 = 4;

/// The connections that are open.
///
/// A newcomer takes the place of the oldest whose password was wrong, else of the oldest that has
/// never asked for anything, else of the oldest that waits between two requests, else of the
/// newest whose password waits to be checked: a flood of silent connections or of guesses drives
/// out itself, and a scrape in its midst is answered.
#[derive(Debug, Clone)]
pub(super) struct ConnectionLimit {
    most: usize,
    inside: Arc<Mutex<OpenConnections>>,
}

#[derive(Debug, Default)]
struct OpenConnections {
    next: u64,
    /// By number: oldest first.
    open: BTreeMap<u64, ConnectionState>,
}

#[derive(Debug, Clone, Default)]
struct ConnectionState {
    phase: Arc<AtomicU8>,
    leave: CancellationToken,
}

/// One connection's place; dropped, it is free.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    number: u64,
    place: ConnectionState,
    connection_limit: ConnectionLimit,
}

/// The guest is being answered until this is dropped.
#[derive(Debug)]
pub(super) struct Busy(Arc<AtomicU8>);

impl ConnectionLimit {
    /// Has room for `most` connections.
    pub(super) fn new(most: usize) -> Self {
        Self { most, inside: Arc::default() }
    }

    /// Gives a newcomer a place, if need be by asking another to leave; `None` if all are busy.
    pub(super) fn admit(&self) -> Option<ConnectionSlot> {
        let mut inside = self.open();
        if inside.open.len() >= self.most {
            let oldest = |phase| {
                let mut places = inside.open.iter();
                places.find(|(_, place)| place.phase.load(Relaxed) == phase).map(|(id, _)| *id)
            };
            let newest_waiting = || {
                let mut places = inside.open.iter().rev();
                places.find(|(_, place)| place.phase.load(Relaxed) == WAITING).map(|(id, _)| *id)
            };
            let leaves = [REFUSED, NEW, IDLE].into_iter().find_map(oldest);
            let leaves = leaves.or_else(newest_waiting)?;
            inside.open.remove(&leaves)?.leave.cancel();
        }
        let (number, place) = (inside.next, ConnectionState::default());
        inside.next += 1;
        inside.open.insert(number, place.clone());
        Some(ConnectionSlot { number, place, connection_limit: self.clone() })
    }

    /// Nothing is left half-done here by a panic.
    fn open(&self) -> MutexGuard<'_, OpenConnections> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who sends a request, as far as its connection tells.
#[derive(Debug, Clone)]
pub(in crate::http) struct Caller {
    /// The address of the other end.
    pub(in crate::http) address: IpAddr,
    phase: Arc<AtomicU8>,
    failed: Arc<AtomicBool>,
}

impl Caller {
    /// Notes that the password waits to be checked.
    pub(in crate::http) fn note_waiting(&self) {
        self.phase.store(WAITING, Relaxed);
    }

    /// Notes that the password was right.
    pub(in crate::http) fn note_accepted(&self) {
        self.phase.store(BUSY, Relaxed);
    }

    /// Notes that the password was wrong.
    pub(in crate::http) fn note_rejected(&self) {
        self.phase.store(REFUSED, Relaxed);
        self.failed.store(true, Relaxed);
    }

    /// Returns whether a password on this connection was wrong.
    pub(in crate::http) fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }
}

#[cfg(test)]
impl Caller {
    /// Someone at this address.
    pub(in crate::http) fn at(address: IpAddr) -> Self {
        Self { address, phase: Arc::default(), failed: Arc::default() }
    }
}

impl ConnectionSlot {
    /// Returns what requests of this guest are marked with.
    pub(super) fn caller(&self, address: IpAddr) -> Caller {
        let phase = Arc::clone(&self.place.phase);
        Caller { address, phase, failed: Arc::default() }
    }

    /// Marks the guest as being answered.
    pub(super) fn busy(&self) -> Busy {
        self.place.phase.store(BUSY, Relaxed);
        Busy(Arc::clone(&self.place.phase))
    }

    /// Waits until somebody else needs the place.
    pub(super) async fn must_leave(&self) {
        self.place.leave.cancelled().await;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.connection_limit.open().open.remove(&self.number);
    }
}

impl Busy {
    /// Keeps the guest busy until `body` has been handed on for sending.
    pub(super) fn until_sent(self, body: Body) -> BodySending {
        BodySending { body, _busy: self }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(IDLE, Relaxed);
    }
}

/// An answer's body, and that it is being sent.
#[derive(Debug)]
pub(super) struct BodySending {
    body: Body,
    _busy: Busy,
}

impl HttpBody for BodySending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_silent_make_room_before_the_proven_and_the_busy_stay() {
        let connection_limit = ConnectionLimit::new(3);
        let busy = connection_limit.admit().unwrap();
        let answering = busy.busy();
        let proven = connection_limit.admit().unwrap();
        drop(proven.busy());
        let silent = connection_limit.admit().unwrap();

        let fourth = connection_limit.admit().unwrap();
        drop(fourth.busy());
        assert!(silent.place.leave.is_cancelled());
        assert!(!proven.place.leave.is_cancelled());

        let fifth = connection_limit.admit().unwrap();
        let _fifth_asks = fifth.busy();
        assert!(proven.place.leave.is_cancelled(), "the older of the two that wait");
        let sixth = connection_limit.admit().unwrap();
        let _sixth_asks = sixth.busy();
        assert!(fourth.place.leave.is_cancelled());

        assert!(connection_limit.admit().is_none(), "all are being answered");
        drop(answering);
        assert!(connection_limit.admit().is_some());
        assert!(busy.place.leave.is_cancelled());
    }

    #[test]
    fn the_refused_make_room_first_and_those_who_wait_last() {
        let connection_limit = ConnectionLimit::new(4);
        let address = IpAddr::from([127, 0, 0, 1]);
        let slots: Vec<ConnectionSlot> =
            (0..4).map(|_| connection_limit.admit().unwrap()).collect();
        let asks: Vec<(Busy, Caller)> =
            slots.iter().map(|slot| (slot.busy(), slot.caller(address))).collect();
        asks[0].1.note_waiting();
        asks[1].1.note_waiting();
        asks[2].1.note_accepted();
        asks[3].1.note_rejected();
        let left = || {
            let gone = slots.iter().map(|slot| slot.place.leave.is_cancelled());
            gone.collect::<Vec<bool>>()
        };
        let newcomers: Vec<ConnectionSlot> = (0..2)
            .map(|_| {
                let newcomer = connection_limit.admit().unwrap();
                newcomer.place.phase.store(BUSY, Relaxed);
                newcomer
            })
            .collect();
        assert_eq!(left(), [false, true, false, true]);
        let _third = connection_limit.admit().unwrap().busy();
        assert_eq!(left(), [true, true, false, true]);
        drop(newcomers);
    }

    #[test]
    fn a_closed_connection_frees_its_slot() {
        let connection_limit = ConnectionLimit::new(1);
        for _ in 0..3 {
            let slot = connection_limit.admit().unwrap();
            let _asks = slot.busy();
        }
        assert_eq!(connection_limit.open().open.len(), 0);
    }
}
