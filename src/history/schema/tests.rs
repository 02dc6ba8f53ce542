use super::*;

fn blank() -> Connection {
    Connection::open_in_memory().unwrap()
}

fn identity(connection: &Connection) -> Result<Identity, HistoryError> {
    identify(connection, Path::new("history.db"))
}

#[test]
fn only_a_history_or_an_empty_database_is_touched() {
    let mut connection = blank();
    assert_eq!(identity(&connection).unwrap(), Identity::Blank);
    prepare(&mut connection, Identity::Blank, &[]).unwrap();
    assert_eq!(identity(&connection).unwrap(), Identity::Ours);

    for other in [SCHEMA_VERSION - 1, SCHEMA_VERSION + 1] {
        connection.pragma_update(None, "user_version", other).unwrap();
        let found = identity(&connection);
        assert!(matches!(found, Err(HistoryError::OtherSchema(_, version)) if version == other));
    }
    connection.pragma_update(None, "application_id", 7).unwrap();
    assert!(matches!(identity(&connection), Err(HistoryError::Foreign(_, 7))));

    let unmarked = blank();
    unmarked.execute_batch("CREATE TABLE theirs (id)").unwrap();
    assert!(matches!(identity(&unmarked), Err(HistoryError::Foreign { .. })));
}

#[test]
fn a_wan_keeps_its_number_when_the_configuration_is_reordered() {
    let mut connection = blank();
    let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let first = prepare(&mut connection, Identity::Blank, &names(&["cable", "d'sl"])).unwrap();
    let ours = Identity::Ours;
    let second = prepare(&mut connection, ours, &names(&["lte", "d'sl", "cable"])).unwrap();
    assert_eq!((second[1], second[2]), (first[1], first[0]));
    // The views show the new one, too.
    connection.execute("INSERT INTO cycle_3 (at_ms, codes) VALUES (5, 1)", []).unwrap();
    let shown: String = connection
        .query_row("SELECT wan FROM cycles WHERE at_ms >= 5", [], |row| row.get(0))
        .unwrap();
    assert_eq!(shown, "lte");
}

#[test]
fn an_open_without_news_changes_nothing() {
    let mut connection = blank();
    let wans = ["cable".to_owned()];
    prepare(&mut connection, Identity::Blank, &wans).unwrap();
    let version = |connection: &Connection| -> i64 {
        connection.query_row("PRAGMA schema_version", [], |row| row.get(0)).unwrap()
    };
    let before = version(&connection);
    prepare(&mut connection, Identity::Ours, &wans).unwrap();
    assert_eq!(version(&connection), before);
}

#[test]
fn a_name_that_changed_is_corrected_at_the_next_open() {
    let mut connection = blank();
    prepare(&mut connection, Identity::Blank, &[]).unwrap();
    connection.execute("UPDATE code SET name = 'old' WHERE kind = 'state'", []).unwrap();
    prepare(&mut connection, Identity::Ours, &[]).unwrap();
    let name: String = connection
        .query_row("SELECT name FROM code WHERE kind = 'state' AND value = 2", [], |row| row.get(0))
        .unwrap();
    assert_eq!(name, "soft_red");
}

/// A plain query over all WANs must find its rows by the key, not read every table through.
#[test]
fn the_view_of_cycles_uses_the_keys_of_its_tables() {
    let mut connection = blank();
    let wans = ["cable".to_owned(), "dsl".to_owned()];
    prepare(&mut connection, Identity::Blank, &wans).unwrap();
    for query in [
        "SELECT rtt_us FROM cycles WHERE at_ms >= 100 AND at_ms < 200",
        "SELECT avg(rtt_us) FROM cycles WHERE wan = 'dsl' AND at_ms >= 100",
    ] {
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
        let steps: Vec<String> =
            plan.query_map([], |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(steps.iter().any(|step| step.starts_with("SEARCH cycle_")), "{steps:?}");
        assert!(!steps.iter().any(|step| step.starts_with("SCAN cycle_")), "{steps:?}");
    }
}
