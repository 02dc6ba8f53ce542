//! The rows of queue trees and simple queues.
//!
//! A queue tree shapes one direction. A simple queue shapes both and has pairs for values, what its
//! target sends first: `upload/download` for a target in the LAN, the reverse for the WAN interface
//! itself. On which side the target is, `target` finds out.

use wanctl_core::{Direction, QueueReading, units::BitRate};

use super::transport::{Menu, Row};
use crate::router::{QueueRef, QueueRow, QueueTarget, RouterFault, RouterText};

/// Most queues that a message names.
const MOST_NAMED: usize = 8;

/// What is asked of a queue tree; the id comes only if it is named.
pub(super) const OF_TREE: &[&str] = &[
    ".id",
    "name",
    "max-limit",
    "bytes",
    "packets",
    "dropped",
    "queued-bytes",
    "queued-packets",
    "disabled",
    "invalid",
];

/// What is asked of a simple queue.
const OF_SIMPLE: &[&str] = &[
    ".id",
    "name",
    "target",
    "dst",
    "max-limit",
    "bytes",
    "packets",
    "dropped",
    "queued-bytes",
    "queued-packets",
    "disabled",
    "invalid",
];

/// A kind of queue, each with a table of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Tree,
    Simple,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Tree, Self::Simple];

    pub(super) const fn of(queue: &QueueRef) -> Self {
        match queue {
            QueueRef::Tree(_) => Self::Tree,
            QueueRef::Simple { .. } => Self::Simple,
        }
    }

    /// What is asked of a queue of this kind.
    pub(super) const fn properties(self) -> &'static [&'static str] {
        match self {
            Self::Tree => OF_TREE,
            Self::Simple => OF_SIMPLE,
        }
    }

    pub(super) const fn menu(self) -> Menu {
        match self {
            Self::Tree => Menu::QueueTree,
            Self::Simple => Menu::QueueSimple,
        }
    }
}

/// Which part of a row's values belongs to a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All: a queue tree has one of each.
    Whole,
    /// What a simple queue's target sends.
    First,
    /// What a simple queue's target receives.
    Second,
}

impl Part {
    /// Returns the part of a direction of a simple queue whose target is on this side.
    pub(super) const fn of(direction: Direction, side: QueueTarget) -> Self {
        match (direction, side) {
            (Direction::Upload, QueueTarget::Lan) | (Direction::Download, QueueTarget::Wan) => {
                Self::First
            }
            (Direction::Download, QueueTarget::Lan) | (Direction::Upload, QueueTarget::Wan) => {
                Self::Second
            }
        }
    }
}

/// Turns a row into the reading of one direction. A counter that the row does not show, or not as a
/// count, counts nothing.
///
/// # Errors
/// A sentence if its limit makes no sense.
pub(super) fn row(part: Part, row: &Row) -> Result<QueueRow, String> {
    let count = |property| count(part, row, property).unwrap_or(0);
    let reading = QueueReading {
        bytes: count("bytes"),
        packets: count("packets"),
        dropped: count("dropped"),
        backlog_bytes: count("queued-bytes"),
        backlog_packets: count("queued-packets"),
        limit: limit(part, row)?,
    };
    let active = !row.flag("disabled") && !row.flag("invalid");
    // RouterOS shows no tins.
    Ok(QueueRow { reading, active, tins: Vec::new() })
}

/// Returns the limit of one direction.
///
/// # Errors
/// A sentence if there is none that makes sense.
pub(super) fn limit(part: Part, row: &Row) -> Result<BitRate, String> {
    let bps = match part {
        Part::Whole => row.rate("max-limit")?,
        Part::First => row.rates("max-limit")?[0],
        Part::Second => row.rates("max-limit")?[1],
    };
    Ok(BitRate::from_bps(bps))
}

/// Writes a limit as the row wants it: plain integers, a pair with its other half unchanged.
///
/// # Errors
/// A sentence if the row does not show the other half.
pub(super) fn limit_text(part: Part, row: &Row, limit: BitRate) -> Result<String, String> {
    let bps = limit.bps();
    Ok(match part {
        Part::Whole => bps.to_string(),
        Part::First => format!("{bps}/{}", row.rates("max-limit")?[1]),
        Part::Second => format!("{}/{bps}", row.rates("max-limit")?[0]),
    })
}

/// Returns a counter of one direction, if the row shows it.
pub(super) fn count(part: Part, row: &Row, property: &str) -> Option<u64> {
    match part {
        Part::Whole => row.count(property),
        Part::First => row.pair(property).map(|[first, _]| first),
        Part::Second => row.pair(property).map(|[_, second]| second),
    }
}

