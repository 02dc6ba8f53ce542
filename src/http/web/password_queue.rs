//! Who is checked next. A password check is slow by design, so checks take turns, and a flood of
//! wrong passwords must keep out itself and nobody else.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

use crate::http::server::Caller;

/// Requests that wait at one time, however fast a check is.
const MOST_WAITING: usize = 32;
/// No more wait than can be checked in this time, as long as nobody better comes.
const SERVED: Duration = Duration::from_secs(7);
/// How long one waits, a little more than that. What is left of the time for a request is for the
/// check and for the answer.
const LONGEST_WAIT: Duration = Duration::from_millis(7500);
/// What a check is taken to last before one has been measured.
const FIRST_CHECK: Duration = Duration::from_millis(250);
/// Checks at one time; half of the processors is left to everybody else, at least.
const MOST_CHECKS: usize = 2;
/// After this time half of an address's failures are forgotten.
const FORGET: Duration = Duration::from_secs(30);
/// Addresses whose failures are remembered.
const MOST_ADDRESSES: usize = 1024;
/// The shortest and the longest time after which a wrong password is answered.
const SHORTEST_HOLD: Duration = Duration::from_secs(1);
const LONGEST_HOLD: Duration = Duration::from_secs(8);

/// The desk at which passwords are checked.
#[derive(Debug, Clone)]
pub(super) struct PasswordQueue(Arc<Mutex<QueueState>>);

#[derive(Debug)]
struct QueueState {
    checks: usize,
    most_checks: usize,
    /// What a check lasts, as measured lately.
    check_lasts: Duration,
    next: u64,
    waiting: Vec<Waiter>,
    failures: BTreeMap<IpAddr, u32>,
    halved: Instant,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    address: IpAddr,
    has_failed: bool,
    turn: oneshot::Sender<CheckPermit>,
}

/// The right to check one password; dropped, it is the next one's.
#[derive(Debug)]
pub(super) struct CheckPermit {
    password_queue: PasswordQueue,
    /// When the check began.
    since: Option<Instant>,
}

impl CheckPermit {
    const fn at(password_queue: PasswordQueue) -> Self {
        Self { password_queue, since: None }
    }

    /// Notes that the check begins; it ends when this is dropped.
    pub(super) fn begin(&mut self) {
        self.since = Some(Instant::now());
    }
}

impl PasswordQueue {
    /// Nobody waits.
    pub(super) fn new() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self::with_checks((processors / 2).clamp(1, MOST_CHECKS))
    }

    fn with_checks(most_checks: usize) -> Self {
        Self(Arc::new(Mutex::new(QueueState {
            checks: 0,
            most_checks,
            check_lasts: FIRST_CHECK,
            next: 0,
            waiting: Vec::new(),
            failures: BTreeMap::new(),
            halved: Instant::now(),
        })))
    }

    /// Waits for a turn. Those whose address has the fewest recent failures come first, then those
    /// on a connection without one, then those who came first. `None` if more wait than can be
    /// served in time, or after [`LONGEST_WAIT`]: of those with the most failures, one of an address of
    /// which most wait is turned away, whichever it is. Were it always the newest, whoever asks
    /// most often would have every place that becomes free.
    pub(super) async fn permit(&self, caller: &Caller) -> Option<CheckPermit> {
        let (turn, comes) = oneshot::channel();
        {
            let mut line = self.line();
            if line.checks < line.most_checks {
                line.checks += 1;
                return Some(CheckPermit::at(self.clone()));
            }
            let number = line.next;
            line.next += 1;
            let (address, has_failed) = (of_network(caller.address), caller.has_failed());
            line.waiting.push(Waiter { number, address, has_failed, turn });
            line.waiting.retain(|ticket| !ticket.turn.is_closed());
            while line.waiting.len() > line.room() {
                // Dropped, its owner hears of it. This may be the newcomer.
                let worst = line.worst();
                drop(worst.map(|worst| line.waiting.swap_remove(worst)));
            }
        }
        timeout(LONGEST_WAIT, comes).await.ok()?.ok()
    }

    /// Notes a wrong password and returns how long its sender waits for the answer: the longer the
    /// more wrong ones have come from that address lately.
    pub(super) fn failed(&self, caller: &Caller) -> Duration {
        let mut line = self.line();
        if line.halved.elapsed() >= FORGET {
            line.halved = Instant::now();
            line.failures.retain(|_, count| {
                *count /= 2;
                *count > 0
            });
        }
        let address = of_network(caller.address);
        if line.failures.len() < MOST_ADDRESSES || line.failures.contains_key(&address) {
            let count = line.failures.entry(address).or_default();
            *count = count.saturating_add(1);
        }
        let hold = SHORTEST_HOLD * line.weight(address).saturating_sub(2).max(1);
        hold.min(LONGEST_HOLD)
    }

    fn line(&self) -> MutexGuard<'_, QueueState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueState {
    /// Who comes first: the ticket with the smallest rank.
    fn rank(&self, ticket: &Waiter) -> (u32, bool, u64) {
        (self.weight(ticket.address), ticket.has_failed, ticket.number)
    }

    fn best(&self) -> Option<usize> {
        (0..self.waiting.len()).min_by_key(|place| self.rank(&self.waiting[*place]))
    }

    /// Who is turned away.
    fn worst(&self) -> Option<usize> {
        let crowd =
            |address| self.waiting.iter().filter(|ticket| ticket.address == address).count();
        let rank = |place: &usize| {
            let ticket = &self.waiting[*place];
            (self.weight(ticket.address), ticket.has_failed, crowd(ticket.address))
        };
        let worst = (0..self.waiting.len()).map(|place| rank(&place)).max()?;
        let mut equals: Vec<usize> =
            (0..self.waiting.len()).filter(|place| rank(place) == worst).collect();
        Some(equals.swap_remove(below(equals.len())))
    }

    /// How many can be served while one waits.
    fn room(&self) -> usize {
        let checks = SERVED.as_micros() / self.check_lasts.as_micros().max(1);
        let room = usize::try_from(checks).unwrap_or(MOST_WAITING).saturating_mul(self.most_checks);
        room.clamp(1, MOST_WAITING)
    }

    /// Takes a measured check into account: a slower one at once, a faster one gradually, since
    /// those who wait have been let in already.
    fn lasted(&mut self, check: Duration) {
        self.check_lasts = check.max((self.check_lasts * 7 + check) / 8);
    }

    /// The number of binary digits of the recent failures of an address: 3 and 2 are the same.
    fn weight(&self, address: IpAddr) -> u32 {
        let count = self.failures.get(&address).copied().unwrap_or(0);
        u32::BITS - count.leading_zeros()
    }
}

