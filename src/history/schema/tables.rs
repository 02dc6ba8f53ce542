//! The tables that hold cycles and buckets, and the views that show them to people.

use std::fmt::Write as _;

use rusqlite::{Connection, OptionalExtension};
use wanctl_core::Direction;

use super::super::{
    bucket::{COLUMNS, DERIVED, HISTOGRAMS},
    code, field as answer,
    row::{PackedField, RAW_COLUMNS, field, raw_table},
    tier::Tier,
};

/// Returns what creates the table of a WAN's cycles.
pub(super) fn create_raw(wan: i64) -> String {
    let columns = RAW_COLUMNS.map(|column| format!("{column} INTEGER")).join(", ");
    let table = raw_table(wan);
    format!("CREATE TABLE IF NOT EXISTS {table} (at_ms INTEGER PRIMARY KEY, {columns}) STRICT")
}

/// Returns what creates a tier's table.
pub(super) fn create_tier(tier: Tier) -> String {
    let mut columns = String::new();
    for (name, _) in COLUMNS.iter() {
        let _ = write!(columns, "{name} INTEGER, ");
    }
    for (name, ..) in DERIVED {
        let _ = write!(columns, "{name} INTEGER, ");
    }
    for name in HISTOGRAMS {
        let _ = write!(columns, "{name} BLOB, ");
    }
    format!(
        "CREATE TABLE IF NOT EXISTS {} (wan INTEGER NOT NULL, start INTEGER NOT NULL, {columns}\
         PRIMARY KEY (wan, start)) STRICT, WITHOUT ROWID",
        tier.table()
    )
}

/// Creates or renews the views, for the WANs of these numbers and names. Those that are as they
/// should be are left alone, so that an open changes no file without need.
pub(super) fn renew_views(connection: &Connection, wans: &[(i64, String)]) -> rusqlite::Result<()> {
    let cycles = wans.iter().map(|(id, name)| select_cycles(*id, name)).collect::<Vec<_>>();
    let mut views = vec![("cycles", cycles.join("\nUNION ALL\n"))];
    views.extend(Tier::ALL.map(|tier| (tier.view(), select_tier(tier))));
    for (name, select) in views {
        // Without WANs there are no cycles to show.
        if select.is_empty() {
            continue;
        }
        let sql = format!("CREATE VIEW {name} AS\n{select}");
        let old: Option<String> = connection
            .query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [name], |row| row.get(0))
            .optional()?;
        if old.as_ref() != Some(&sql) {
            connection.execute_batch(&format!("DROP VIEW IF EXISTS {name}; {sql};"))?;
        }
    }
    Ok(())
}

fn select_cycles(wan: i64, name: &str) -> String {
    let mut columns = vec![
        format!("'{}' AS wan", name.replace('\'', "''")),
        "at_ms".to_owned(),
        format!("{} AS measurement", named(field::MEASUREMENT)),
        format!("nullif({}, {}) AS method", named(field::METHOD), field::METHOD.max()),
    ];
    let mut add = |sql: String, name: &str| columns.push(format!("{sql} AS {name}"));
    for field in field::INTEGERS {
        add(scaled(field, &bits(field)), field.name);
    }
    let rtt = "(rtt_over_10us + coalesce(baseline_10us, 0) + coalesce(delta_10us, 0)) * 10";
    add(rtt.to_owned(), "rtt_us");
    for delay in ["baseline", "delta", "jitter"] {
        add(format!("{delay}_10us * 10"), &format!("{delay}_us"));
    }
    let known = |field| scaled(field, &format!("nullif({}, 0)", bits(field)));
    add(known(field::NOISE), field::NOISE.name);
    for direction in Direction::ALL {
        let d = direction.name();
        let mut add = |sql: String, name: &str| add(sql, &format!("{d}_{name}"));
        // A direction that is not shaped has no desired rate, and its bits mean nothing.
        let shaped = |sql: String| format!("iif({d}_desired_kbps IS NULL, NULL, {sql})");
        for field in [field::state, field::reason, field::phase, field::load] {
            let field = field(direction);
            add(shaped(named(field)), field.name);
        }
        add(shaped(bits(field::attributed(direction))), "attributed");
        add(format!("{d}_desired_kbps * 1000"), "desired_bps");
        add(format!("({d}_desired_kbps - {d}_lag_kbps) * 1000"), "observed_bps");
        add(format!("{d}_desired_kbps * {d}_load_pct * 10"), "delivery_bps");
        add(known(field::capacity(direction)), field::capacity(direction).name);
        let backlog = field::backlog(direction);
        add(scaled(backlog, &bits(backlog)), backlog.name);
        add(format!("{d}_bytes"), "bytes");
        add(format!("{d}_packets"), "packets");
        // No reading, no drops: but unknown before the first.
        let drops = format!("coalesce({}, {d}_bytes * 0)", bits(field::drops(direction)));
        add(drops, "drops");
        add(shaped(bits(field::writes(direction))), "writes");
    }
    format!("SELECT {} FROM {}", columns.join(",\n    "), raw_table(wan))
}

fn select_tier(tier: Tier) -> String {
    let fields = answer::Field::all().iter();
    let columns: Vec<String> =
        fields.filter_map(|field| Some(format!("{} AS {}", field.sql()?, field.name()))).collect();
    format!(
        "SELECT wan.name AS wan, start, {} FROM {table} JOIN wan ON wan.id = {table}.wan",
        columns.join(",\n    "),
        table = tier.table()
    )
}

fn bits(field: PackedField) -> String {
    format!("{} >> {} & {}", RAW_COLUMNS[field.column], field.shift, field.max())
}

fn scaled(field: PackedField, sql: &str) -> String {
    if field.factor == 1 { sql.to_owned() } else { format!("({sql}) * {}", field.factor) }
}

/// Returns the name of a code; one that this wanctl does not know is shown as its number.
fn named(field: PackedField) -> String {
    let mut sql = format!("CASE {}", bits(field));
    for (_, value, name) in code::table().filter(|(kind, ..)| *kind == field.name) {
        let _ = write!(sql, " WHEN {value} THEN '{name}'");
    }
    let _ = write!(sql, " ELSE {} END", bits(field));
    sql
}
