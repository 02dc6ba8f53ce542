//! The queue of passwords that wait for bcrypt, ordered so that a flood of wrong passwords keeps out
//! itself only.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

use super::connections::Connection;

/// Most requests that wait at one time, however fast a check is.
const MOST_WAITING: usize = 32;
/// The queue is as long as can be checked in this time.
const QUEUE_TIME: Duration = Duration::from_secs(7);
/// A request waits a little longer than that; the rest of its time is for the check and the answer.
const LONGEST_WAIT: Duration = Duration::from_millis(7500);
/// The assumed time of a check before the first measurement.
const FIRST_CHECK: Duration = Duration::from_millis(250);
/// Most checks at one time; at least half of the processors are left to other tasks.
const MOST_CHECKS: usize = 2;
/// After this time the failures of each address are halved.
const HALVING: Duration = Duration::from_secs(30);
/// Most addresses whose failures are counted.
const MOST_ADDRESSES: usize = 1024;
/// Shortest and longest delay of the response to a wrong password.
const HOLD: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));

/// Grants permits for password checks.
#[derive(Debug, Clone)]
pub(super) struct PasswordQueue(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    running: usize,
    most_running: usize,
    /// The recent time of a check.
    check_time: Duration,
    /// Oldest first.
    waiting: Vec<Waiter>,
    /// Recent wrong passwords by network.
    failures: BTreeMap<IpAddr, u32>,
    halved: Instant,
}

#[derive(Debug)]
struct Waiter {
    network: IpAddr,
    has_failed: bool,
    permit: oneshot::Sender<CheckPermit>,
}

/// The right to check one password; dropped, the next request has it. Its life is the measured time
/// of a check.
#[derive(Debug)]
pub(super) struct CheckPermit {
    queue: PasswordQueue,
    since: Instant,
}

impl Default for PasswordQueue {
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self::with_checks((processors / 2).clamp(1, MOST_CHECKS))
    }
}

impl PasswordQueue {
    fn with_checks(most_running: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            running: 0,
            most_running,
            check_time: FIRST_CHECK,
            waiting: Vec::new(),
            failures: BTreeMap::new(),
            halved: Instant::now(),
        })))
    }

    /// Waits for a permit. The order is: fewest recent failures of the address, no failure on the
    /// connection, oldest. `None` after [`LONGEST_WAIT`], or if the queue is too long: then one of
    /// the last in order is turned away, at random among those of the address with most of them. If
    /// it were always the newest, the fastest client would get every free place.
    pub(super) async fn permit(&self, connection: &Connection) -> Option<CheckPermit> {
        let (permit, granted) = oneshot::channel();
        {
            let mut state = self.state();
            if state.running < state.most_running {
                state.running += 1;
                return Some(self.grant());
            }
            let (network, has_failed) = (network(connection.address), connection.has_failed());
            state.waiting.retain(|waiter| !waiter.permit.is_closed());
            state.waiting.push(Waiter { network, has_failed, permit });
            while state.waiting.len() > state.room() {
                let Some(last) = state.last() else { break };
                // This may be the new one.
                state.waiting.remove(last);
            }
        }
        timeout(LONGEST_WAIT, granted).await.ok()?.ok()
    }

    /// Counts a wrong password, and returns the delay of its response: longer with more failures.
    pub(super) fn failed(&self, address: IpAddr) -> Duration {
        let mut state = self.state();
        if state.halved.elapsed() >= HALVING {
            state.halved = Instant::now();
            state.failures.retain(|_, count| {
                *count /= 2;
                *count > 0
            });
        }
        let network = network(address);
        if state.failures.len() < MOST_ADDRESSES || state.failures.contains_key(&network) {
            let count = state.failures.entry(network).or_default();
            *count = count.saturating_add(1);
        }
        (HOLD.0 * state.weight(network).saturating_sub(2)).clamp(HOLD.0, HOLD.1)
    }

    fn grant(&self) -> CheckPermit {
        CheckPermit { queue: self.clone(), since: Instant::now() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn rank(&self, waiter: &Waiter) -> (u32, bool) {
        (self.weight(waiter.network), waiter.has_failed)
    }

    /// The place of the waiter that comes next.
    fn first(&self) -> Option<usize> {
        (0..self.waiting.len()).min_by_key(|place| self.rank(&self.waiting[*place]))
    }

    /// The place of the waiter that is turned away.
    fn last(&self) -> Option<usize> {
        let crowd = |network| self.waiting.iter().filter(|other| other.network == network).count();
        (0..self.waiting.len()).max_by_key(|place| {
            let waiter = &self.waiting[*place];
            (self.rank(waiter), crowd(waiter.network), fastrand::u64(..))
        })
    }

    /// How many can be checked in [`QUEUE_TIME`].
    fn room(&self) -> usize {
        let checks = QUEUE_TIME.as_micros() / self.check_time.as_micros().max(1);
        let room = usize::try_from(checks).unwrap_or(MOST_WAITING);
        room.saturating_mul(self.most_running).clamp(1, MOST_WAITING)
    }

    /// Takes a measured check into account: a slower one at once, a faster one gradually, because
    /// requests already wait.
    fn measured(&mut self, check: Duration) {
        self.check_time = check.max((self.check_time * 7 + check) / 8);
    }

    /// The number of binary digits of a network's recent failures.
    fn weight(&self, network: IpAddr) -> u32 {
        self.failures.get(&network).map_or(0, |count| u32::BITS - count.leading_zeros())
    }
}

impl Drop for CheckPermit {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.measured(self.since.elapsed());
        state.waiting.retain(|waiter| !waiter.permit.is_closed());
        let next = state.first().map(|first| state.waiting.remove(first));
        state.running -= usize::from(next.is_none());
        drop(state);
        if let Some(next) = next {
            // If it has left meanwhile, the permit is dropped again.
            let _ = next.permit.send(self.queue.grant());
        }
    }
}

