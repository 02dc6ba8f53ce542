//! The laws against each other, in virtual time: the table that `docs/simulator.md` explains, and
//! the promises that the default law makes.
//!
//! `UPDATE_EXPECT=1 cargo test --test law_benchmark` rewrites the approved table.

use std::{env, fs, path::Path, time::Duration};

use wanctl_core::units::Delay;
use wanctl_lab::law_benchmark::{Job, Law, Row, Scenario, SuiteEntry, run, table};

const MINUTES: Duration = Duration::from_secs(90);

fn scenario(name: &str, buffer_ms: u64) -> Scenario {
    let scenario = SuiteEntry::named(name).expect("a scenario of the suite").scenario(1);
    let duration = scenario.duration.min(MINUTES);
    Scenario { duration, ..scenario.with_buffer(Duration::from_millis(buffer_ms)) }
}

fn rows(laws: &[&str], scenarios: &[Scenario]) -> Vec<Row> {
    let laws: Vec<&Law> =
        laws.iter().map(|name| Law::named(name).expect("a law by this name")).collect();
    let jobs: Vec<Job<'_>> = scenarios
        .iter()
        .flat_map(|scenario| laws.iter().map(move |law| Job { law, scenario, keeps_record: false }))
        .collect();
    run(&jobs, &|_| {}).into_iter().map(|outcome| outcome.row).collect()
}

fn p95(row: &Row) -> Delay {
    row.results.added_delay.expect("a call was felt").p95
}

fn ms(millis: f64) -> Delay {
    Delay::from_millis_f64(millis)
}

#[test]
fn the_table_is_as_it_was_approved() {
    let scenarios = ["step", "starlink", "steady-download", "path-change-loaded"];
    let scenarios = scenarios.map(|name| scenario(name, 100));
    let laws = ["adaptive", "zone", "proportional-reference", "fixed-p50", "oracle"];
    let reported = table(&rows(&laws, &scenarios));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/law-benchmark.txt");
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&file, &reported).unwrap();
    }
    assert_eq!(reported, fs::read_to_string(&file).unwrap(), "UPDATE_EXPECT=1 rewrites it");
}

#[test]
fn it_has_half_the_delay_of_the_reference_at_no_less_use() {
    for buffer in [50, 100, 300] {
        let scenarios = ["step", "starlink", "cable-evening"].map(|name| scenario(name, buffer));
        let rows = rows(&["adaptive", "proportional-reference"], &scenarios);
        for pair in rows.chunks(2) {
            let [ours, theirs] = pair else { panic!("a pair of each") };
            let of = &ours.scenario;
            assert!(p95(ours).scaled(2.0) <= p95(theirs), "{of}, {buffer} ms: {pair:?}");
            let used = |row: &Row| row.results.utilisation.unwrap();
            assert!(used(ours) >= used(theirs), "{of}, {buffer} ms: {pair:?}");
        }
    }
}

#[test]
fn a_steady_link_is_used_without_being_filled() {
    let rows = rows(&["adaptive"], &[scenario("steady-download", 100)]);
    assert!(p95(&rows[0]) < ms(8.0), "{rows:?}");
    assert!(rows[0].results.utilisation.unwrap() > 0.97, "{rows:?}");
}

#[test]
fn with_bypassing_probes_the_delivery_rate_decides() {
    for buffer in [100, 300] {
        let rows =
            rows(&["adaptive", "proportional-reference"], &[scenario("step-bypass", buffer)]);
        let [ours, theirs] = &rows[..] else { panic!("a row of each") };
        assert!(p95(ours).scaled(2.0) <= p95(theirs), "{buffer} ms: {rows:?}");
        assert!(ours.results.added_delay.unwrap().p50 < ms(5.0), "{buffer} ms: {ours:?}");
        assert!(ours.results.utilisation.unwrap() > 0.85, "{buffer} ms: {ours:?}");
    }
}

#[test]
fn stray_delays_on_an_idle_link_are_not_taken_for_a_queue() {
    let row = &rows(&["adaptive"], &[scenario("steady-jitter", 100)])[0];
    assert!(row.results.utilisation.unwrap() > 0.97, "{row:?}");
    assert!(p95(row) < ms(15.0), "{row:?}");
    assert_eq!(row.results.idle_cuts, Some(0));
}

#[test]
fn a_drop_is_answered_in_half_a_second_and_a_rise_in_two() {
    for name in ["step-download", "step-upload"] {
        let row = &rows(&["adaptive"], &[scenario(name, 100)])[0];
        assert!(row.results.reaction_down.unwrap() <= 0.5, "{row:?}");
        assert!(row.results.reaction_up.unwrap() <= 2.0, "{row:?}");
    }
}

#[test]
fn ineffective_cuts_are_rolled_back() {
    let row = &rows(&["adaptive"], &[scenario("path-change-loaded", 100)])[0];
    assert!(row.results.utilisation.unwrap() > 0.84, "{row:?}");
}
