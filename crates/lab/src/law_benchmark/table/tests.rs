use wanctl_core::PerDirection;

use super::*;

fn row(law: &str, scenario: &str, p50: f64, utilisation: Option<f64>) -> Row {
    let ms = Delay::from_millis_f64;
    let added_delay = AddedDelay { p50: ms(p50), p95: ms(2.0 * p50), p99: ms(3.0 * p50) };
    let results = LawResults {
        added_delay: Some(added_delay),
        utilisation,
        utilisation_of: PerDirection { download: utilisation, upload: None },
        idle_cuts: Some(3),
        writes_per_hour: Some(120.0),
        ..LawResults::default()
    };
    Row { law: law.to_owned(), scenario: scenario.to_owned(), seed: 1, results }
}

#[test]
fn the_table_is_aligned_and_ends_with_means() {
    let rows = [
        row("adaptive", "step", 1.0, Some(0.95)),
        row("fixed", "step", 20.0, Some(0.5)),
        row("adaptive", "idle", 3.0, None),
        row("fixed", "idle", 0.0, None),
    ];
    let text = table(&rows);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 7, "{text}");
    assert_eq!(
        lines[5],
        "mean            adaptive     2.0     4.0     6.0  95.0 %     -       -     -          3       120"
    );
    assert!(lines[6].starts_with("mean            fixed       10.0"), "{text}");
    // One scenario needs no mean.
    assert_eq!(table(&rows[..2]).lines().count(), 3);
}

#[test]
fn json_has_the_documented_keys_and_null_for_what_is_not() {
    let text = json(&[row("adaptive", "a \"b\"", 1.25, None)]);
    let rows: Value = serde_json::from_str(&text).unwrap();
    let row = &rows[0];
    assert_eq!(row["scenario"], "a \"b\"");
    assert_eq!(row["added_delay_ms"]["p95"], 2.5);
    assert_eq!(row["idle_cuts"], 3);
    for key in ["utilisation", "over_capacity", "reaction_down_s", "reaction_up_s"] {
        assert!(row.as_object().unwrap().contains_key(key) && row[key].is_null(), "{key}: {text}");
    }
}

#[test]
fn csv_has_as_many_fields_as_its_header() {
    let text = csv(&[row("fixed", "a,b", 1.0, Some(0.25))]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].starts_with("fixed,\"a,b\",1,1,2,3,0.25,0.25,,,"), "{text}");
    assert_eq!(lines[1].split(',').count(), lines[0].split(',').count() + 1);
}
