//! A RouterOS router by what its rows mean, whichever road leads there.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use wanctl_core::units::BitRate;

use super::{
    failover::TransportFailoverParams,
    findings,
    idle::Counters,
    pinged::Pinged,
    queues::{Kind, Part},
    target,
    target_sides::TargetSides,
    transport::{Menu, PingFrom, Row, RowTransport},
    transports::Transports,
};
use crate::router::routeros::{idle, queues};
use crate::{
    config::{MarkedConnections, QueueRef, RouterConfig, SwitchRef},
    router::{
        Finding, Readings, Router, RouterError, RouterFacts, RouterFault, RouterText, Transport,
    },
};

/// A RouterOS router.
#[derive(Debug)]
pub struct RouterOs {
    /// Writes, and everything that has no road of its own.
    control: Arc<dyn RowTransport>,
    /// Pings, as another user if one is configured: a ping holds up its user's other requests.
    pings: Arc<dyn RowTransport>,
    /// Reads counters, as another user of the router if one is configured: RouterOS serves the
    /// requests of different users in parallel.
    statistics: Arc<dyn RowTransport>,
    /// The queues that the configuration names, for the survey.
    queues: Vec<QueueRef>,
    /// The counters of the last look for queues that shape nothing.
    counters: Mutex<Option<Counters>>,
    /// The rows of the queues as last seen: their ids, and the pairs that a write must complete.
    seen: Mutex<BTreeMap<(Kind, String), Seen>>,
    /// On which side the targets of the simple queues are.
    sides: TargetSides,
}

/// The row of a queue, or why there is none.
type Found = Result<Row, RouterFault>;

/// A row as last seen.
#[derive(Debug)]
struct Seen {
    row: Row,
    /// When our last write into it was confirmed.
    written: Option<Instant>,
}

impl RouterOs {
    /// Prepares a client for the router of the configuration; nothing is sent yet.
    ///
    /// # Errors
    /// A sentence if the configured certificates or the name of the SSH host cannot be used.
    pub fn new(config: &RouterConfig, queues: Vec<QueueRef>) -> Result<Self, String> {
        Self::with_failover_params(config, queues, TransportFailoverParams::default())
    }

    /// Prepares a client as [`RouterOs::new`] does, with another idea of when to change from one
    /// road to the other.
    ///
    /// # Errors
    /// As [`RouterOs::new`].
    pub fn with_failover_params(
        config: &RouterConfig,
        queues: Vec<QueueRef>,
        failover_params: TransportFailoverParams,
    ) -> Result<Self, String> {
        let Transports { control, pings, statistics } = Transports::build(config, failover_params)?;
        Ok(Self {
            control,
            statistics,
            pings,
            queues,
            counters: Mutex::default(),
            seen: Mutex::default(),
            sides: TargetSides::default(),
        })
    }

    /// Lets the router send one echo request to `address`, which is lost without an answer within
    /// `wait` (1 s at least, 5 s at most).
    ///
    /// # Errors
    /// Any [`RouterError`].
    pub async fn ping(
        &self,
        address: IpAddr,
        from: &PingFrom,
        wait: Duration,
    ) -> Result<Pinged, RouterError> {
        self.pings.ping(address, from, wait).await
    }

    pub(super) fn control(&self) -> &dyn RowTransport {
        &*self.control
    }

