//! The demo as a process of its own, and what it costs while something is done to it.

use std::{
    fs,
    io::{self, BufRead, BufReader},
    net::SocketAddr,
    ops::AddAssign,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::client::Client;

/// Clock ticks per second in `/proc/*/stat`.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running demo; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Demo {
    /// Where it serves.
    pub(crate) address: SocketAddr,
    child: Child,
    _directory: TempDir,
}

impl Demo {
    /// Starts the demo on a port that the system chooses, and reads from its output which.
    pub(crate) fn start() -> io::Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut child = Command::new(env!("CARGO_BIN_EXE_wanctl"))
            .args(["demo", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(directory.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or_else(|| io::Error::other("the demo is mute"))?;
        let mut lines = BufReader::new(output).lines();
        let address = loop {
            let line = lines.next().ok_or_else(|| io::Error::other("the demo has ended"))??;
            let url = line.split_once("http://").filter(|(before, _)| before.contains("metrics"));
            if let Some((_, url)) = url {
                let address = url.trim_end_matches("/metrics").parse();
                break address.map_err(io::Error::other)?;
            }
        };
        // Somebody must read on, or the demo would stand still before a full pipe.
        thread::spawn(move || lines.for_each(drop));
        Ok(Self { address, child, _directory: directory })
    }

    /// Returns the resident memory in MiB: `VmRSS:` what it is, `VmHWM:` the most that it was.
    pub(crate) fn resident_mib(&self, which: &str) -> io::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix(which)?.trim_end_matches("kB").trim().parse().ok());
        kib.map(|kib: f64| kib / 1024.0)
            .ok_or_else(|| io::Error::other(format!("no {which} in /proc")))
    }

    /// Returns what the demo used while `work` ran.
    pub(crate) fn usage_during(
        &self,
        work: impl FnOnce(&Self) -> io::Result<()>,
    ) -> io::Result<Usage> {
        let (before, cpu, started) = (self.histograms()?, self.cpu()?, Instant::now());
        work(self)?;
        let (wall, cpu) = (started.elapsed(), self.cpu()?.saturating_sub(cpu));
        let [lateness, busy] = self.histograms()?;
        let [lateness_before, busy_before] = before;
        Ok(Usage {
            wall,
            cpu,
            lateness: lateness.since(&lateness_before),
            busy: busy.since(&busy_before),
        })
    }

    /// Reads CPU time, user and system.
    fn cpu(&self) -> io::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let behind_command = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        // Fields 14 and 15 of proc(5), where the first behind the command is field 3.
        let ticks = behind_command.split_ascii_whitespace().skip(11).take(2);
        let ticks: f64 = ticks.filter_map(|field| field.parse::<f64>().ok()).sum();
        Ok(Duration::from_secs_f64(ticks / TICKS_PER_SECOND))
    }

    fn histograms(&self) -> io::Result<[Histogram; 2]> {
        let page = Client::connect(self.address)?.get("/metrics")?;
        let names = ["wanctl_cycle_start_lag_seconds", "wanctl_cycle_duration_seconds"];
        Ok(names.map(|name| Histogram::read(&page, name)))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It keeps nothing that is worth an orderly end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the demo used and how punctual its loops were, over a span of time.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    wall: Duration,
    cpu: Duration,
    /// How late cycles started, in seconds.
    pub(crate) lateness: Histogram,
    /// How long cycles took, in seconds.
    pub(crate) busy: Histogram,
}

impl Usage {
    /// Returns the mean load in percent of one core.
    pub(crate) fn cpu_percent(&self) -> f64 {
        100.0 * self.cpu.as_secs_f64() / self.wall.as_secs_f64()
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.wall += other.wall;
        self.cpu += other.cpu;
        self.lateness.add(&other.lateness);
        self.busy.add(&other.busy);
    }
}

/// A histogram of the exposition, all WANs together: upper bounds and cumulative counts.
#[derive(Debug, Default)]
pub(crate) struct Histogram(Vec<(f64, f64)>);

impl Histogram {
    fn read(page: &str, name: &str) -> Self {
        let mut all = Self::default();
        for line in page.lines() {
            let Some(rest) = line.strip_prefix(name).and_then(|l| l.strip_prefix("_bucket{"))
            else {
                continue;
            };
            let bound = rest.split_once("le=\"").and_then(|(_, rest)| rest.split_once('"'));
            let count = rest.rsplit_once(' ').and_then(|(_, count)| count.parse().ok());
            if let (Some((bound, _)), Some(count)) = (bound, count) {
                let bound = bound.parse().unwrap_or(f64::INFINITY);
                all.add(&Self(vec![(bound, count)]));
            }
        }
        all
    }

    fn add(&mut self, other: &Self) {
        for &(bound, count) in &other.0 {
            match self.0.iter_mut().find(|(known, _)| *known >= bound) {
                Some((known, sum)) if *known <= bound => *sum += count,
                _ => {
                    self.0.push((bound, count));
                    self.0.sort_by(|a, b| a.0.total_cmp(&b.0));
                }
            }
        }
    }

    fn since(self, before: &Self) -> Self {
        let mut rest = self;
        rest.add(&Self(before.0.iter().map(|&(bound, count)| (bound, -count)).collect()));
        rest
    }

    /// Returns how many values were counted.
    pub(crate) fn count(&self) -> f64 {
        self.0.last().map_or(0.0, |&(_, count)| count)
    }

    /// Returns the share of the values above `bound`, which must be one of the bounds.
    pub(crate) fn share_over(&self, bound: f64) -> f64 {
        let within = self.0.iter().rev().find(|(known, _)| *known <= bound);
        1.0 - within.map_or(0.0, |&(_, count)| count) / self.count()
    }

    /// Estimates a quantile as Prometheus does: evenly spread within each bucket.
    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        let rank = quantile * self.count();
        let mut below = (0.0, 0.0);
        for &(bound, count) in &self.0 {
            if count >= rank {
                let (low, counted) = below;
                let reach = if bound.is_finite() { bound - low } else { 0.0 };
                return low + reach * (rank - counted) / (count - counted).max(1.0);
            }
            below = (bound, count);
        }
        below.0
    }
}
