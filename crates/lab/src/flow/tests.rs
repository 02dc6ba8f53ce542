use super::*;

const STEP: f64 = 0.002;

/// A path of 20 ms at `rate` bytes per second with a drop-tail buffer of `room` bytes.
struct Pipe {
    rate: f64,
    room: f64,
    queue: Vec<Segments>,
    backlog: f64,
    returning: Vec<(f64, Segments)>,
    arrived: f64,
}

impl Pipe {
    fn new(rate: f64, room: f64) -> Self {
        let (queue, returning) = (Vec::new(), Vec::new());
        Self { rate, room, queue, backlog: 0.0, returning, arrived: 0.0 }
    }

    fn step(&mut self, flow: &mut Flow, now: f64) {
        while self.returning.first().is_some_and(|(due, _)| *due <= now + 1e-9) {
            let (_, news) = self.returning.remove(0);
            flow.on_ack(news, now);
        }
        if let Some(mut segments) = flow.send(0, now, STEP) {
            let over = (self.backlog + segments.bytes - self.room).clamp(0.0, segments.bytes);
            segments.bytes -= over;
            segments.lost += over;
            self.backlog += segments.bytes;
            self.queue.push(segments);
        }
        let mut budget = self.rate * STEP;
        while budget > 0.0
            && let Some(head) = self.queue.first_mut()
        {
            let bytes = head.bytes.min(budget);
            let piece = Segments { bytes, ..*head };
            (head.bytes, head.lost) = (head.bytes - bytes, 0.0);
            budget -= bytes;
            self.backlog -= bytes;
            self.arrived += bytes;
            if head.bytes < NOTHING {
                self.queue.remove(0);
            }
            if let Some(news) = flow.receive(piece) {
                self.returning.push((now + 0.020, news));
            }
        }
    }

    /// Runs for so many seconds; returns the bytes that arrived.
    fn run(&mut self, flow: &mut Flow, from: f64, seconds: f64) -> f64 {
        let before = self.arrived;
        let steps = (seconds / STEP).round();
        let mut step = 0.0;
        while step < steps {
            self.step(flow, from + step * STEP);
            step += 1.0;
        }
        self.arrived - before
    }
}

fn greedy(control: CongestionControl) -> Flow {
    let mut flow = Flow::new();
    flow.open(Source::Greedy, control, 0.0);
    flow
}

#[test]
fn either_kind_fills_a_path_and_neither_cares_what_came_before() {
    for control in [CongestionControl::Cubic, CongestionControl::Bbr] {
        let (rate, mut flow) = (2.5e6, greedy(control));
        let mut pipe = Pipe::new(rate, rate * 0.05);
        pipe.run(&mut flow, 0.0, 5.0);
        let share = pipe.run(&mut flow, 5.0, 20.0) / (rate * 20.0);
        assert!(share > 0.9, "{control:?} uses {share}");
    }
}

#[test]
fn cubic_fills_a_deep_buffer_and_bbr_does_not() {
    let rate = 2.5e6;
    let standing = |control| {
        let (mut flow, mut pipe) = (greedy(control), Pipe::new(rate, rate * 0.5));
        pipe.run(&mut flow, 0.0, 30.0);
        let mut most: f64 = 0.0;
        for second in 30..60 {
            pipe.run(&mut flow, f64::from(second), 1.0);
            most = most.max(pipe.backlog / rate);
        }
        most
    };
    let (cubic, bbr) = (standing(CongestionControl::Cubic), standing(CongestionControl::Bbr));
    assert!(cubic > 0.3, "cubic leaves {cubic} s");
    assert!(bbr < 0.1, "bbr leaves {bbr} s");
}

#[test]
fn a_dead_path_is_given_up_and_taken_up_again() {
    let (mut flow, mut pipe) = (greedy(CongestionControl::Cubic), Pipe::new(2.5e6, 1e5));
    pipe.run(&mut flow, 0.0, 5.0);
    (pipe.rate, pipe.room) = (0.0, 0.0);
    pipe.run(&mut flow, 5.0, 10.0);
    let (sent, acked, lost) = flow.account();
    assert!(sent - acked - lost < 2e5, "it stopped sending into nothing: {sent} {acked} {lost}");
    (pipe.rate, pipe.room) = (2.5e6, 1e5);
    pipe.run(&mut flow, 15.0, 15.0);
    let share = pipe.run(&mut flow, 30.0, 5.0) / (2.5e6 * 5.0);
    assert!(share > 0.8, "it is back at {share}");
}

#[test]
fn a_stall_without_loss_costs_no_window() {
    let (mut flow, mut pipe) = (greedy(CongestionControl::Cubic), Pipe::new(2.5e6, 1e6));
    pipe.run(&mut flow, 0.0, 2.0);
    let before = flow.window();
    pipe.rate = 0.0;
    pipe.run(&mut flow, 2.0, 1.0);
    assert!(flow.window() < before / 4.0, "a timeout closed the window");
    pipe.rate = 2.5e6;
    pipe.run(&mut flow, 3.0, 0.2);
    assert!(flow.window() >= before * 0.9, "{} of {before}", flow.window());
}

#[test]
fn a_limited_application_sends_its_rate_and_no_more() {
    let mut flow = Flow::new();
    let source = Source::Limited { rate: 1e5, waiting: 0.0 };
    flow.open(source, CongestionControl::Cubic, 0.0);
    let mut pipe = Pipe::new(2.5e6, 1e5);
    let arrived = pipe.run(&mut flow, 0.0, 20.0);
    assert!((arrived - 2e6).abs() < 2e4, "{arrived}");
}

#[test]
fn a_transfer_ends() {
    let mut flow = Flow::new();
    flow.open(Source::Transfer { remaining: 3e5 }, CongestionControl::Cubic, 0.0);
    let mut pipe = Pipe::new(2.5e6, 1e6);
    let arrived = pipe.run(&mut flow, 0.0, 5.0);
    assert!((arrived - 3e5).abs() < 1.0, "{arrived}");
}