/// Finds the row of a queue among those of its menu.
///
/// # Errors
/// [`RouterFault::NotFound`] with the names that there are, or [`RouterFault::Ambiguous`] with the
/// ids of all that have its name.
pub(super) fn find<'a>(queue: &QueueRef, rows: &'a [Row]) -> Result<&'a Row, RouterFault> {
    let is_it = |row: &&Row| row.text("name") == Some(queue.name());
    let mut found = rows.iter().filter(is_it);
    let Some(row) = found.next() else {
        return Err(RouterFault::NotFound(format!("{queue} ({})", there(rows)).into()));
    };
    if found.next().is_none() {
        return Ok(row);
    }
    let ids =
        rows.iter().filter(is_it).map(|row| RouterText::words(row.text(".id").unwrap_or("?")));
    let ids: Vec<String> = ids.take(MOST_NAMED).map(String::from).collect();
    let ids = ids.join(" and ");
    Err(RouterFault::Ambiguous(format!("there are several of the name of {queue}: {ids}").into()))
}

/// Names the queues that there are.
fn there(rows: &[Row]) -> String {
    let names = rows.iter().filter_map(|row| row.text("name"));
    let names: Vec<String> =
        names.take(MOST_NAMED).map(|name| RouterText::words(name).into()).collect();
    match rows.len().saturating_sub(names.len()) {
        _ if names.is_empty() => "there are none".to_owned(),
        0 => format!("there are: {}", names.join(", ")),
        others => format!("there are: {} and {others} others", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{row as reading_of, *};

    fn of(pairs: &[(&str, &str)]) -> Row {
        Row(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    fn tree() -> QueueRef {
        QueueRef::Tree("dl".to_owned())
    }

    #[test]
    fn a_queue_row_of_strings_becomes_numbers() {
        let row = of(&[
            (".id", "*1000000"),
            ("name", "dl"),
            ("max-limit", "940000000"),
            ("bytes", "272603902153"),
            ("queued-bytes", "1500"),
            ("disabled", "false"),
        ]);
        let QueueRow { reading, active, .. } = reading_of(Part::Whole, &row).unwrap();
        assert_eq!(reading.limit, BitRate::from_mbps(940.0));
        assert_eq!((reading.bytes, reading.backlog_bytes), (272_603_902_153, 1500));
        assert_eq!(reading.dropped, 0, "a counter that is missing counts nothing");
        assert!(active);
    }

    #[test]
    fn a_disabled_or_invalid_queue_shapes_nothing() {
        for property in ["disabled", "invalid"] {
            let row = of(&[("max-limit", "5"), (property, "true")]);
            assert!(!reading_of(Part::Whole, &row).unwrap().active);
        }
    }

    #[test]
    fn a_limit_that_makes_no_sense_is_named_and_a_counter_counts_nothing() {
        let reported = reading_of(Part::Whole, &of(&[("max-limit", "ten")])).unwrap_err();
        assert_eq!(reported, "`max-limit` is `ten`, not a rate");
        let reported = reading_of(Part::Whole, &of(&[("name", "of another menu")])).unwrap_err();
        assert_eq!(reported, "a row without `max-limit`");
        let reported = reading_of(Part::First, &of(&[("max-limit", "5")])).unwrap_err();
        assert_eq!(reported, "`max-limit` is `5`, not two rates like 1/2");
        let row = of(&[("max-limit", "10M"), ("bytes", "many")]);
        let reading = reading_of(Part::Whole, &row).unwrap().reading;
        assert_eq!((reading.limit, reading.bytes), (BitRate::from_mbps(10.0), 0));
    }

    #[test]
    fn one_queue_of_a_name_is_found_and_no_other() {
        let named = |id, name| of(&[(".id", id), ("name", name)]);
        let rows =
            [named("*1", "dl"), named("*2", "up"), named("*3", "up"), named("*4", "a\u{1b}")];
        assert_eq!(find(&tree(), &rows).unwrap().text(".id"), Some("*1"));
        let reported =
            |name: &str| find(&QueueRef::Tree(name.to_owned()), &rows).unwrap_err().to_string();
        assert!(reported("up").ends_with("*2 and *3"), "{}", reported("up"));
        assert!(
            reported("none").ends_with(r"(there are: dl, up, up, a\u{1b})"),
            "{}",
            reported("none")
        );
        assert!(find(&tree(), &[]).unwrap_err().to_string().ends_with("(there are none)"));
    }

    #[test]
    fn each_part_of_a_simple_queue_is_read_and_written_by_itself() {
        let row = of(&[("max-limit", "20000000/100000000"), ("bytes", "7/9")]);
        for (part, bytes, text) in
            [(Part::First, 7, "5000000/100000000"), (Part::Second, 9, "20000000/5000000")]
        {
            assert_eq!(reading_of(part, &row).unwrap().reading.bytes, bytes);
            assert_eq!(limit_text(part, &row, BitRate::from_mbps(5.0)).unwrap(), text);
        }
    }

    #[test]
    fn what_the_target_sends_is_an_upload_only_from_the_lan() {
        for (direction, side, part) in [
            (Direction::Upload, QueueTarget::Lan, Part::First),
            (Direction::Download, QueueTarget::Lan, Part::Second),
            (Direction::Upload, QueueTarget::Wan, Part::Second),
            (Direction::Download, QueueTarget::Wan, Part::First),
        ] {
            assert_eq!(Part::of(direction, side), part);
        }
    }
}
