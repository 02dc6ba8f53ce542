//! The dashboards in `dashboards/`: written here, where they are readable, and checked for what
//! Grafana would swallow in silence. `UPDATE_EXPECT=1 cargo test --test dashboards` writes the files.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

#[path = "dashboards"]
mod dashboards {
    pub(crate) mod board;
    pub(crate) mod checks;
    pub(crate) mod internals;
    pub(crate) mod overview;
    pub(crate) mod panel;
    pub(crate) mod queues;
    pub(crate) mod report;
    pub(crate) mod steering;
    pub(crate) mod vocabulary;
    pub(crate) mod wan;
}

use std::{env, fs, path::Path};

use dashboards::{board::Board, checks, internals, overview, queues, report, steering, wan};
use serde_json::Value;

fn boards() -> [Board; 6] {
    [
        overview::board(),
        wan::board(),
        queues::board(),
        steering::board(),
        internals::board(),
        report::board(),
    ]
}

#[test]
fn the_files_are_what_is_written_here() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards");
    for board in boards() {
        let file = directory.join(format!("{}.json", board.name));
        if env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&file, board.file()).unwrap();
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            kept == board.file(),
            "{} is out of date: UPDATE_EXPECT=1 cargo test --test dashboards",
            file.display()
        );
    }
}

#[test]
fn the_files_are_in_order() {
    let mut faults = Vec::new();
    for board in boards() {
        let json: Value = serde_json::from_str(&board.file()).unwrap();
        faults.extend(checks::faults(&json).into_iter().map(|f| format!("{}: {f}", board.name)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