impl Drop for CheckPermit {
    fn drop(&mut self) {
        let next = {
            let mut line = self.password_queue.line();
            line.checks -= 1;
            if let Some(since) = self.since {
                line.lasted(since.elapsed());
            }
            line.waiting.retain(|ticket| !ticket.turn.is_closed());
            let best = line.best();
            let next = best.map(|best| line.waiting.swap_remove(best));
            line.checks += usize::from(next.is_some());
            next
        };
        if let Some(ticket) = next {
            // Whoever has left gives it back, which is another drop.
            let _ = ticket.turn.send(Self::at(self.password_queue.clone()));
        }
    }
}

/// Returns a number below `count`, or 0, that nobody can foresee: the standard library seeds its
/// hashers so.
fn below(count: usize) -> usize {
    let random = RandomState::new().build_hasher().finish();
    usize::try_from(random >> 33).unwrap_or(0) % count.max(1)
}

/// Whoever has one address of IPv6 has all of its /64.
fn of_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(host: u8) -> Caller {
        Caller::at(IpAddr::from([192, 0, 2, host]))
    }

    /// Lets somebody wait, who says `name` when it is his turn.
    async fn wait(
        password_queue: &PasswordQueue,
        caller: Caller,
        name: &'static str,
        said: &Arc<Mutex<Vec<String>>>,
    ) {
        let (password_queue, said) = (password_queue.clone(), Arc::clone(said));
        let before = password_queue.line().next;
        let waits = password_queue.clone();
        tokio::spawn(async move {
            let turn = password_queue.permit(&caller).await;
            let comes = if turn.is_some() { "" } else { "not " };
            said.lock().unwrap().push(format!("{comes}{name}"));
        });
        while waits.line().next == before {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_address_and_the_connection_without_failures_come_first() {
        let password_queue = PasswordQueue::with_checks(1);
        let said = Arc::default();
        for _ in 0..100 {
            password_queue.failed(&caller(1));
        }
        let turn = password_queue.permit(&caller(9)).await.unwrap();
        let guesser = caller(2);
        guesser.note_rejected();
        wait(&password_queue, caller(1), "flooder", &said).await;
        wait(&password_queue, guesser, "guesser", &said).await;
        wait(&password_queue, caller(3), "first", &said).await;
        wait(&password_queue, caller(2), "second", &said).await;
        drop(turn);
        while said.lock().unwrap().len() < 4 {
            tokio::task::yield_now().await;
        }
        assert_eq!(*said.lock().unwrap(), ["first", "second", "guesser", "flooder"]);
        assert_eq!(password_queue.line().checks, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_line_turns_away_the_worst_and_nobody_waits_too_long() {
        let password_queue = PasswordQueue::with_checks(1);
        let said = Arc::default();
        password_queue.failed(&caller(1));
        password_queue.line().check_lasts = Duration::from_millis(1);
        let turn = password_queue.permit(&caller(9)).await.unwrap();
        for _ in 0..MOST_WAITING {
            wait(&password_queue, caller(1), "flooder", &said).await;
        }
        wait(&password_queue, caller(2), "other", &said).await;
        while said.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(*said.lock().unwrap(), ["not flooder"]);
        wait(&password_queue, caller(1), "late flooder", &said).await;
        while said.lock().unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
        assert!(said.lock().unwrap()[1].ends_with("flooder"));
        tokio::time::sleep(LONGEST_WAIT * 2).await;
        assert_eq!(said.lock().unwrap().len(), MOST_WAITING + 2);
        assert!(said.lock().unwrap().contains(&"not other".to_owned()));
        drop(turn);
        assert!(password_queue.permit(&caller(1)).await.is_some(), "the line is open again");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_let_in_is_served_in_time_however_slow_a_check_is() {
        for (millis, room) in [(1, 32), (300, 23), (1000, 7), (3000, 2), (60_000, 1)] {
            let password_queue = PasswordQueue::with_checks(1);
            let lasts = Duration::from_millis(millis);
            let mut turn = password_queue.permit(&caller(9)).await.unwrap();
            turn.begin();
            tokio::time::sleep(lasts).await;
            drop(turn);
            // A slower check counts at once, a faster one little by little.
            for _ in 0..60 {
                password_queue.line().lasted(lasts);
            }
            assert_eq!(password_queue.line().room(), room, "{millis} ms");
            let first = password_queue.permit(&caller(9)).await.unwrap();
            let all: Vec<_> = (0..200)
                .map(|host| {
                    let password_queue = password_queue.clone();
                    tokio::spawn(async move {
                        let asked = Instant::now();
                        let Some(mut turn) = password_queue.permit(&caller(host)).await else {
                            return false;
                        };
                        assert!(asked.elapsed() <= LONGEST_WAIT, "{millis} ms");
                        turn.begin();
                        tokio::time::sleep(lasts).await;
                        true
                    })
                })
                .collect();
            tokio::task::yield_now().await;
            // The check before theirs.
            tokio::time::sleep(lasts.min(SERVED)).await;
            drop(first);
            let mut served = 0;
            for one in all {
                served += usize::from(one.await.unwrap());
            }
            assert_eq!(served, room, "{millis} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_of_the_address_with_most_is_turned_away_and_not_always_the_newest() {
        let password_queue = PasswordQueue::with_checks(1);
        password_queue.line().check_lasts = Duration::from_secs(1);
        let _turn = password_queue.permit(&caller(9)).await.unwrap();
        let said = Arc::default();
        wait(&password_queue, caller(1), "single", &said).await;
        for _ in 0..100 {
            wait(&password_queue, caller(2), "one of many", &said).await;
        }
        while said.lock().unwrap().len() < 94 {
            tokio::task::yield_now().await;
        }
        assert!(said.lock().unwrap().iter().all(|who| who == "not one of many"));
        let waiting: Vec<u64> =
            password_queue.line().waiting.iter().map(|ticket| ticket.number).collect();
        assert!(waiting.contains(&0) && waiting.len() == 7);
        assert!(waiting.iter().any(|number| *number > 7), "those who came later have a chance");
    }

    #[tokio::test(start_paused = true)]
    async fn wrong_passwords_are_answered_the_later_the_more_there_are() {
        let password_queue = PasswordQueue::with_checks(1);
        let holds: Vec<u64> =
            (0..3000).map(|_| password_queue.failed(&caller(1)).as_secs()).collect();
        assert!(holds.is_sorted() && holds[..7] == [1; 7] && holds[2999] == 8);
        assert_eq!(password_queue.failed(&caller(2)), SHORTEST_HOLD);
        for _ in 0..20 {
            tokio::time::sleep(FORGET).await;
            password_queue.failed(&caller(2));
        }
        assert_eq!(password_queue.failed(&caller(1)), SHORTEST_HOLD, "forgotten");
        let network = |text: &str| of_network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
