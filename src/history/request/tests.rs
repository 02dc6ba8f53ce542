use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::history::Format;

/// 2026-03-01 12:00:00 UTC, a Sunday.
const NOW: Timestamp = Timestamp::from_micros(1_772_366_400_000_000);

fn berlin() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
}

fn utc(at: Timestamp) -> String {
    crate::history::answer::utc(at)
}

fn at(text: &str) -> String {
    moment(text, NOW, &berlin()).map_or_else(|reason| reason, utc)
}

#[test]
fn a_moment_is_understood_in_many_words() {
    for (text, meant) in [
        ("now", "2026-03-01T12:00:00Z"),
        ("2026-02-28T14:00:00Z", "2026-02-28T14:00:00Z"),
        ("2026-02-28T14:00:00+05:30", "2026-02-28T08:30:00Z"),
        ("2026-02-28 14:00:00.5+01:00", "2026-02-28T13:00:00.5Z"),
        ("2026-02-28 14:00", "2026-02-28T13:00:00Z"),
        ("2026-02-28T14:00:07", "2026-02-28T13:00:07Z"),
        ("2026-02-28", "2026-02-27T23:00:00Z"),
        ("09:30", "2026-03-01T08:30:00Z"),
        ("today", "2026-02-28T23:00:00Z"),
        ("Yesterday", "2026-02-27T23:00:00Z"),
        ("yesterday 14:00", "2026-02-28T13:00:00Z"),
        ("2h ago", "2026-03-01T10:00:00Z"),
        ("1d 12h ago", "2026-02-28T00:00:00Z"),
        ("-90m", "2026-03-01T10:30:00Z"),
        ("1772366400", "2026-03-01T12:00:00Z"),
        ("@1772366400", "2026-03-01T12:00:00Z"),
        ("1772366400123", "2026-03-01T12:00:00.123Z"),
    ] {
        assert_eq!(at(text), meant, "{text}");
    }
}

#[test]
fn what_is_no_moment_is_reported_with_examples() {
    for text in
        ["", "soon", "25:00", "2026-02-30", "2026-13-01 14:00", "yesterday noon", "ago", "@"]
    {
        let reported = at(text);
        assert!(reported.contains("try "), "{text}: {reported}");
    }
    assert!(at("0s ago").contains("longer than nothing"));
    assert!(at("99999999999d ago").contains("is no span of time"), "{}", at("99999999999d ago"));
}

#[test]
fn a_day_back_is_a_day_of_the_calendar() {
    // In the night to 2026-03-29 the clocks of this zone went forward.
    let noon = moment("2026-03-29 12:00", NOW, &berlin()).unwrap();
    let before = |text| utc(span_before(text, noon, &berlin()).unwrap());
    assert_eq!(before("1d"), "2026-03-28T11:00:00Z");
    assert_eq!(before("24H"), "2026-03-28T10:00:00Z");
    assert_eq!(before("2w"), "2026-03-15T11:00:00Z");
}

fn asked(words: &QueryArgs) -> Result<HistoryQuery, QueryError> {
    HistoryQuery::parse(words, NOW, &TimeZone::UTC)
}

#[test]
fn without_words_it_is_the_last_hour_of_all() {
    let question = asked(&QueryArgs::default()).unwrap();
    assert_eq!(question.from.after(Duration::from_hours(1)), NOW);
    assert_eq!((question.to, question.resolution), (NOW, Resolution::Auto));
    assert!(question.wans.is_empty() && question.fields == Field::default_columns());
}

#[test]
fn a_span_ends_where_it_is_reported() {
    let words = QueryArgs {
        last: Some("2h".into()),
        to: Some("2026-02-28 12:00".into()),
        ..QueryArgs::default()
    };
    let question = asked(&words).unwrap();
    assert_eq!(utc(question.from), "2026-02-28T10:00:00Z");
}