/// An IPv6 client has a whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        task::yield_now,
        time::sleep,
    };

    use super::*;

    fn address(host: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, host])
    }

    fn client(host: u8) -> Connection {
        Connection::new(address(host))
    }

    /// Requests of named clients at a queue with one check, and what became of each.
    struct Requests {
        queue: PasswordQueue,
        sender: UnboundedSender<(bool, &'static str)>,
        outcomes: UnboundedReceiver<(bool, &'static str)>,
    }

    impl Requests {
        fn new() -> Self {
            let (sender, outcomes) = unbounded_channel();
            Self { queue: PasswordQueue::with_checks(1), sender, outcomes }
        }

        async fn add(&self, client: Connection, name: &'static str) {
            let (queue, sender) = (self.queue.clone(), self.sender.clone());
            tokio::spawn(async move {
                let permit = queue.permit(&client).await;
                sender.send((permit.is_some(), name)).unwrap();
            });
            yield_now().await;
        }

        async fn next(&mut self) -> (bool, &'static str) {
            self.outcomes.recv().await.unwrap()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_and_connections_without_failures_come_first() {
        let mut requests = Requests::new();
        for _ in 0..100 {
            requests.queue.failed(address(1));
        }
        let permit = requests.queue.permit(&client(9)).await.unwrap();
        let guesser = client(2);
        guesser.note_rejected();
        requests.add(client(1), "flooder").await;
        requests.add(guesser, "guesser").await;
        requests.add(client(3), "first").await;
        requests.add(client(2), "second").await;
        drop(permit);
        for name in ["first", "second", "guesser", "flooder"] {
            assert_eq!(requests.next().await, (true, name));
        }
        yield_now().await;
        assert_eq!(requests.queue.state().running, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_turns_away_the_last_and_no_request_waits_too_long() {
        let mut requests = Requests::new();
        requests.queue.failed(address(1));
        requests.queue.state().check_time = Duration::from_millis(1);
        let permit = requests.queue.permit(&client(9)).await.unwrap();
        for _ in 0..MOST_WAITING {
            requests.add(client(1), "flooder").await;
        }
        requests.add(client(2), "other").await;
        assert_eq!(requests.next().await, (false, "flooder"));
        requests.add(client(1), "flooder").await;
        assert_eq!(requests.next().await, (false, "flooder"));
        sleep(LONGEST_WAIT * 2).await;
        let mut late = Vec::new();
        while let Ok(outcome) = requests.outcomes.try_recv() {
            late.push(outcome);
        }
        assert_eq!(late.len(), MOST_WAITING);
        assert!(late.contains(&(false, "other")) && late.iter().all(|(granted, _)| !granted));
        drop(permit);
        assert!(requests.queue.permit(&client(1)).await.is_some(), "the queue is empty again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_request_is_checked_in_time_however_slow_a_check_is() {
        for (millis, room) in [(1, 32), (300, 23), (1000, 7), (3000, 2), (60_000, 1)] {
            let queue = PasswordQueue::with_checks(1);
            let lasts = Duration::from_millis(millis);
            let permit = queue.permit(&client(9)).await.unwrap();
            sleep(lasts).await;
            drop(permit);
            for _ in 0..60 {
                queue.state().measured(lasts);
            }
            assert_eq!(queue.state().room(), room, "{millis} ms");
            let first = queue.permit(&client(9)).await.unwrap();
            let all: Vec<_> = (0..200)
                .map(|host| {
                    let queue = queue.clone();
                    tokio::spawn(async move {
                        let asked = Instant::now();
                        let permit = queue.permit(&client(host)).await;
                        assert!(asked.elapsed() <= LONGEST_WAIT, "{millis} ms");
                        if permit.is_some() {
                            sleep(lasts).await;
                        }
                        permit.is_some()
                    })
                })
                .collect();
            yield_now().await;
            // The check before theirs.
            sleep(lasts.min(QUEUE_TIME)).await;
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
        let mut requests = Requests::new();
        requests.queue.state().check_time = Duration::from_secs(1);
        let permit = requests.queue.permit(&client(9)).await.unwrap();
        requests.add(client(1), "single").await;
        for name in std::iter::repeat_n("early", 6).chain(std::iter::repeat_n("late", 94)) {
            requests.add(client(2), name).await;
        }
        for _ in 0..94 {
            let (granted, name) = requests.next().await;
            assert!(!granted && name != "single");
        }
        drop(permit);
        let mut names = Vec::new();
        for _ in 0..7 {
            names.push(requests.next().await);
        }
        assert!(names.contains(&(true, "single")), "{names:?}");
        assert!(names.contains(&(true, "late")), "later ones have a chance: {names:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn wrong_passwords_are_answered_later_with_more_of_them() {
        let queue = PasswordQueue::with_checks(1);
        let holds: Vec<u64> = (0..3000).map(|_| queue.failed(address(1)).as_secs()).collect();
        assert!(holds.is_sorted() && holds[..7] == [1; 7] && holds[2999] == 8);
        assert_eq!(queue.failed(address(2)), HOLD.0);
        for _ in 0..20 {
            sleep(HALVING).await;
            queue.failed(address(2));
        }
        assert_eq!(queue.failed(address(1)), HOLD.0, "forgotten");
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
