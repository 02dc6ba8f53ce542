use std::sync::Mutex;

use futures_util::future::BoxFuture;
use prometheus_client::encoding::text::encode;
use tokio::time::{advance, pause};
use wanctl_core::{ProbeOutcome, units::Delay};

use super::*;
use crate::{
    catalogue::Catalogue,
    probe::{ProbeFamilies, ProbeResult},
};

/// Answers after `delay`, and keeps every tenth turn for itself.
#[derive(Debug, Default)]
struct Fake {
    delay: Duration,
    probed: Mutex<Vec<u16>>,
    errands: Mutex<u32>,
}

impl Prober for Fake {
    fn probe(&self, reflector: ReflectorId, _: u64, _: ReplyTimeout) -> BoxFuture<'_, ProbeResult> {
        self.probed.lock().unwrap().push(reflector.0);
        let delay = self.delay;
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            ProbeOutcome::Reply(delay.into()).into()
        })
    }

    fn background_task(
        self: Arc<Self>,
        _: ReflectorId,
        sequence: u64,
        _: ReplyTimeout,
    ) -> Option<BoxFuture<'static, ()>> {
        let own = sequence.is_multiple_of(10);
        own.then(|| -> BoxFuture<'static, ()> {
            Box::pin(async move { *self.errands.lock().unwrap() += 1 })
        })
    }
}

impl Fake {
    /// Packets so far.
    fn packets(&self) -> usize {
        let errands = usize::try_from(*self.errands.lock().unwrap()).unwrap();
        self.probed.lock().unwrap().len() + errands
    }
}

struct Bench {
    fake: Arc<Fake>,
    pace: watch::Sender<Pace>,
    samples: mpsc::Receiver<RttSample>,
    catalogue: Catalogue,
    stop: CancellationToken,
}

impl Bench {
    /// Six reflectors, of which three take turns, at 20 packets a second and 5 when idle.
    fn start() -> Self {
        Self::with_delay(Duration::ZERO)
    }

    fn with_delay(delay: Duration) -> Self {
        pause();
        let addresses: Vec<IpAddr> = (1..=6).map(|n| IpAddr::from([192, 0, 2, n])).collect();
        let names: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let config = ProbeConfig { active: 3, ..ProbeConfig::of(addresses) };
        let mut catalogue = Catalogue::default();
        let families = ProbeFamilies::register(&mut catalogue);
        let (sender, samples) = mpsc::channel(1024);
        let pace = watch::Sender::new(Pace::Full);
        let ends = Ends {
            samples: sender,
            pace: pace.subscribe(),
            prober_kind: watch::Sender::new(None),
            changes: mpsc::channel(1).0,
            metrics: ProbeMetrics::new(&families, "cable", &names),
        };
        let fake = Arc::new(Fake { delay, ..Fake::default() });
        let stop = CancellationToken::new();
        let schedule = Schedule::new("cable", &config, Duration::ZERO);
        let prober: Arc<dyn Prober> = Arc::<Fake>::clone(&fake);
        tokio::spawn(schedule.run(prober, Clock::start(), ends, stop.clone()));
        Self { fake, pace, samples, catalogue, stop }
    }

    /// Lets `millis` pass; returns how many packets were sent.
    async fn run(&self, millis: u32) -> usize {
        let before = self.fake.packets();
        for _ in 0..millis / 5 {
            advance(Duration::from_millis(5)).await;
            // The schedule, and what it has spawned.
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
        }
        self.fake.packets() - before
    }

    fn metric(&self, line: &str) -> bool {
        let mut text = String::new();
        encode(&mut text, self.catalogue.registry()).unwrap();
        text.lines().any(|reported| reported == line)
    }
}

#[tokio::test]
async fn every_packet_counts_against_the_interval_whatever_it_is_for() {
    let mut bench = Bench::start();
    let sent = bench.run(5000).await;
    assert!((98..=101).contains(&sent), "{sent}");
    // Every other tenth turn is the trial of a spare, which no errand takes.
    assert_eq!(*bench.fake.errands.lock().unwrap(), 5);
    assert!(bench.fake.probed.lock().unwrap().iter().any(|id| *id >= 3));
    let mut sequences = Vec::new();
    while let Ok(sample) = bench.samples.try_recv() {
        sequences.push(sample.sequence);
    }
    assert_eq!(sequences.len(), bench.fake.probed.lock().unwrap().len());
    assert!(sequences.is_sorted());
    assert!(bench.metric("wanctl_probe_interval_seconds{wan=\"cable\"} 0.05"));
    for (reflector, active) in [(1, 1), (3, 1), (4, 0)] {
        let line = format!(
            "wanctl_reflector_active{{wan=\"cable\",reflector=\"192.0.2.{reflector}\"}} {active}"
        );
        assert!(bench.metric(&line), "{line}");
    }
    bench.stop.cancel();
}

#[tokio::test]
async fn an_idle_link_is_asked_less_and_the_full_pace_is_back_at_once() {
    let bench = Bench::start();
    bench.run(100).await;
    bench.pace.send_replace(Pace::Idle);
    let sent = bench.run(4000).await;
    assert!((19..=21).contains(&sent), "{sent}");
    bench.pace.send_replace(Pace::Full);
    let sent = bench.run(60).await;
    assert!(sent >= 1, "the next probe was left where the idle pace had put it");
    bench.stop.cancel();
}

#[tokio::test]
async fn a_late_reply_follows_the_loss_with_its_delay() {
    let mut bench = Bench::with_delay(Duration::from_millis(1300));
    bench.run(1280).await;
    let first: Vec<RttSample> = std::iter::from_fn(|| bench.samples.try_recv().ok()).collect();
    assert!(!first.is_empty() && first.iter().all(|s| s.outcome == ProbeOutcome::Lost));
    bench.run(2000).await;
    let samples: Vec<RttSample> = std::iter::from_fn(|| bench.samples.try_recv().ok()).collect();
    let late = |lost: &RttSample| {
        let reply = ProbeOutcome::Reply(Delay::from_micros(1_300_000));
        samples.iter().any(|s| (s.sequence, s.outcome) == (lost.sequence, reply))
    };
    assert!(first.iter().all(late), "{samples:?}");
    // Once the delay is known to be usual, it is no loss any more.
    bench.run(3000).await;
    let samples: Vec<RttSample> = std::iter::from_fn(|| bench.samples.try_recv().ok()).collect();
    let (lost, of) =
        (samples.iter().filter(|s| s.outcome == ProbeOutcome::Lost).count(), samples.len());
    assert!(of > 20 && lost < of / 10, "{lost} of {of} lost");
    bench.stop.cancel();
}
