use proptest::prelude::*;
use wanctl_core::{PerDirection, ProbeOutcome};

use super::*;
use crate::traffic::{CongestionControl, Demand, Phase, Traffic};

fn mbps(rate: f64) -> BitRate {
    BitRate::from_mbps(rate)
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn greedy(flows: u8) -> Demand {
    Demand::Greedy { flows, control: CongestionControl::Cubic }
}

/// 20 Mbit/s both ways with 100 ms of buffer, and this much demand for ever.
fn spec(download: Demand, upload: Demand) -> LinkSpec {
    LinkSpec {
        traffic: Traffic::new(vec![Phase { lasts: Duration::from_hours(1), download, upload }]),
        ..LinkSpec::steady(PerDirection { download: mbps(20.0), upload: mbps(20.0) })
    }
}

/// Runs to `until`; returns the delays that the monitor's packets felt meanwhile, ascending.
fn monitor(link: &mut Link, until: f64) -> Vec<Delay> {
    link.start_monitor();
    link.advance_to(seconds(until));
    let mut added = std::mem::take(&mut link.monitor_mut().expect("started").added);
    added.sort();
    added
}

#[test]
fn one_flow_fills_its_shaper_and_does_not_delay_the_latency_monitor() {
    for direction in Direction::ALL {
        let demand = |wanted| if wanted == direction { greedy(1) } else { Demand::None };
        let mut link = Link::new(spec(demand(Direction::Download), demand(Direction::Upload)));
        link.set_limit(direction, mbps(18.0));
        link.advance_to(seconds(5.0));
        let before = link.reading(direction).bytes;
        let added = monitor(&mut link, 25.0);
        let sent = (link.reading(direction).bytes - before) as f64 * 8.0 / 20.0;
        assert!(sent > 0.95 * 18e6, "{direction:?}: {sent}");
        let p95 = added[added.len() * 95 / 100];
        assert!(p95 < Delay::from_millis_f64(5.0), "{direction:?}: {p95}");
    }
}

#[test]
fn without_a_shaper_the_providers_buffer_fills_and_delays_everybody() {
    let mut link = Link::new(spec(greedy(4), Demand::None));
    link.advance_to(seconds(10.0));
    let added = monitor(&mut link, 40.0);
    let median = added[added.len() / 2];
    assert!(median > Delay::from_millis_f64(50.0), "{median}");
    assert!(median <= Delay::from_millis_f64(101.0), "{median} in a buffer of 100 ms");
}

#[test]
fn flows_share_a_shaper_fairly_whatever_they_are() {
    let mut link = Link::new(spec(greedy(4), Demand::None));
    link.set_limit(Direction::Download, mbps(18.0));
    link.advance_to(seconds(60.0));
    let got: Vec<f64> = link.download.users.flows()[..4].iter().map(|f| f.account().1).collect();
    let mean = got.iter().sum::<f64>() / 4.0;
    assert!(got.iter().all(|bytes| (bytes / mean - 1.0).abs() < 0.1), "{got:?}");
}

#[test]
fn a_saturated_upload_holds_the_downloads_acknowledgements_back() {
    let goodput = |upload| {
        let mut link = Link::new(LinkSpec {
            nominal: PerDirection { download: mbps(20.0), upload: mbps(2.0) },
            buffer: PerDirection::build(|_| Buffer::Bytes(250_000)),
            ..spec(greedy(4), upload)
        });
        link.advance_to(seconds(60.0));
        link.goodput(Direction::Download)
    };
    assert!(goodput(greedy(4)) < goodput(Demand::None) * 8 / 10);
}

#[test]
fn a_link_that_fades_out_keeps_its_backlog_and_comes_back() {
    let fade = vec![(seconds(20.0), 0.0), (seconds(25.0), 1.0)];
    let mut link = Link::new(LinkSpec {
        supply: PerDirection::build(|_| Supply::Shape(Shape::Steps(fade.clone()))),
        ..spec(greedy(4), greedy(4))
    });
    link.advance_to(seconds(20.0));
    let before = link.goodput(Direction::Download);
    link.advance_to(seconds(24.9));
    assert!(link.queue_delay(Direction::Download) > Delay::from_millis_f64(1000.0));
    assert!(link.goodput(Direction::Download) - before < 200_000);
    link.advance_to(seconds(45.0));
    let after = link.goodput(Direction::Download) - before;
    assert!(after > 30_000_000, "{after} bytes in the 20 s after the fade");
}

#[test]
fn a_probe_feels_the_queues_unless_it_goes_past_them() {
    let ended = |probes| {
        let mut link = Link::new(LinkSpec { probes, ..spec(greedy(4), Demand::None) });
        link.advance_to(seconds(20.0));
        let number = link.send_probe(seconds(0.003), seconds(1.0));
        assert_eq!(link.probed(number), None, "not back yet");
        link.advance_to(seconds(21.0));
        link.probed(number).expect("it came to an end").outcome
    };
    let empty = Delay::from_millis_f64(23.0);
    let ProbeOutcome::Reply(shared) = ended(ProbePath::Shared) else { panic!("lost") };
    assert!(shared > empty + Delay::from_millis_f64(40.0), "{shared}");
    assert_eq!(ended(ProbePath::Bypass), ProbeOutcome::Reply(empty));
}

#[test]
fn the_base_round_trip_moves_when_it_is_set() {
    let mut link = Link::new(LinkSpec {
        base_rtt_steps: vec![(seconds(2.0), seconds(0.040))],
        ..spec(Demand::None, Demand::None)
    });
    let mut probe = |at| {
        link.advance_to(seconds(at));
        if at >= 4.0 {
            link.reroute(seconds(0.1));
        }
        let number = link.send_probe(Duration::ZERO, seconds(1.0));
        link.advance_to(seconds(at + 0.5));
        match link.probed(number).map(|probed| probed.outcome) {
            Some(ProbeOutcome::Reply(rtt)) => rtt.millis(),
            other => panic!("{other:?}"),
        }
    };
    let seen = [probe(1.0), probe(3.0), probe(4.0)];
    assert!(seen.iter().zip([20.0, 40.0, 140.0]).all(|(a, b)| (a - b).abs() < 0.1), "{seen:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is sent has arrived, is known to be lost, or is in flight.
    #[test]
    fn no_byte_appears_or_vanishes(
        seed in 0_u64..1000,
        limit in 0.3_f64..60.0,
        factor in 0.0_f64..1.0,
        flows in 1_u8..6,
    ) {
        let steps = vec![(seconds(1.0), factor), (seconds(2.0), 1.0)];
        let mut link = Link::new(LinkSpec {
            supply: PerDirection::build(|_| Supply::Shape(Shape::Steps(steps.clone()))),
            seed,
            ..spec(greedy(flows), greedy(flows))
        });
        for step in 1..30 {
            link.advance_to(seconds(f64::from(step) * 0.1));
            let limit = if step % 7 == 0 { 0.0 } else { limit * f64::from(step) / 15.0 };
            link.set_limit(Direction::Download, mbps(limit));
            link.set_limit(Direction::Upload, mbps(limit));
            for direction in Direction::ALL {
                let (sent, known) = link.of(direction).users.account();
                let in_flight = link.in_flight(direction);
                prop_assert!(
                    (sent - known - in_flight).abs() < 1.0,
                    "{direction:?}: sent {sent}, known {known}, in flight {in_flight}"
                );
                prop_assert!(link.queue_delay(direction) >= Delay::default());
            }
        }
    }

    #[test]
    fn equal_seeds_give_equal_links(seed in any::<u64>()) {
        let run = || {
            let mut link = Link::new(LinkSpec {
                supply: PerDirection::build(|_| Supply::Shape(Shape::Lte)),
                seed,
                ..spec(greedy(3), greedy(1))
            });
            let added = monitor(&mut link, 2.0);
            (added, link.goodput(Direction::Download), link.goodput(Direction::Upload))
        };
        prop_assert_eq!(run(), run());
    }
}

impl Link {
    /// Bytes of a direction's data that are in some queue or on some way, and those whose news is.
    fn in_flight(&self, direction: Direction) -> f64 {
        let other = direction.other();
        let net = self.net.queued().filter(|_| direction == Direction::Download);
        let data = self.of(direction).fifo.queued().chain(net).map(|queued| match queued.payload {
            PacketPayload::Data(segments) => segments.bytes + segments.lost,
            PacketPayload::Ack(_) | PacketPayload::Sparse(_) => 0.0,
        });
        let net = self.net.queued().filter(|_| direction == Direction::Upload);
        let back = self.of(other);
        let news = back.fifo.queued().chain(back.cake.acks()).chain(net);
        let news = news.map(|queued| match queued.payload {
            PacketPayload::Ack(news) => news.bytes + news.lost,
            PacketPayload::Data(_) | PacketPayload::Sparse(_) => 0.0,
        });
        data.sum::<f64>() + news.sum::<f64>() + self.of(direction).cake.waiting()
    }
}
