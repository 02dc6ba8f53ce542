use std::{fmt::Write as _, time::Instant};

use super::{file::parse, *};

fn seconds(n: f64) -> Duration {
    Duration::from_secs_f64(n)
}

fn read(text: &str) -> Recording {
    parse(text.as_bytes(), &LoadOptions::default()).unwrap_or_else(|flaw| panic!("{text:?}{flaw}"))
}

fn flaw(content: &[u8]) -> String {
    match parse(content, &LoadOptions::default()) {
        Err(flaw) => flaw.to_string(),
        Ok(recording) => panic!("no flaw: {recording:?}"),
    }
}

fn mbps_at(trace: &Trace, at: f64) -> f64 {
    trace.rate_at(seconds(at)).mbps()
}

#[test]
fn points_hold_until_the_next_and_the_whole_repeats() {
    let trace = read("0,10\n1.5,20\n3,5\n").download;
    for (at, mbps) in [(0.0, 10.0), (1.49, 10.0), (1.5, 20.0), (4.4, 5.0), (4.5, 10.0)] {
        assert_eq!(mbps_at(&trace, at).to_bits(), f64::to_bits(mbps), "at {at} s");
    }
}

#[test]
fn quantiles_and_mean_weigh_by_time() {
    let trace = read("0,10\n8,40\n9,100\n").download;
    for (quantile, mbps) in [(0.0, 10), (0.5, 10), (0.8, 10), (0.9, 40), (0.99, 100), (1.0, 100)] {
        assert_eq!(trace.quantile(quantile).bps(), mbps * 1_000_000, "{quantile}");
    }
    assert_eq!(trace.mean().bps(), 22_000_000);
    let steady = Trace::steady(BitRate::from_mbps(7.0));
    assert_eq!((steady.mean(), steady.quantile(0.05)), (steady.quantile(1.0), steady.mean()));
}

#[test]
fn no_packet_of_a_mahimahi_file_is_lost() {
    for last in [1_u64, 99, 100, 101, 149, 150, 1234, 5000] {
        let mut text = String::from("0\n0\n");
        (1..last).step_by(7).for_each(|ms| writeln!(text, "{ms}").unwrap());
        writeln!(text, "{last}").unwrap();
        let trace = read(&text).download;
        assert_eq!(trace.round(), Duration::from_millis(last));
        let carried = trace.mean().bps() as f64 * trace.round().as_secs_f64() / 12_000.0;
        let packets = text.lines().count() as f64;
        assert!((carried - packets).abs() < 0.01, "{carried} of {packets} by {last} ms");
    }
}

#[test]
fn a_gap_in_a_mahimahi_file_is_no_capacity() {
    let trace = read("0\n50\n350\n400\n").download;
    assert_eq!(trace.rate_at(seconds(0.05)).bps(), 240_000);
    assert_eq!(trace.rate_at(seconds(0.25)), BitRate::ZERO);
}

#[test]
fn headers_and_comments_name_the_columns() {
    let text =
        "# a drive\n# columns: seconds,starlink_mbit,cellular_mbit\n0,52,197\n# on\n1,30,210\n";
    assert_eq!(read(text).upload, None);
    for (column, mbps) in [
        (Column::Number(2), 197.0),
        (Column::Named("cellular_mbit".into()), 197.0),
        (Column::Named("starlink_mbit".into()), 52.0),
    ] {
        let options = LoadOptions { column, ..LoadOptions::default() };
        let trace = parse(text.as_bytes(), &options).unwrap().download;
        assert_eq!(mbps_at(&trace, 0.0).to_bits(), f64::to_bits(mbps));
    }
    let named = Column::Named("starlnk".into());
    let missing = parse(text.as_bytes(), &LoadOptions { column: named, ..LoadOptions::default() });
    let reported = missing.unwrap_err().to_string();
    assert!(reported.contains("`starlink_mbit`, `cellular_mbit`"), "{reported}");
}

