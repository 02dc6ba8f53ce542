use proptest::prelude::*;

use super::*;

/// Noon, in microseconds of the day.
const NOON: i64 = DAY / 2;

/// A reflector: its clock in ms of the day, given the true microseconds of the day.
type Clock = fn(i64) -> u32;

fn ms(true_micros: i64) -> u32 {
    u32::try_from(true_micros.rem_euclid(DAY) / 1000).unwrap()
}

/// Exchanges once a second (and a little), from `start` of the day; the way up takes `up(n)` ms
/// and the way down 10.
fn verdicts(
    start: i64,
    clock: Clock,
    up: fn(usize) -> i64,
    count: usize,
) -> Vec<Result<(), ClockFault>> {
    let mut validator = ClockValidator::default();
    let exchange = |n: usize| {
        let passed = i64::try_from(n).unwrap() * 1_003_100;
        let sent_micros = (start + passed).rem_euclid(DAY);
        let arrived = sent_micros + up(n) * 1000;
        let stamp = clock(arrived);
        let rtt = Delay::from_micros(up(n) * 1000 + 10_000);
        let stamps = TimestampExchange { sent_micros, receive: stamp, transmit: stamp, rtt };
        let now = MonoTime::from_start(Duration::from_micros(u64::try_from(passed).unwrap()));
        validator.observe(&stamps, now).map(drop)
    };
    (0..count).map(exchange).collect()
}

fn first_fault(start: i64, clock: Clock) -> Option<ClockFault> {
    verdicts(start, clock, |_| 10, 30).into_iter().find_map(Result::err)
}

#[test]
fn the_table_of_clocks() {
    let table: [(&str, Clock, Option<ClockFault>); 13] = [
        ("exact", ms, None),
        ("an hour ahead", |t| ms(t + 3_600_000_000), None),
        ("half a day off", |t| ms(t + DAY / 2), None),
        ("three seconds behind", |t| ms(t - 3_000_000), None),
        ("standing", |_| 4_242_001, Some(ClockFault::Constant)),
        ("zero", |_| 0, Some(ClockFault::Constant)),
        ("not standard", |t| ms(t) | NOT_STANDARD, Some(ClockFault::NotStandard)),
        ("swapped", |t| ms(t).swap_bytes(), Some(ClockFault::Swapped)),
        ("beyond the day", |t| ms(t) + DAY_MS, Some(ClockFault::OutOfRange)),
        ("of 10 ms steps", |t| ms(t) / 10 * 10, Some(ClockFault::Coarse)),
        ("of seconds", |t| ms(t) / 1000 * 1000, Some(ClockFault::Coarse)),
        ("a tenth too fast", |t| ms(t + t / 10), Some(ClockFault::Unsteady)),
        (
            "jumping at noon and 9 s",
            |t| ms(t + if t > NOON + 9_000_000 { 50_000 } else { 0 }),
            Some(ClockFault::Unsteady),
        ),
    ];
    for (name, clock, fault) in table {
        assert_eq!(first_fault(NOON, clock), fault, "a clock that is {name}");
    }
}

#[test]
fn midnight_is_a_moment_like_any_other() {
    assert_eq!(first_fault(DAY - 5_000_000, ms), None);
    assert_eq!(first_fault(DAY - 5_000_000, |t| ms(t + 2_000_000)), None);
}

#[test]
fn an_upload_queue_is_no_clock_fault_and_delays_the_upload_alone() {
    let up: fn(usize) -> i64 = |n| if n < 15 { 10 } else { 400 };
    assert!(verdicts(NOON, ms, up, 30).iter().all(Result::is_ok));
    let mut validator = ClockValidator::default();
    let mut reported = Vec::new();
    for (second, up) in (0..).zip([10, 10, 10, 400]) {
        let sent_micros = NOON + second * 1_000_000;
        let stamp = ms(sent_micros + up * 1000 + 7_000_000);
        let rtt = Delay::from_micros((up + 10) * 1000);
        let stamps = TimestampExchange { sent_micros, receive: stamp, transmit: stamp, rtt };
        let now = MonoTime::from_millis(u64::try_from(second).unwrap() * 1000);
        reported.push(validator.observe(&stamps, now).unwrap());
    }
    assert_eq!(reported[3].upload - reported[0].upload, Delay::from_micros(390_000));
    assert_eq!(reported[3].download, reported[0].download);
}

#[test]
fn a_reflector_that_takes_its_time_is_a_mismatch() {
    let mut validator = ClockValidator::default();
    let stamp = ms(NOON + 10_000);
    for (held, reported) in
        [(4, Err(ClockFault::Mismatch)), (-1, Err(ClockFault::Mismatch)), (2, Ok(()))]
    {
        let transmit = stamp.saturating_add_signed(held);
        let rtt = Delay::from_micros(20_000);
        let stamps = TimestampExchange { sent_micros: NOON, receive: stamp, transmit, rtt };
        assert_eq!(validator.observe(&stamps, MonoTime::ZERO).map(drop), reported, "{held} ms");
    }
}

#[test]
fn it_is_trusted_after_a_trial_and_left_alone_after_silence() {
    let mut validator = ClockValidator::default();
    let mut now = MonoTime::ZERO;
    for n in 0..TRIAL {
        assert_eq!(validator.trial(now), Some(n));
        assert!(!validator.is_trusted());
        let sent_micros = NOON + i64::from(n) * 1_003_000;
        let stamp = ms(sent_micros + 10_000);
        let rtt = Delay::from_micros(20_000);
        validator
            .observe(&TimestampExchange { sent_micros, receive: stamp, transmit: stamp, rtt }, now)
            .unwrap();
        now = now + Duration::from_millis(1003);
    }
    assert!(validator.is_trusted());
    assert_eq!([(); 3].map(|()| validator.missed(now)), [Ok(()), Ok(()), Err(ClockFault::Silent)]);
    assert!(!validator.is_trusted());
    assert_eq!(validator.trial(now), None);
    assert_eq!(validator.trial(now + PAUSED), Some(0));
}

proptest! {
    #[test]
    fn no_packet_makes_it_panic_or_overflow(
        exchanges in prop::collection::vec(
            (any::<i64>(), any::<u32>(), any::<u32>(), any::<i64>(), 0_u64..u64::MAX / 2_000_000),
            1..20,
        ),
    ) {
        let mut validator = ClockValidator::default();
        for (sent, receive, transmit, rtt, at) in exchanges {
            let stamps = TimestampExchange {
                sent_micros: sent.rem_euclid(DAY),
                receive,
                transmit,
                rtt: Delay::from_micros(rtt),
            };
            let _ = validator.observe(&stamps, MonoTime::from_millis(at));
        }
    }
}
