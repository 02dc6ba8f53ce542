//! What the controllers have learned, over a restart: read from the history at the start, and
//! handed to it while the loops turn.

use std::{path::Path, sync::mpsc, thread, time::Duration};

use tracing::{info, warn};
use wanctl_core::{
    ProbeOutcome, RttSample, Wan, WanMemory,
    units::{MonoTime, Timestamp},
};

use crate::{
    clock::Clock,
    config::{Config, WanConfig},
    history::{HistoryError, Memories, Recorder},
};

/// Time between two memories of a WAN: what a crash costs is a minute of learning.
const EVERY: Duration = Duration::from_mins(1);
/// How long reading the memories may delay the start.
const RECALL: Duration = Duration::from_secs(3);
/// A memory that is older than this says more about the clock than about the link.
const ABSURD: Duration = Duration::from_hours(24 * 365);

/// Hands what a WAN's controller has learned to the history, about once a minute.
#[derive(Debug)]
pub struct MemoryWriter {
    recorder: Recorder,
    wan: usize,
    reflectors: Vec<String>,
    due: MonoTime,
    /// A reply has come since the last time. Without one nothing was learned, and what is stored
    /// keeps its age.
    has_news: bool,
}

impl MemoryWriter {
    /// Keeps what is learned of the WAN with the place `wan`, whose reflectors these are.
    #[must_use]
    pub fn new(recorder: Recorder, wan: usize, reflectors: Vec<String>) -> Self {
        let due = MonoTime::ZERO + EVERY;
        Self { recorder, wan, reflectors, due, has_news: false }
    }

    /// Takes note of a cycle at `now` with these `samples`, and keeps what is known if it is time.
    pub(super) fn turn(&mut self, now: MonoTime, samples: &[RttSample], wan: &Wan) {
        let answers = |sample: &RttSample| matches!(sample.outcome, ProbeOutcome::Reply(_));
        self.has_news |= samples.iter().any(answers);
        if now >= self.due {
            self.due = now + EVERY;
            self.keep(wan);
        }
    }

    /// Keeps what is known now, if it is news.
    pub(super) fn keep(&mut self, wan: &Wan) {
        if std::mem::take(&mut self.has_news) {
            self.recorder.memory(self.wan, Clock::wall(), &wan.memory(), &self.reflectors);
        }
    }
}

/// What is remembered of each WAN, with its age.
pub(super) type Recalled = Vec<Option<(WanMemory, Duration)>>;

/// Returns what is remembered of each WAN of `config` and how old that is at `now`. Why something
/// is not remembered goes to the log; it is no reason not to start. Nor is a disk that does not
/// answer, or another program that keeps the file locked.
pub(super) fn recall(config: &Config, now: Timestamp) -> Recalled {
    let (sender, recalled) = mpsc::sync_channel(1);
    let asked = config.clone();
    let reading = thread::Builder::new().name("memory".to_owned());
    // Nobody listens any more if it took too long.
    let reading = reading.spawn(move || drop(sender.send(read(&asked, now))));
    if reading.is_ok()
        && let Ok(recalled) = recalled.recv_timeout(RECALL)
    {
        return recalled;
    }
    warn!("the stored state could not be read in {} s: starting without it", RECALL.as_secs());
    config.wans.iter().map(|_| None).collect()
}

fn read(config: &Config, now: Timestamp) -> Recalled {
    let nothing = || config.wans.iter().map(|_| None).collect();
    let Some(path) = &config.history.path else { return nothing() };
    match Memories::open(path) {
        Ok(memories) => config.wans.iter().map(|wan| of_wan(&memories, wan, now)).collect(),
        // A first start, which everybody has once.
        Err(HistoryError::Missing { .. }) => nothing(),
        Err(error) => {
            complain(path, &error);
            nothing()
        }
    }
}

fn of_wan(memories: &Memories, wan: &WanConfig, now: Timestamp) -> Option<(WanMemory, Duration)> {
    let reflectors: Vec<String> = wan.probe.reflectors.iter().map(ToString::to_string).collect();
    let reported = memories.of_wan(&wan.name, &reflectors);
    let (at, memory) = reported.inspect_err(|error| complain(&wan.name, error)).ok()??;
    match age(at, now) {
        Ok(age) => Some((memory, age)),
        Err(reason) => {
            warn!(wan = %wan.name, reason, "the stored state is not used");
            None
        }
    }
}

/// Returns the age of what was current `at`, or why it is unknown.
pub(super) fn age(at: Timestamp, now: Timestamp) -> Result<Duration, &'static str> {
    let micros = u64::try_from(now.micros().saturating_sub(at.micros()))
        .map_err(|_| "its time is in the future: the clock was set back, or is not set yet")?;
    let age = Duration::from_micros(micros);
    if age > ABSURD {
        return Err("it is more than a year old: the clock was set ahead, or is not set yet");
    }
    Ok(age)
}

pub(super) fn complain(what: impl AsRef<Path>, error: &HistoryError) {
    let what = what.as_ref().display();
    warn!(%what, error = error as &dyn std::error::Error, "the stored state cannot be read");
}

/// Lets `wan` start from `memory`, and says so in the log.
pub(super) fn restore(wan: &mut Wan, name: &str, (memory, age): &(WanMemory, Duration)) {
    let before = wan.memory();
    wan.restore(memory, *age);
    let ago = ago(*age);
    if wan.memory() == before {
        info!(wan = name, "starting without the stored state of {ago} ago: it is too old or empty");
    } else {
        info!(wan = name, "continuing from the stored state of {ago} ago");
    }
}

/// Puts an age into words.
fn ago(age: Duration) -> String {
    let (seconds, minutes, hours) = (age.as_secs(), age.as_secs() / 60, age.as_secs() / 3600);
    match (seconds, minutes, hours) {
        (..120, ..) => format!("{seconds} seconds"),
        (_, ..120, _) => format!("{minutes} minutes"),
        (.., ..48) => format!("{hours} hours"),
        _ => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_stepped_makes_no_age() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        assert_eq!(age(at(100), at(160)), Ok(Duration::from_mins(1)));
        assert_eq!(age(at(100), at(100)), Ok(Duration::ZERO));
        assert!(age(at(100), at(99)).unwrap_err().contains("in the future"));
        assert!(age(at(0), at(1_790_000_000)).unwrap_err().contains("more than a year"));
        assert!(age(Timestamp::from_micros(i64::MIN), at(1)).is_err());
    }

    #[test]
    fn an_age_is_reported_in_the_unit_that_fits() {
        for (seconds, reported) in [
            (0, "0 seconds"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7199, "119 minutes"),
            (7200, "2 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(ago(Duration::from_secs(seconds)), reported);
        }
    }
}