#[test]
fn the_second_column_is_the_upload_if_its_name_says_so() {
    let upload = read("t,down_mbit,up_mbit\n1700000000,50,10\n1700000001,40,9\n").upload.unwrap();
    assert_eq!(mbps_at(&upload, 1.0).to_bits(), f64::to_bits(9.0));
    assert!(read("t,cell,update\n0,50,10\n1,40,9\n").upload.is_none());
    assert!(read("0,50,10\n1,40,9\n").upload.is_none());
}

#[test]
fn columns_between_spaces_have_both_directions_and_the_path() {
    let read = read("# seconds mbit_down mbit_up rtt_ms\n0 50 40 20\n20 20 10 20\n35 50 40 120\n");
    assert_eq!(mbps_at(&read.upload.unwrap(), 21.0).to_bits(), f64::to_bits(10.0));
    let steps = [(0, 20), (35, 120)];
    let steps = steps.map(|(s, ms)| (Duration::from_secs(s), Duration::from_millis(ms)));
    assert_eq!(read.base_rtt_steps, steps);
}

#[test]
fn what_is_no_trace_is_reported_with_its_line() {
    let cases: [(&[u8], &str); 17] = [
        (b"", ": is empty"),
        (b"\n  \n# nothing\n", ": is empty"),
        (b"\xff\xfe\x00\x01", ":1: this is not text"),
        (b"0\n5\n\x80\n", ":3: this is not text"),
        (b"0\n0\n0\n", ": ends at 0 ms"),
        (b"0\n9\n8\n", ":3: 8 ms after 9 ms; expected ascending"),
        (b"0\n-3\n", ":2: `-3` here; expected milliseconds"),
        (b"0\n18446744073709551615\n", ":2: `18446744073709551615` here; expected"),
        (b"hello\nworld\n", ":1: `hello` here; expected milliseconds"),
        (b"0,10\n0,20\n", ":2: 0 s after 0 s; expected ascending"),
        (b"0,10\n1,-2\n", ":2: `-2` here; expected Mbit/s, from 0 to"),
        (b"0,10\n1,NaN\n", ":2: `NaN` here; expected Mbit/s"),
        (b"0,10\n1e300,2\n", ":2: more than a week"),
        (b"0,10\ninf,2\n", ":2: `inf` here; expected the seconds"),
        (b"0,10\n1\n", ":2: 1 of the columns only"),
        (b"0 10\n", ":1: `0 10` here; expected `seconds mbit_down"),
        (b"seconds,mbit\n", ": has no points"),
    ];
    for (content, reported) in cases {
        let flaw = flaw(content);
        assert!(flaw.starts_with(reported), "{content:?}: {flaw:?} is not {reported:?}");
    }
}

#[test]
fn bytes_of_any_kind_do_not_panic() {
    let mut rng = fastrand::Rng::with_seed(5);
    let letters = b"0123456789,; .-#\n\r\te+upx\xff";
    for _ in 0..5_000 {
        let length = rng.usize(0..60);
        let content: Vec<u8> = (0..length).map(|_| letters[rng.usize(0..letters.len())]).collect();
        let _ = parse(&content, &LoadOptions::default());
    }
}

#[test]
fn a_file_of_200_000_lines_is_read_at_once() {
    let mut text = String::new();
    (0..200_000).for_each(|n| writeln!(text, "{}", n / 2).unwrap());
    let start = Instant::now();
    let trace = read(&text).download;
    assert_eq!(trace.round(), Duration::from_millis(99_999));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn the_upload_is_found_beside_the_download() {
    let site = tempfile::tempdir().unwrap();
    let path = |name: &str| site.path().join(name);
    std::fs::write(path("lte.down"), "0\n50\n100\n").unwrap();
    let load = || load(&path("lte.down"), &LoadOptions::default());
    assert_eq!(load().unwrap().upload, None);
    std::fs::write(path("lte.up"), "100\n200\n").unwrap();
    assert_eq!(load().unwrap().upload.unwrap().round(), Duration::from_millis(200));
    std::fs::write(path("lte.up"), "100\n2OO\n").unwrap();
    let reported = load().unwrap_err().to_string();
    assert!(reported.contains("lte.up:2: `2OO` here"), "{reported}");
}