#[test]
fn words_that_contradict_each_other_are_reported() {
    let both =
        QueryArgs { last: Some("2h".into()), from: Some("today".into()), ..QueryArgs::default() };
    assert_eq!(
        asked(&both).unwrap_err().to_string(),
        "last: give either `last` or `from`, not both"
    );
    let turned =
        QueryArgs { from: Some("now".into()), to: Some("2h ago".into()), ..QueryArgs::default() };
    let reported = asked(&turned).unwrap_err().to_string();
    assert_eq!(
        reported,
        "from: 2026-03-01 12:00:00 +00:00 is not before the end, 2026-03-01 10:00:00 +00:00"
    );
    let coarse = QueryArgs { resolution: Some("10s".into()), ..QueryArgs::default() };
    let reported = asked(&coarse).unwrap_err().to_string();
    assert_eq!(reported, "resolution: `10s` is none of auto, raw, 1s, 1m, 5m and 1h");
}

fn request(query: &str) -> Result<ExportRequest, String> {
    ExportRequest::parse(query, NOW).map_err(|mistake| mistake.to_string())
}

#[test]
fn a_query_is_a_request() {
    let ExportRequest { question, format, limit, cursor } = request(
        "from=2026-02-28T12:00:00%2B00:00&to=2026-03-01T12:00:00+01:00&wan=cable&wan=a%26b&\
         metrics=delta_p95&resolution=5m&limit=7&format=csv",
    )
    .unwrap();
    assert_eq!(utc(question.from), "2026-02-28T12:00:00Z");
    assert_eq!(utc(question.to), "2026-03-01T11:00:00Z");
    assert_eq!(question.wans, ["cable", "a&b"]);
    assert_eq!((format, limit, cursor), (Some(Format::Csv), 7, None));
    assert_eq!(question.resolution, Resolution::Tier(crate::history::Tier::FiveMinutes));
    let usual = request("range=24h&wan=").unwrap();
    assert_eq!((usual.limit, usual.format, usual.question.wans.len()), (1000, None, 0));
}

#[test]
fn a_wrong_query_is_reported() {
    for (query, reported) in [
        ("limit=0", "limit: `0` is no number from 1 to 100000"),
        ("limit=ten", "limit: `ten` is no number from 1 to 100000"),
        ("format=xml", "format: `xml` is neither json nor csv"),
        ("last=1h&last=2h", "last: is given twice"),
        ("lats=1h", "query: there is no parameter `lats`; did you mean `last`?"),
        ("cursor=5", "cursor: this is no cursor: pass on what `next` said, unchanged"),
        ("metrics=,", "metrics: no metric is named"),
    ] {
        assert_eq!(request(query).unwrap_err(), reported);
    }
}

#[test]
fn a_cursor_fixes_what_must_not_change_between_pages() {
    let cursor = Cursor {
        from: Timestamp::from_micros(1_000_000),
        to: Timestamp::from_micros(9_000_000),
        resolution: Resolution::Raw,
        at: Timestamp::from_micros(5_000_000),
        wan: "a.b&c".into(),
    };
    let query: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("last", "2h")
        .append_pair("cursor", &cursor.to_string())
        .finish();
    let asked = request(&query).unwrap();
    assert_eq!((asked.question.from, asked.question.to), (cursor.from, cursor.to));
    assert_eq!(asked.question.resolution, Resolution::Raw);
    assert_eq!(asked.cursor, Some(cursor));
}

proptest! {
    #[test]
    fn no_query_is_too_strange(query in "(last|from|to|cursor|limit|metrics)=[ -~]{0,40}") {
        if let Ok(request) = request(&query) {
            prop_assert!(request.question.from < request.question.to);
            prop_assert!(!request.question.fields.is_empty());
        }
    }

    #[test]
    fn a_moment_that_is_reported_in_utc_is_understood(micros in -60_000_000_000_000_000_i64..200_000_000_000_000_000) {
        let moment_reported = utc(Timestamp::from_micros(micros));
        prop_assert_eq!(moment(&moment_reported, NOW, &berlin()), Ok(Timestamp::from_micros(micros)));
    }
}
