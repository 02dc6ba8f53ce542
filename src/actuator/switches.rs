//! Rules and routes desired against observed: what steering orders is written, read back and kept.
//!
//! ```text
//! orders ──► Board (pure) ──► one request at a time, behind the cuts ──► router
//!              ▲                                                           │
//!              └──────────────── enabled or not, as read ◄─────────────────┘
//! ```
//!
//! Each switch is looked at when the daemon starts, every 30 s and after any doubt, because
//! somebody may have toggled it and a router may have rebooted in the middle of a change.

mod metrics;
mod switch_table;

use tokio::sync::watch;
use tracing::{error, info, warn};
use wanctl_core::{
    steering::{RouteActuation, SwitchOrder},
    units::MonoTime,
};

pub use self::metrics::SwitchMetrics;
pub(super) use self::switch_table::Job;
use self::switch_table::SwitchTable;
use crate::router::{MarkedConnections, Router, RouterError, SwitchRef};

/// What steering and the actuator share; on either side the newest value wins.
#[derive(Debug, Clone)]
pub struct SwitchChannels {
    /// How the switches ought to be, in the order in which they are to be put so; none if they
    /// are to be left alone.
    pub orders: watch::Sender<Vec<SwitchOrder>>,
    /// How they are to be left in the end, likewise.
    pub exit_orders: watch::Sender<Vec<SwitchOrder>>,
    /// How far the router has followed.
    pub actuation: watch::Sender<RouteActuation>,
    /// Why switches cannot be used, in sentences.
    pub problems: watch::Sender<Vec<String>>,
}

impl Default for SwitchChannels {
    fn default() -> Self {
        Self {
            orders: watch::channel(Vec::new()).0,
            exit_orders: watch::channel(Vec::new()).0,
            actuation: watch::channel(RouteActuation::default()).0,
            problems: watch::channel(Vec::new()).0,
        }
    }
}

/// Connections that begin anew because the route of new ones was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConntrackFlush {
    /// The change after which…
    pub after: SwitchOrder,
    /// …the router forgets these.
    pub connections: MarkedConnections,
}

/// The switches of a router, and for whom they are switched.
#[derive(Debug, Clone)]
pub struct SwitchWork {
    /// The rows of the router; none if nothing is steered.
    pub refs: Vec<SwitchRef>,
    /// What the router forgets after which of them was changed.
    pub forgets: Vec<ConntrackFlush>,
    /// Where orders come from and reports go.
    pub link: SwitchChannels,
    /// Where changes are counted.
    pub metrics: SwitchMetrics,
}

/// The actuator's hand on the switches.
#[derive(Debug)]
pub(super) struct Switches {
    work: SwitchWork,
    board: SwitchTable,
    /// What the router is to forget because of a change that it has made.
    to_forget: Vec<MarkedConnections>,
    /// Remembers which orders were seen.
    pub(super) orders: watch::Receiver<Vec<SwitchOrder>>,
}

impl Switches {
    pub(super) fn new(work: SwitchWork) -> Self {
        let board = SwitchTable::new(work.refs.iter().map(|at| at.switch).collect());
        Self { orders: work.link.orders.subscribe(), board, to_forget: Vec::new(), work }
    }

    /// Returns the row that the switch with this place stands for.
    pub(super) fn row(&self, place: usize) -> Option<SwitchRef> {
        self.work.refs.get(place).cloned()
    }

    /// Takes the newest orders; with `writes` off nothing is wanted of the router.
    pub(super) fn take_orders(&mut self, writes: bool, now: MonoTime) {
        let orders = self.orders.borrow_and_update().clone();
        if self.board.want(if writes { &orders } else { &[] }, now) {
            self.publish();
        }
    }

    /// Returns the change that is due at `now`.
    pub(super) fn due(&self, now: MonoTime) -> Option<Job> {
        self.board.due_change(now)
    }

    /// Returns the read that is due at `now`.
    pub(super) fn due_read(&self, now: MonoTime) -> Option<Job> {
        self.board.due_read(now)
    }

