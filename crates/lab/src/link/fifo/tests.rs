use super::*;
use crate::link::packet::{Segments, SparsePacket};

const DT: f64 = 0.002;

fn segments(packets: f64, sent: f64) -> Segments {
    let bytes = packets * PACKET;
    Segments { flow: 0, bytes, lost: 0.0, sent, delivered: 0.0 }
}

/// Fills a buffer of 100 packets with 150, ten at a time, on a dead link, then lets it drain.
fn fill() -> Vec<Segments> {
    let mut rng = Rng::with_seed(1);
    let mut fifo = Fifo::new(100.0 * PACKET);
    let mut out = Vec::new();
    for step in 0..15 {
        fifo.arrive(QueuedPacket::data(segments(10.0, f64::from(step)), 0.0));
        fifo.admit(0.0, DT, &mut rng);
        drain(&mut fifo, &mut out);
        assert!(out.iter().all(|hole| hole.bytes <= 0.0), "the link is dead");
        assert!(fifo.backlog() <= 101.0 * PACKET);
    }
    fifo.admit(1e9, DT, &mut rng);
    drain(&mut fifo, &mut out);
    out
}

fn drain(fifo: &mut Fifo, out: &mut Vec<Segments>) {
    while let Some((queued, _)) = fifo.take() {
        if let PacketPayload::Data(segments) = queued.payload {
            out.push(segments);
        }
    }
}

#[test]
fn a_full_buffer_drops_at_its_tail() {
    let out = fill();
    for segments in &out[..10] {
        assert!(segments.lost < 1.5 * PACKET, "{segments:?}");
    }
    for segments in &out[10..] {
        assert!(segments.bytes < 1.5 * PACKET, "{segments:?}");
    }
    let all: f64 = out.iter().map(|segments| segments.bytes + segments.lost).sum();
    assert!((all - 150.0 * PACKET).abs() < 1e-3, "{all}");
}

#[test]
fn the_backlog_survives_a_change_of_rate_and_a_sparse_packet_waits_for_all_of_it() {
    let mut rng = Rng::with_seed(1);
    let mut fifo = Fifo::new(1e6);
    fifo.arrive(QueuedPacket::data(segments(100.0, 0.0), 0.0));
    fifo.admit(0.0, DT, &mut rng);
    assert!(fifo.take().is_none());
    let packet = SparsePacket { probe: None, waited: 0.0, up: 0.0, further: 0.0 };
    assert!(fifo.arrive_sparse(QueuedPacket::sparse(packet, 0.002), &mut rng).is_ok());
    let mut now = 0.002;
    let left = loop {
        fifo.admit(1e6, DT, &mut rng);
        let mut sparse = None;
        while let Some((queued, moment)) = fifo.take() {
            if matches!(queued.payload, PacketPayload::Sparse(_)) {
                sparse = Some(now + moment - queued.entered);
            }
        }
        if let Some(waited) = sparse {
            break waited;
        }
        now += DT;
    };
    assert!((left - 0.1515).abs() < 1e-3, "151 kB at 1 MB/s took {left} s");
}

#[test]
fn a_sparse_packet_does_not_wait_for_one_on_a_dead_wire() {
    let mut rng = Rng::with_seed(1);
    let mut fifo = Fifo::new(1e6);
    fifo.arrive(QueuedPacket::data(segments(10.0, 0.0), 0.0));
    fifo.admit(0.125, DT, &mut rng);
    let longest = (0..100).map(|_| fifo.residual(&mut rng)).fold(0.0, f64::max);
    assert!(longest < 0.2, "{longest} s");
}