    /// Reads the rows of `wanted` and keeps them; a queue that is missing is forgotten.
    async fn read(&self, kind: Kind, wanted: &[&QueueRef]) -> Result<Vec<Found>, RouterError> {
        let asked = Instant::now();
        let rows = self.statistics.print(kind.menu(), kind.properties()).await?;
        if !rows.is_empty() && rows.iter().all(|row| row.text("name").is_none()) {
            return Err(self.booting("rows without `name`".to_owned()));
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let keep = |queue: &&QueueRef| {
            let key = (kind, queue.name().to_owned());
            // A row that was written since this was asked is newer than what came.
            let overtaken = |row: &Seen| row.written.is_some_and(|written| written > asked);
            let found = queues::find(queue, &rows);
            match (found, seen.get(&key)) {
                (Ok(_), Some(row)) if overtaken(row) => Ok(row.row.clone()),
                (Ok(row), _) => {
                    seen.insert(key, Seen { row: row.clone(), written: None });
                    Ok(row.clone())
                }
                (Err(fault), _) => {
                    seen.remove(&key);
                    Err(fault)
                }
            }
        };
        Ok(wanted.iter().map(keep).collect())
    }

    fn row(&self, queue: &QueueRef) -> Option<Row> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&(Kind::of(queue), queue.name().to_owned())).map(|seen| seen.row.clone())
    }

    /// Returns which of the row's values are those of `queue`. Nothing is read or written of a simple
    /// queue whose target contradicts the configuration, or whose side nobody tells.
    ///
    /// # Errors
    /// [`RouterFault::Unfit`] with the remedy, and any other that concerns all requests.
    async fn part(&self, queue: &QueueRef, row: &Row) -> Result<Part, RouterError> {
        let QueueRef::Simple { direction, target, .. } = queue else { return Ok(Part::Whole) };
        let unfit = |why: String| {
            RouterFault::Unfit(format!("{queue}: {why}").into())
                .at(self.control.target(), "looking for a queue")
        };
        let shown = row.text("target");
        match (self.sides.of(&*self.statistics, row).await?, *target) {
            (Ok(side), Some(said)) if side != said => {
                Err(unfit(target::contradiction(said, shown.unwrap_or_default())))
            }
            (_, Some(side)) | (Ok(side), None) => Ok(Part::of(*direction, side)),
            (Err(why), None) => Err(unfit(target::undecided(shown, &why))),
        }
    }

    /// Returns what is wrong with the targets of the simple queues.
    async fn targets(&self) -> Result<Vec<Finding>, RouterError> {
        let mut findings = Vec::new();
        for queue in self.queues.iter().filter(|queue| Kind::of(queue) == Kind::Simple) {
            // One that is missing has its own finding.
            let Some(Ok(row)) = self.read(Kind::Simple, &[queue]).await?.pop() else { continue };
            match self.part(queue, &row).await {
                Ok(_) => {}
                Err(RouterError { fault: RouterFault::Unfit(text), .. }) => {
                    let finding = Finding { is_fatal: true, text };
                    if !findings.contains(&finding) {
                        findings.push(finding);
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(findings)
    }

    /// Writes one limit into the row as last seen and returns what the router confirms.
    async fn write(
        &self,
        queue: &QueueRef,
        row: &Row,
        limit: BitRate,
    ) -> Result<BitRate, RouterError> {
        let kind = Kind::of(queue);
        let id = row.id().map_err(|cause| self.unparsable(cause))?;
        let part = self.part(queue, row).await?;
        let value = queues::limit_text(part, row, limit).map_err(|c| self.unparsable(c))?;
        let after = self.control.set(kind.menu(), &id, "max-limit", &value).await?;
        if let Some(other) = after.text(".id").filter(|other| *other != id.as_str()) {
            let other = RouterText::words(other);
            return Err(self.unparsable(format!("{id} was changed, and {other} is shown")));
        }
        if after.text("max-limit").is_none() {
            return self.read_back(queue, part).await;
        }
        let confirmed = queues::limit(part, &after).map_err(|cause| self.unparsable(cause))?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = seen.get_mut(&(kind, queue.name().to_owned())) {
            seen.row.0.extend(after.0);
            seen.written = Some(Instant::now());
        }
        Ok(confirmed)
    }

    /// Reads the limit after a write of which the router says nothing.
    async fn read_back(&self, queue: &QueueRef, part: Part) -> Result<BitRate, RouterError> {
        let row = self.find_row(queue).await?;
        queues::limit(part, &row).map_err(|cause| self.unparsable(cause))
    }

    async fn find_row(&self, queue: &QueueRef) -> Result<Row, RouterError> {
        let found = self.read(Kind::of(queue), &[queue]).await?.pop();
        let found = found.unwrap_or_else(|| Err(RouterFault::NotFound(queue.to_string().into())));
        found.map_err(|fault| fault.at(self.control.target(), "looking for a queue"))
    }

    pub(super) fn booting(&self, cause: String) -> RouterError {
        RouterFault::Booting(cause.into()).at(self.control.target(), "reading")
    }

    fn unparsable(&self, cause: String) -> RouterError {
        RouterFault::Unparsable(cause.into()).at(self.control.target(), "reading")
    }
}

impl Router for RouterOs {
    fn transport(&self) -> Transport {
        self.control.transport()
    }

    fn target(&self) -> String {
        self.control.target()
    }

    fn reads_apart(&self) -> bool {
        !Arc::ptr_eq(&self.control, &self.statistics)
    }

    fn check_alive(&self) -> Option<BoxFuture<'static, bool>> {
        self.control.check_alive()
    }

    fn facts(&self) -> BoxFuture<'_, Result<RouterFacts, RouterError>> {
        Box::pin(async {
            let first = |rows: Vec<Row>| rows.into_iter().next().unwrap_or_default();
            let resource = first(self.statistics.print(Menu::Resource, &[]).await?);
            let identity = first(self.statistics.print(Menu::Identity, &[]).await?);
            let known = ["version", "uptime", "board-name", "cpu-load"];
            // After a boot another menu's row may come.
            if known.iter().all(|property| resource.text(property).is_none()) {
                return Err(self.booting("a router without version, uptime and name".to_owned()));
            }
            let text = |row: &Row, property, unknown| {
                RouterText::words(row.text(property).unwrap_or(unknown))
            };
            Ok(RouterFacts {
                identity: text(&identity, "name", "a router without a name"),
                board: text(&resource, "board-name", "an unnamed board"),
                version: text(&resource, "version", "of an unknown version"),
                uptime: resource.span("uptime"),
                cpu_percent: resource.count("cpu-load"),
                flash_sectors_written: resource.count("write-sect-total"),
            })
        })
    }

    fn findings(&self) -> BoxFuture<'_, Result<Vec<Finding>, RouterError>> {
        Box::pin(async {
            let facts = self.facts().await?;
            let mut findings = findings::findings(&*self.statistics, &facts, &self.queues).await?;
            self.sides.forget();
            findings.extend(self.targets().await?);
            Ok(findings)
        })
    }

    fn idle_queues(&self) -> BoxFuture<'_, Result<Vec<Finding>, RouterError>> {
        Box::pin(async {
            let now = idle::read_counters(&*self.statistics).await?;
            let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
            let before = counters.replace(now.clone());
            Ok(before.map_or_else(Vec::new, |before| idle::compare(&before, &now, &self.queues)))
        })
    }

    fn read_queues<'a>(
        &'a self,
        wanted: &'a [QueueRef],
    ) -> BoxFuture<'a, Result<Readings, RouterError>> {
        Box::pin(async move {
            let mut found = BTreeMap::new();
            for kind in Kind::ALL {
                let of_kind = |queue: &&QueueRef| Kind::of(queue) == kind;
                let queues: Vec<&QueueRef> = wanted.iter().filter(of_kind).collect();
                if !queues.is_empty() {
                    let rows = self.read(kind, &queues).await?;
                    found.extend(queues.into_iter().zip(rows));
                }
            }
            let mut rows = Vec::with_capacity(wanted.len());
            for queue in wanted {
                let missing = || Err(RouterFault::NotFound(queue.to_string().into()));
                let row = found.get(queue).cloned().unwrap_or_else(missing);
                rows.push(match row {
                    Ok(row) => match self.part(queue, &row).await {
                        Ok(part) => queues::row(part, &row)
                            .map_err(|cause| RouterFault::Unparsable(cause.into())),
                        Err(error) if error.fault.concerns_all() => return Err(error),
                        Err(error) => Err(error.fault),
                    },
                    Err(fault) => Err(fault),
                });
            }
            Ok(Readings { rows })
        })
    }

    fn set_limit<'a>(
        &'a self,
        queue: &'a QueueRef,
        limit: BitRate,
    ) -> BoxFuture<'a, Result<BitRate, RouterError>> {
        Box::pin(async move {
            if let Some(row) = self.row(queue) {
                match self.write(queue, &row, limit).await {
                    // The row was removed and made anew: look its id up once.
                    Err(RouterError { fault: RouterFault::NotFound(_), .. }) => {}
                    answer => return answer,
                }
            }
            let row = self.find_row(queue).await?;
            self.write(queue, &row, limit).await
        })
    }

    fn switch_enabled<'a>(
        &'a self,
        switch: &'a SwitchRef,
    ) -> BoxFuture<'a, Result<bool, RouterError>> {
        Box::pin(self.rule_enabled(switch.menu, &switch.comment))
    }

    fn enable_switch<'a>(
        &'a self,
        switch: &'a SwitchRef,
        enabled: bool,
    ) -> BoxFuture<'a, Result<bool, RouterError>> {
        Box::pin(self.enable_rule(switch.menu, &switch.comment, enabled))
    }

    fn forget_connections<'a>(
        &'a self,
        of: &'a MarkedConnections,
    ) -> BoxFuture<'a, Result<usize, RouterError>> {
        Box::pin(self.forget(of))
    }
}
