//! How many messages were logged at each level.

use std::sync::LazyLock;

use prometheus_client::metrics::{counter::Counter, family::Family};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::catalogue::{Catalogue, Labels, Spec};

/// The levels that are counted; the others occur dozens of times a second.
const LEVELS: [(Level, &str); 3] =
    [(Level::ERROR, "error"), (Level::WARN, "warn"), (Level::INFO, "info")];

/// The log is the process's, and so are its counters: they count from before a catalogue is there.
static MESSAGES: LazyLock<Family<Labels, Counter>> = LazyLock::new(Family::default);
static COUNTERS: LazyLock<[Counter; LEVELS.len()]> = LazyLock::new(|| {
    LEVELS.map(|(_, name)| MESSAGES.get_or_create_owned(&vec![("level", name.to_owned())]))
});

/// Declares how many messages were logged.
pub fn declare_log(catalogue: &mut Catalogue) {
    LazyLock::force(&COUNTERS);
    let spec = Spec::new("wanctl_log_messages_total", "Messages logged, by level").by(&["level"]);
    catalogue.adopt(spec, MESSAGES.clone());
}

/// Counts what passes the filter of the log.
#[derive(Debug)]
pub(super) struct Count;

impl<S: Subscriber> Layer<S> for Count {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = event.metadata().level();
        let mut counters = LEVELS.iter().zip(COUNTERS.iter());
        if let Some((_, counter)) = counters.find(|((counted, _), _)| counted == level) {
            counter.inc();
        }
    }
}
