use proptest::prelude::*;

use super::*;

fn ms(millis: i64) -> Delay {
    Delay::from_micros(millis * 1000)
}

/// Feeds a reply every 300 ms for `seconds` and returns the time after the last.
fn feed(b: &mut Baseline, from: MonoTime, seconds: u64, rtt: Delay, traffic: Traffic) -> MonoTime {
    let replies = seconds * 1000 / 300;
    (1..=replies).fold(from, |_, n| {
        let at = from + Duration::from_millis(300 * n);
        b.update(at, rtt, traffic);
        at
    })
}

/// A baseline of 20 ms, learned on a quiet link.
fn learned() -> (Baseline, MonoTime) {
    let mut b = Baseline::default();
    let t = feed(&mut b, MonoTime::ZERO, 30, ms(20), Traffic::Quiet);
    assert!(b.value() == Some(ms(20)) && !b.is_provisional());
    (b, t)
}

#[test]
fn a_standing_queue_under_load_is_never_learned() {
    let (mut b, t) = learned();
    feed(&mut b, t, 3600, ms(140), Traffic::Loaded);
    assert_eq!(b.value(), Some(ms(20)));
}

#[test]
fn a_lasting_path_change_on_a_quiet_link_is_learned_within_seven_seconds() {
    let (mut b, t) = learned();
    feed(&mut b, t, 7, ms(120), Traffic::Quiet);
    assert_eq!(b.value(), Some(ms(120)));
}

#[test]
fn jitter_that_returns_to_the_old_path_is_not_a_path_change() {
    let (mut b, mut t) = learned();
    for _ in 0..200 {
        t = feed(&mut b, t, 2, ms(45), Traffic::Quiet);
        t = feed(&mut b, t, 1, ms(20), Traffic::Quiet);
    }
    assert!(b.value().unwrap() < ms(24), "{:?}", b.value());
}

#[test]
fn a_shorter_path_is_taken_up_within_a_few_replies_even_under_load() {
    let mut b = Baseline::default();
    let t = feed(&mut b, MonoTime::ZERO, 3, ms(60), Traffic::Quiet);
    let t = feed(&mut b, t, 1, ms(20), Traffic::Loaded);
    assert_eq!(b.value(), Some(ms(20)));
    // And kept, although a queue stands on it soon.
    let t = feed(&mut b, t, 40, ms(22), Traffic::Loaded);
    feed(&mut b, t, 600, ms(150), Traffic::Loaded);
    assert_eq!(b.value(), Some(ms(20)));
}

#[test]
fn one_early_reply_never_becomes_a_baseline() {
    // Neither the first of all,
    let mut b = Baseline::default();
    b.update(MonoTime::ZERO, ms(1), Traffic::Loaded);
    feed(&mut b, MonoTime::ZERO, 1, ms(20), Traffic::Loaded);
    assert_eq!(b.value(), Some(ms(20)));
    // nor one or two later.
    let (mut b, mut t) = learned();
    for _ in 0..2 {
        t = t + Duration::from_millis(300);
        b.update(t, ms(1), Traffic::Loaded);
        assert_eq!(b.value(), Some(ms(20)));
        t = feed(&mut b, t, 1, ms(20), Traffic::Loaded);
    }
}

#[test]
fn a_baseline_far_below_later_replies_is_dropped_within_ten_seconds() {
    // At the full pace and at the idle one; three and a half seconds and twelve of early replies.
    for (every, early) in [(300, 10), (300, 40), (1200, 4)] {
        let (mut b, mut t) = learned();
        let mut reply = |b: &mut Baseline, rtt, traffic| {
            t = t + Duration::from_millis(every);
            b.update(t, rtt, traffic);
            t
        };
        let ended = (0..early).map(|_| reply(&mut b, ms(1), Traffic::Quiet)).last().unwrap();
        assert_eq!(b.value(), Some(ms(1)), "that many may be a shorter path");
        while b.value() != Some(ms(20)) {
            let at = reply(&mut b, ms(20), Traffic::Loaded);
            assert!(at.since(ended) < Duration::from_secs(10), "{:?}", b.value());
        }
    }
}

#[test]
fn a_first_baseline_under_load_is_provisional_and_given_up() {
    let queued = || {
        let mut b = Baseline::default();
        let t = feed(&mut b, MonoTime::ZERO, 600, ms(120), Traffic::Loaded);
        assert!(b.is_provisional() && !b.is_founded(t), "however long it lasts");
        (b, t)
    };
    // As soon as two shorter replies come,
    let (mut b, t) = queued();
    feed(&mut b, t, 1, ms(20), Traffic::Loaded);
    assert_eq!(b.value(), Some(ms(20)));
    // or the link rests,
    let (mut b, t) = queued();
    let t = feed(&mut b, t, 3, ms(20), Traffic::Quiet);
    assert!(b.value() == Some(ms(20)) && b.is_founded(t));
    // or waits in the shaper and nowhere else.
    let (mut b, t) = queued();
    let t = feed(&mut b, t, 3, ms(21), Traffic::Shaped);
    assert!(b.value() == Some(ms(21)) && b.is_founded(t) && !b.is_provisional());
}

#[test]
fn a_queue_that_begins_with_the_first_reply_is_not_founded_by_a_moment_of_quiet() {
    let mut b = Baseline::default();
    let t = feed(&mut b, MonoTime::ZERO, 1, ms(80), Traffic::Quiet);
    let t = feed(&mut b, t, 30, ms(120), Traffic::Loaded);
    assert!(b.is_provisional() && !b.is_founded(t));
}

/// A path, the jitter on it, and a load that comes and goes with a queue.
#[derive(Debug, Clone)]
struct Plant {
    path: i64,
    jitter: f64,
    every: u64,
    /// Which replies are forged, and what they claim.
    forged: Vec<(usize, i64)>,
    seed: u64,
}

fn plants() -> impl Strategy<Value = Plant> {
    let forged = prop::collection::vec((0..400_usize, 0..5_000_i64), 0..12);
    (5_000..650_000_i64, 0.0..10_000.0_f64, 50..1_200_u64, forged, any::<u64>())
        .prop_map(|(path, jitter, every, forged, seed)| Plant { path, jitter, every, forged, seed })
}

proptest! {
    #[test]
    fn ten_seconds_after_the_last_outlier_the_baseline_is_true(plant in plants()) {
        let mut random = fastrand::Rng::with_seed(plant.seed);
        let unit = Delay::from_micros(1);
        let mut b = Baseline::default();
        let last_forged = plant.forged.iter().map(|(place, _)| *place).max().unwrap_or(0);
        let ten_seconds = usize::try_from(10_000 / plant.every).unwrap();
        let settled = last_forged + ten_seconds + BaselineParams::default().support_replies;
        let mut at = MonoTime::ZERO;
        for place in 0..settled + 200 {
            at = at + Duration::from_millis(plant.every);
            let late = unit.scaled(-plant.jitter * (1.0 - random.f64()).ln());
            let forged = plant.forged.iter().find(|(n, _)| *n == place);
            let honest = Delay::from_micros(plant.path) + late;
            b.update(at, forged.map_or(honest, |(_, rtt)| Delay::from_micros(*rtt)), Traffic::Quiet);
            if place > settled {
                let off = b.value().unwrap() - Delay::from_micros(plant.path);
                let most = ms(3) + unit.scaled(plant.jitter * 4.0);
                prop_assert!(off >= ms(-1) && off <= most, "{off} off at reply {place}");
            }
        }
    }
}
