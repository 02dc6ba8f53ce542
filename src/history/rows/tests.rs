use std::{path::PathBuf, time::Duration};

use tempfile::TempDir;

use super::*;
use crate::history::{
    Field, Resolution, Tier,
    fixture::{self, START, STEP},
};

/// Three hundred cycles of one WAN, fifty of another.
fn history(directory: &TempDir) -> PathBuf {
    let settings = fixture::settings(directory);
    let cycles =
        (0..300).map(|n| fixture::cycle(0, n)).chain((0..50).map(|n| fixture::cycle(1, n)));
    fixture::store(&settings).write(&fixture::batch(cycles)).unwrap();
    settings.path
}

fn question(resolution: Resolution) -> HistoryQuery {
    HistoryQuery {
        from: START,
        to: START.after(STEP * 300),
        wans: Vec::new(),
        fields: Field::default_columns(),
        resolution,
    }
}

fn keys(rows: &mut Rows<'_>) -> Vec<(String, Timestamp)> {
    rows.map(|row| row.unwrap()).map(|row| (row.wan.to_string(), row.point.at)).collect()
}

#[test]
fn pages_put_together_are_the_whole() {
    let directory = TempDir::new().unwrap();
    let reader = Reader::open(&history(&directory)).unwrap();
    for resolution in [Resolution::Raw, Resolution::Tier(Tier::Second), Resolution::Auto] {
        let question = question(resolution);
        let whole = keys(&mut Rows::new(&reader, &question, usize::MAX, None).unwrap());
        assert!(whole.is_sorted() && whole.last().unwrap().0 == "dsl");
        for size in [1, 7, 300, 1000] {
            let (mut pages, mut cursor) = (Vec::new(), None);
            loop {
                let mut rows = Rows::new(&reader, &question, size, cursor.as_ref()).unwrap();
                let page = keys(&mut rows);
                assert!(page.len() <= size);
                pages.extend(page);
                // As it travels through a client.
                let reported = rows.next_page().map(ToString::to_string);
                let Some(reported) = reported else { break };
                cursor = Some(Cursor::parse(&reported).unwrap());
            }
            assert_eq!(pages, whole, "{resolution:?} in pages of {size}");
        }
    }
}

#[test]
fn only_the_wanted_wans_are_reported_and_unknown_ones_named() {
    let directory = TempDir::new().unwrap();
    let reader = Reader::open(&history(&directory)).unwrap();
    let mut question = question(Resolution::Raw);
    question.wans = vec!["dsl".into()];
    assert_eq!(Rows::new(&reader, &question, 1000, None).unwrap().count(), 50);
    question.wans.push("lte".into());
    let error = Rows::new(&reader, &question, 1000, None).unwrap_err();
    assert!(error.to_string().contains("no WAN lte"), "{error}");
}

#[test]
fn a_page_that_grows_before_it_is_read_again_ends_where_it_ended() {
    let directory = TempDir::new().unwrap();
    let path = history(&directory);
    let reader = Reader::open(&path).unwrap();
    let question = question(Resolution::Raw);
    for limit in [100, 320, 1000] {
        let mut looked = Rows::new(&reader, &question, limit, None).unwrap();
        looked.by_ref().for_each(|row| drop(row.unwrap()));
        let next = looked.next_page().cloned();
        // A clock that was set back fills moments that were passed already.
        let late = (0..30).map(|n| {
            let wall = START.after(STEP * n + Duration::from_millis(limit as u64 % 40 + 5));
            wanctl_core::Cycle { wall, ..fixture::cycle(0, u64::from(n) + 1000) }
        });
        fixture::store(&fixture::settings(&directory)).write(&fixture::batch(late)).unwrap();
        let again = Rows::new(&reader, &question, limit, None).unwrap();
        let mut again = again.up_to(next.clone());
        let mut reported = keys(&mut again);
        assert_eq!(again.next_page(), next.as_ref());
        if next.is_some() {
            let rest = Rows::new(&reader, &question, usize::MAX, next.as_ref());
            reported.extend(keys(&mut rest.unwrap()));
        }
        let whole = keys(&mut Rows::new(&reader, &question, usize::MAX, None).unwrap());
        assert_eq!(reported, whole, "{limit}");
    }
}
