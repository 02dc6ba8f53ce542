//! The format of mahimahi: each line is the millisecond at which one more packet may leave, and
//! the file repeats from its last.

use std::time::Duration;

use wanctl_core::units::BitRate;

use super::{
    Trace,
    file::{Flaw, LONGEST, lines, quoted},
};

/// Bytes of the packet that each line lets go.
const PACKET: u64 = 1500;

/// Turns opportunities to send into a rate over bins of `width`. No opportunity is lost: the last
/// bin is as long as the file has it, or part of the one before if it is shorter than half.
pub(super) fn parse(text: &str, width: Duration) -> Result<Trace, Flaw> {
    let width = u64::try_from(width.as_millis()).unwrap_or(u64::MAX).max(1);
    let mut packets: Vec<u64> = Vec::new();
    let mut last = 0;
    for (number, line) in lines(text).filter(|(_, line)| !line.starts_with('#')) {
        let stamp = millisecond(number, line)?;
        if stamp < last {
            let text = format!("{stamp} ms after {last} ms; expected ascending milliseconds");
            return Err(Flaw::at(number, text));
        }
        last = stamp;
        let bin = usize::try_from(stamp / width).unwrap_or(usize::MAX);
        if packets.len() <= bin {
            packets.resize(bin + 1, 0);
        }
        packets[bin] += 1;
    }
    if last == 0 {
        return Err(Flaw::whole("ends at 0 ms; expected ascending milliseconds, one to a packet"));
    }
    // What leaves at the very end of the file leaves in its last bin, which may have no width, or
    // so little that its rate would mean nothing.
    while packets.len() > 1 {
        let begins = width * (packets.len() as u64 - 1);
        if 2 * (last - begins) >= width {
            break;
        }
        let rest = packets.pop().unwrap_or(0);
        if let Some(before) = packets.last_mut() {
            *before += rest;
        }
    }
    let ends = (1..packets.len() as u64).map(|bin| bin * width).chain([last]);
    let mut from = 0;
    let points = packets.iter().zip(ends).map(|(packets, end)| {
        let span = Duration::from_millis(end - from);
        let rate = BitRate::of_transfer(packets * PACKET, span).unwrap_or_default();
        let point = (Duration::from_millis(from), rate);
        from = end;
        point
    });
    let trace = Trace::held(points.collect(), Duration::from_millis(last));
    trace.ok_or_else(|| Flaw::whole("holds no time; expected ascending milliseconds"))
}

fn millisecond(number: usize, line: &str) -> Result<u64, Flaw> {
    let most = u64::try_from(LONGEST.as_millis()).unwrap_or(u64::MAX);
    let stamp = line.parse::<u64>().ok().filter(|stamp| *stamp <= most);
    stamp.ok_or_else(|| {
        let text =
            format!("{} here; expected milliseconds, a whole number up to {most}", quoted(line));
        Flaw::at(number, text)
    })
}