    /// Returns when the next read is due if nothing else happens.
    pub(super) fn next_read(&self) -> Option<MonoTime> {
        self.board.next_read()
    }

    pub(super) fn begin(&mut self, job: Job, now: MonoTime) {
        self.board.begin(job, now);
    }

    /// Returns what the router is to forget next, once nothing is left to be switched. Each is tried
    /// once: whoever is not forgotten goes on where it is, as without this.
    pub(super) fn due_forgetting(&mut self) -> Option<MarkedConnections> {
        self.to_forget.pop()
    }

    /// Takes the result of forgetting; a fault of the whole router is returned.
    pub(super) fn forgot(
        of: &MarkedConnections,
        answer: Result<usize, RouterError>,
    ) -> Option<RouterError> {
        let mark = &of.mark;
        match answer {
            Ok(connections) => info!(
                mark,
                connections, "existing connections were removed from the connection table"
            ),
            Err(failure) if failure.fault.concerns_all() => return Some(failure),
            Err(failure) => {
                warn!(mark, error = %failure, "existing connections stay on their WAN");
            }
        }
        None
    }

    /// Takes the result of a job; a fault of the whole router is returned.
    pub(super) fn take(
        &mut self,
        router: &Router,
        job: Job,
        answer: Result<bool, RouterError>,
        now: MonoTime,
    ) -> Option<RouterError> {
        let at = self.work.refs.get(job.place)?;
        let failure = match answer {
            Ok(enabled) => {
                let found = self.board.answered(job, enabled, now);
                self.work.metrics.answered(at.switch, job, true);
                match (job.change, found.drifted) {
                    (Some(wanted), _) => {
                        info!(switch = %at, enabled, "switched");
                        if wanted == enabled {
                            let done = SwitchOrder { switch: at.switch, enabled };
                            let forgets = self.work.forgets.iter().filter(|f| f.after == done);
                            self.to_forget.extend(forgets.map(|f| f.connections.clone()));
                        }
                    }
                    (None, true) => {
                        warn!(switch = %at, enabled, "a switch was changed outside wanctl");
                    }
                    (None, false) => {}
                }
                if found.recovered {
                    info!(switch = %at, "a switch can be used again");
                }
                None
            }
            Err(failure) => {
                self.work.metrics.answered(at.switch, job, false);
                if failure.fault.concerns_all() {
                    Some(failure)
                } else {
                    let what = format!(
                        "{at}: {}: {}",
                        failure.fault,
                        router.inspect.remedy(&failure.fault)
                    );
                    if self.board.refused(job, what.clone(), now) {
                        error!(%what, "a switch cannot be used");
                    }
                    None
                }
            }
        };
        self.publish();
        failure
    }

    /// After a failed request the switches are unknown until they are read.
    pub(super) fn doubt(&mut self, now: MonoTime) {
        self.board.doubt(now);
        self.publish();
    }

    /// Returns how the switches are to be left.
    pub(super) fn exit_orders(&self) -> Vec<(SwitchRef, bool)> {
        let orders = self.work.link.exit_orders.borrow();
        let row = |order: &SwitchOrder| {
            let at = self.work.refs.iter().find(|at| at.switch == order.switch)?;
            Some((at.clone(), order.enabled))
        };
        orders.iter().filter_map(row).collect()
    }

    /// Publishes the state of the switches.
    pub(super) fn publish(&self) {
        let any_changed = self.board.actuation();
        for report in &any_changed.switches {
            self.work.metrics.report(report, self.board.wanted(report.switch));
        }
        let link = &self.work.link;
        link.actuation.send_if_modified(|reported| {
            std::mem::replace(reported, any_changed.clone()) != any_changed
        });
        let mut problems = self.board.problems();
        let rows = self.board.not_applied().filter_map(|place| self.work.refs.get(place));
        problems.extend(rows.map(|at| {
            format!(
                "{at} is not in its desired state: the router does not apply the write, or \
                 another wanctl or a script changes it back; it is written again once a minute"
            )
        }));
        link.problems
            .send_if_modified(|reported| std::mem::replace(reported, problems.clone()) != problems);
    }
}
