//! Any text as the query of `GET /metrics/history`.
#![no_main]

use wanctl::history::{Cursor, ExportRequest};
use wanctl_core::units::Timestamp;

const NOW: Timestamp = Timestamp::from_micros(1_772_366_400_000_000);

libfuzzer_sys::fuzz_target!(|query: &str| {
    let Ok(request) = ExportRequest::parse(query, NOW) else { return };
    assert!(request.question.from < request.question.to);
    assert!(!request.question.fields.is_empty() && request.limit > 0);
    if let Some(cursor) = request.cursor {
        assert_eq!(Cursor::parse(&cursor.to_string()), Ok(cursor));
    }
});
