//! A RouterOS router by what its rows mean, over any transport.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use wanctl_core::units::BitRate;

use super::{
    KIND, Settings, TransportFailoverParams,
    idle::Counters,
    queues::{self, Kind, Part},
    target,
    target_sides::TargetSides,
    transport::{Row, RowTransport},
    transports::Transports,
};
use crate::router::{
    Finding, QueueRef, QueueRow, Readings, Reply, Router, RouterError, RouterFault, RouterText,
    Severity, Shaper, Subject,
};

/// A RouterOS router.
#[derive(Debug)]
pub struct RouterOs {
    /// Writes, and everything that has no user of its own.
    pub(super) control: Arc<dyn RowTransport>,
    /// Pings, as another user if one is configured: a ping holds up its user's other requests.
    pub(super) pings: Arc<dyn RowTransport>,
    /// Reads counters, as another user of the router if one is configured: RouterOS serves the
    /// requests of different users in parallel.
    pub(super) statistics: Arc<dyn RowTransport>,
    pub(super) settings: Settings,
    /// The queues that the configuration names, for the findings.
    pub(super) queues: Vec<QueueRef>,
    /// The counters at the last check for queues that shape nothing.
    pub(super) counters: Mutex<Option<Counters>>,
    /// The rows of the queues as last seen: their ids, and the pairs that a write must complete.
    seen: Mutex<BTreeMap<(Kind, String), Seen>>,
    /// On which side the targets of the simple queues are.
    pub(super) sides: TargetSides,
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
    /// Prepares a client for a router with these queues; nothing is sent yet.
    ///
    /// # Errors
    /// A sentence if the certificates or the name of the SSH host cannot be used.
    pub fn new(settings: &Settings, queues: Vec<QueueRef>) -> Result<Self, String> {
        Self::with_failover_params(settings, queues, TransportFailoverParams::default())
    }

    /// Prepares a client as [`RouterOs::new`] does, with other times of moving between REST and SSH.
    ///
    /// # Errors
    /// As [`RouterOs::new`].
    pub fn with_failover_params(
        settings: &Settings,
        queues: Vec<QueueRef>,
        failover_params: TransportFailoverParams,
    ) -> Result<Self, String> {
        let Transports { control, pings, statistics } =
            Transports::build(settings, failover_params)?;
        Ok(Self {
            control,
            statistics,
            pings,
            settings: settings.clone(),
            queues,
            counters: Mutex::default(),
            seen: Mutex::default(),
            sides: TargetSides::default(),
        })
    }

    /// Makes this the router of a name.
    #[must_use]
    pub fn into_router(self, name: &str) -> Router {
        let client = Arc::new(self);
        Router {
            name: name.to_owned(),
            kind: KIND,
            shaper: client.clone(),
            switches: Some(client.clone()),
            pinger: Some(client.clone()),
            inspect: client,
        }
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

    /// Returns which of the row's values are those of `queue`. A simple queue whose target contradicts
    /// the configuration, or is on an unknown side, is neither read nor written.
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

    /// Reads one direction from the row of a queue.
    ///
    /// # Errors
    /// Any that concerns all requests.
    async fn reading(
        &self,
        queue: &QueueRef,
        found: Found,
    ) -> Result<Result<QueueRow, RouterFault>, RouterError> {
        let row = match found {
            Ok(row) => row,
            Err(fault) => return Ok(Err(fault)),
        };
        match self.part(queue, &row).await {
            Ok(part) => Ok(queues::row(part, &row).map_err(|c| RouterFault::Unparsable(c.into()))),
            Err(error) if error.fault.concerns_all() => Err(error),
            Err(error) => Ok(Err(error.fault)),
        }
    }

    /// Returns what is wrong with the targets of the simple queues.
    pub(super) async fn targets(&self) -> Result<Vec<Finding>, RouterError> {
        let mut findings: Vec<Finding> = Vec::new();
        for queue in self.queues.iter().filter(|queue| Kind::of(queue) == Kind::Simple) {
            // One that is missing has its own finding.
            let Some(Ok(row)) = self.read(Kind::Simple, &[queue]).await?.pop() else { continue };
            match self.part(queue, &row).await {
                Ok(_) => {}
                Err(RouterError { fault: RouterFault::Unfit(text), .. }) => {
                    let subject = Subject::Queue(queue.clone());
                    if !findings.iter().any(|known| known.text == text) {
                        findings.push(Finding::new(Severity::Fatal, subject, text));
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

impl Shaper for RouterOs {
    fn reads_apart(&self) -> bool {
        !Arc::ptr_eq(&self.control, &self.statistics)
    }

    fn read_queues<'a>(&'a self, wanted: &'a [QueueRef]) -> Reply<'a, Readings> {
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
                let found = found.get(queue).cloned().unwrap_or_else(missing);
                rows.push(self.reading(queue, found).await?);
            }
            Ok(Readings { rows })
        })
    }

    fn set_limit<'a>(&'a self, queue: &'a QueueRef, limit: BitRate) -> Reply<'a, BitRate> {
        Box::pin(async move {
            if let Some(row) = self.row(queue) {
                match self.write(queue, &row, limit).await {
                    // The row was removed and made anew: find its id once.
                    Err(RouterError { fault: RouterFault::NotFound(_), .. }) => {}
                    answer => return answer,
                }
            }
            let row = self.find_row(queue).await?;
            self.write(queue, &row, limit).await
        })
    }
}
