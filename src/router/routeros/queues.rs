//! The rows of queue trees and simple queues.
//!
//! A queue tree shapes one direction. A simple queue shapes both and has pairs for values, what
//! its target sends first: `upload/download` for a target in the home, the reverse for the WAN
//! interface itself.

use super::road::{Menu, Row};
use crate::{
    config::{QueueRef, Side},
    control::QueueReading,
    router::QueueRow,
    units::BitRate,
};

/// What is asked of a queue; the id comes only if it is named.
pub(super) const PROPERTIES: &[&str] = &[
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

    pub(super) const fn menu(self) -> Menu {
        match self {
            Self::Tree => Menu::QueueTree,
            Self::Simple => Menu::QueueSimple,
        }
    }
}

/// Turns a row into the reading of one direction.
///
/// # Errors
/// A sentence that names the value that makes no sense.
pub(super) fn row(queue: &QueueRef, row: &Row) -> Result<QueueRow, String> {
    row.required("max-limit")?;
    let count = |property| value(queue, row, property);
    let reading = QueueReading {
        bytes: count("bytes")?,
        packets: count("packets")?,
        dropped: count("dropped")?,
        backlog_bytes: count("queued-bytes")?,
        backlog_packets: count("queued-packets")?,
        limit: limit(queue, row)?,
    };
    Ok(QueueRow { reading, active: !row.flag("disabled") && !row.flag("invalid") })
}

/// Returns the limit of one direction.
///
/// # Errors
/// A sentence if there is none that makes sense.
pub(super) fn limit(queue: &QueueRef, row: &Row) -> Result<BitRate, String> {
    row.required("max-limit")?;
    value(queue, row, "max-limit").map(BitRate::from_bps)
}

/// Writes a limit as the row wants it: plain integers, a pair with its other half unchanged.
///
/// # Errors
/// A sentence if the other half cannot be told from the row.
pub(super) fn limit_text(queue: &QueueRef, row: &Row, limit: BitRate) -> Result<String, String> {
    let bps = limit.bps();
    match queue {
        QueueRef::Tree(_) => Ok(bps.to_string()),
        QueueRef::Simple { side, .. } => {
            let [first, second] = row.pair("max-limit")?;
            Ok(match side {
                Side::First => format!("{bps}/{second}"),
                Side::Second => format!("{first}/{bps}"),
            })
        }
    }
}

fn value(queue: &QueueRef, row: &Row, property: &str) -> Result<u64, String> {
    match queue {
        QueueRef::Tree(_) => row.count(property),
        QueueRef::Simple { side, .. } => {
            let [first, second] = row.pair(property)?;
            Ok(match side {
                Side::First => first,
                Side::Second => second,
            })
        }
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

    fn simple(side: Side) -> QueueRef {
        QueueRef::Simple { name: "home".to_owned(), side }
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
        let QueueRow { reading, active } = reading_of(&tree(), &row).unwrap();
        assert_eq!(reading.limit, BitRate::from_mbps(940.0));
        assert_eq!((reading.bytes, reading.backlog_bytes), (272_603_902_153, 1500));
        assert_eq!(reading.dropped, 0, "a counter that is missing counts nothing");
        assert!(active);
    }

    #[test]
    fn a_disabled_or_invalid_queue_shapes_nothing() {
        for property in ["disabled", "invalid"] {
            let row = of(&[("max-limit", "5"), (property, "true")]);
            assert!(!reading_of(&tree(), &row).unwrap().active);
        }
    }

    #[test]
    fn values_that_make_no_sense_are_named() {
        let told = reading_of(&tree(), &of(&[("max-limit", "10M")])).unwrap_err();
        assert_eq!(told, "`max-limit` is `10M`, not a whole number");
        let told = reading_of(&tree(), &of(&[("name", "of another menu")])).unwrap_err();
        assert_eq!(told, "a row without `max-limit`");
        let told = reading_of(&simple(Side::First), &of(&[("max-limit", "5")])).unwrap_err();
        assert_eq!(told, "`max-limit` is `5`, not a pair like 1/2");
    }

    #[test]
    fn each_side_of_a_simple_queue_is_read_and_written_by_itself() {
        let row = of(&[("max-limit", "20000000/100000000"), ("bytes", "7/9")]);
        for (side, bytes, text) in
            [(Side::First, 7, "5000000/100000000"), (Side::Second, 9, "20000000/5000000")]
        {
            let queue = simple(side);
            assert_eq!(reading_of(&queue, &row).unwrap().reading.bytes, bytes);
            assert_eq!(limit_text(&queue, &row, BitRate::from_mbps(5.0)).unwrap(), text);
        }
    }
}
