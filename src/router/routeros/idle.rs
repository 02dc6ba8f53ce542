//! Finds queues that shape nothing although their interface is busy.
//!
//! On some hardware and bridge ports a queue tree under an interface silently moves no bytes, and
//! FastTrack leads around others. Nothing on the router says so; its counters do.

use std::collections::BTreeMap;

use super::transport::{Menu, Row, RowTransport};
use crate::router::{Finding, QueueRef, RouterError, RouterText, Severity, Subject};

/// An interface that sent fewer bytes than this between two readings was not busy: some updates and
/// chatter may rightly pass outside the queues.
const BUSY_BYTES: u64 = 5_000_000;

/// The counters of one reading.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters {
    /// Bytes sent, by interface.
    interfaces: BTreeMap<String, u64>,
    /// Parent and bytes sent, by queue tree.
    queues: BTreeMap<String, (String, u64)>,
}

/// Reads the counters of interfaces and queue trees.
pub(super) async fn read_counters(transport: &dyn RowTransport) -> Result<Counters, RouterError> {
    let interfaces = transport.print(Menu::Interface, &["name", "tx-byte"]).await?;
    let queues = transport.print(Menu::QueueTree, &["name", "parent", "bytes"]).await?;
    // A row that lacks one of these says nothing about who sends.
    let interface = |row: &Row| Some((row.text("name")?.to_owned(), row.count("tx-byte")?));
    let queue = |row: &Row| {
        let parent = row.text("parent")?.to_owned();
        Some((row.text("name")?.to_owned(), (parent, row.count("bytes")?)))
    };
    Ok(Counters {
        interfaces: interfaces.iter().filter_map(interface).collect(),
        queues: queues.iter().filter_map(queue).collect(),
    })
}

/// Compares two readings and returns what is wrong with the configured `queues`.
pub(super) fn compare(before: &Counters, now: &Counters, queues: &[QueueRef]) -> Vec<Finding> {
    let idle = |queue: &QueueRef| {
        let (_, was) = before.queues.get(queue.name())?;
        let (parent, is) = now.queues.get(queue.name())?;
        let sent = now.interfaces.get(parent)?.saturating_sub(*before.interfaces.get(parent)?);
        let parent = RouterText::words(parent);
        (was == is && sent >= BUSY_BYTES).then(|| {
            let text = format!(
                "{queue} has moved no byte while its parent {parent} sent {} MB: the traffic goes \
                 around it (FastTrack? a packet mark? a port that cannot queue?)",
                sent / 1_000_000
            );
            Finding::new(Severity::Fatal, Subject::Queue(queue.clone()), text)
        })
    };
    let trees = queues.iter().filter(|queue| matches!(queue, QueueRef::Tree(_)));
    trees.filter_map(idle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(interface: u64, queue: u64) -> Counters {
        Counters {
            interfaces: BTreeMap::from([("ether1".to_owned(), interface)]),
            queues: BTreeMap::from([("ul".to_owned(), ("ether1".to_owned(), queue))]),
        }
    }

    #[test]
    fn only_a_queue_that_stands_still_under_a_busy_interface_is_reported() {
        let queues = [QueueRef::Tree("ul".to_owned())];
        for (sent, queued, reported) in
            [(9_000_000, 0, 1), (9_000_000, 1500, 0), (1_000_000, 0, 0), (0, 0, 0)]
        {
            let findings = compare(&counters(7, 5), &counters(7 + sent, 5 + queued), &queues);
            assert_eq!(findings.len(), reported, "{sent} sent, {queued} through the queue");
        }
    }

    #[test]
    fn counters_that_were_reset_prove_nothing() {
        let queues = [QueueRef::Tree("ul".to_owned())];
        assert!(compare(&counters(90_000_000, 5), &counters(100, 5), &queues).is_empty());
    }
}
