//! The parsers of what a router says, open to the fuzzers and to nobody else.
//!
//! Whatever a router sends, a parser returns rows or a fault, and never panics.

use super::{
    console::{CommandLine, Dialect},
    json::Keep,
    queues::Part,
    rest::answer::RestResponse,
    target,
    topology::Topology,
    transport::{Menu, Request, Row},
};
use crate::router::QueueRef;
use crate::router::routeros::queues;

/// Reads `body` as every kind of REST answer.
pub fn rest_answer(body: &[u8]) {
    for status in [200, 301, 400, 404] {
        let answer = RestResponse { status, location: None, body };
        for keep in [Keep::All, Keep::Only(queues::OF_TREE), Keep::Ids(3)] {
            match answer.rows("ctl", keep) {
                Ok(rows) => read(&rows.unwrap_or_default()),
                Err(fault) => assert!(fault.to_string().len() < 4096),
            }
        }
    }
}

/// Reads `output` as what a console printed, in every dialect. An `@` stands for the mark that a
/// command line ends with, which a fuzzer would be long in guessing.
pub fn console_answer(output: &str) {
    for dialect in [Dialect::Json, Dialect::Text] {
        let request = Request::Print(Menu::QueueTree, queues::OF_TREE);
        let command = CommandLine::new(request, dialect, 0);
        let output = output.replace('@', "OK-0000000000000000");
        for printed in [output.clone(), format!("{output}\r\nOK-0000000000000000\r\n")] {
            if let Ok(rows) = command.rows(&printed) {
                read(&rows);
            }
        }
    }
}

/// Reads rows as everything that a row can be.
fn read(rows: &[Row]) {
    let _ = queues::find(&QueueRef::Tree("dl".to_owned()), rows);
    for row in rows {
        for part in [Part::Whole, Part::First, Part::Second] {
            let _ = queues::row(part, row);
            let _ = queues::limit_text(part, row, wanctl_core::units::BitRate::from_mbps(1.0));
        }
        for side in [row.text("target"), row.text("name")] {
            let _ = target::side(&Topology::default(), side, row.text("dst"));
        }
        for property in ["time", "uptime"] {
            let _ = row.span(property);
        }
        let _ = row.id();
    }
}
