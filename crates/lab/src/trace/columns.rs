//! Trace files with columns, each line held until the next: `seconds,mbit[,mbit…]`, and `seconds
//! mbit_down mbit_up [rtt_ms [loss_pct]]`, with comments and a header.

use std::time::Duration;

use wanctl_core::{PerDirection, units::BitRate};

use super::{
    Trace,
    file::{Column, Flaw, LONGEST, Recording, lines, quoted},
};

/// The highest plausible capacity in Mbit/s.
const HIGHEST_MBPS: f64 = 1e6;
/// The longest plausible base round-trip time in milliseconds.
const LONGEST_RTT_MS: f64 = 10_000.0;

/// Reads a CSV file, of which `column` is the download. The next column is the upload if the
/// header calls it so: its name has the word `up` or begins with `upl`.
pub(super) fn csv(text: &str, column: &Column) -> Result<Recording, Flaw> {
    let mut names: Vec<String> = Vec::new();
    let mut places: Option<(usize, Option<usize>)> = None;
    let mut timeline = Timeline::new();
    for (number, line) in lines(text) {
        let row = line.trim_start_matches('#').trim();
        let fields: Vec<&str> = row.split([',', ';']).map(str::trim).collect();
        let is_heading = line.starts_with('#') || fields[0].parse::<f64>().is_err();
        if is_heading && timeline.points.is_empty() {
            // A comment may be the header: `# columns: seconds,mbit`.
            if fields.len() > 1 || names.is_empty() {
                names = fields.iter().map(|name| (*name).to_owned()).collect();
            }
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        let (download, upload) = match places {
            Some(places) => places,
            None => *places.insert(choose(number, &names, fields.len(), column)?),
        };
        let rate = |place: usize| {
            let missing =
                || Flaw::at(number, format!("{} of the columns only; expected more", fields.len()));
            fields.get(place).ok_or_else(missing).and_then(|field| mbps(number, field))
        };
        let rates =
            PerDirection { download: Some(rate(download)?), upload: upload.map(rate).transpose()? };
        timeline.push(number, fields[0], rates)?;
    }
    let (download, upload) = traces(&timeline)?;
    Ok(Recording { download, upload, base_rtt_steps: Vec::new() })
}

fn choose(
    line: usize,
    names: &[String],
    columns: usize,
    column: &Column,
) -> Result<(usize, Option<usize>), Flaw> {
    let names = if names.len() == columns { names } else { &[] };
    let place = match column {
        Column::Number(number) => Some(*number).filter(|number| (1..columns).contains(number)),
        Column::Named(wanted) => {
            names.iter().skip(1).position(|name| name == wanted).map(|place| place + 1)
        }
    };
    let Some(place) = place else {
        let known: Vec<String> = if names.is_empty() {
            (1..columns).map(|number| number.to_string()).collect()
        } else {
            names.iter().skip(1).map(|name| quoted(name)).collect()
        };
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let text = format!("no column {column} besides the seconds; there is {known}");
        return Err(Flaw::at(line, text));
    };
    let upload = names.get(place + 1).filter(|name| is_upload(name)).map(|_| place + 1);
    Ok((place, upload))
}

fn is_upload(name: &str) -> bool {
    let name = name.to_lowercase();
    name.split(|c: char| !c.is_alphanumeric()).any(|word| word == "up" || word.starts_with("upl"))
}

/// Reads a file of columns between spaces.
pub(super) fn spaced(text: &str) -> Result<Recording, Flaw> {
    let mut timeline = Timeline::new();
    let mut base_rtt_steps: Vec<(Duration, Duration)> = Vec::new();
    for (number, line) in lines(text).filter(|(_, line)| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (seconds, down, up, rest) = match fields[..] {
            // A header without the mark of a comment.
            [first, ..] if timeline.points.is_empty() && first.parse::<f64>().is_err() => {
                let is_word = first.starts_with(|c: char| c.is_alphabetic());
                if is_word {
                    continue;
                }
                return Err(Flaw::at(number, expected(line)));
            }
            [seconds, down, up, ref rest @ ..] if rest.len() <= 2 => (seconds, down, up, rest),
            _ => return Err(Flaw::at(number, expected(line))),
        };
        let rates =
            PerDirection { download: Some(mbps(number, down)?), upload: Some(mbps(number, up)?) };
        timeline.push(number, seconds, rates)?;
        if let ([rtt, ..], Some((at, _))) = (rest, timeline.points.last()) {
            let rtt = base_rtt(number, rtt)?;
            if base_rtt_steps.last().is_none_or(|(_, before)| *before != rtt) {
                base_rtt_steps.push((*at, rtt));
            }
        }
        if let [_, loss] = rest
            && loss.parse() != Ok(0.0)
        {
            let text = format!("loss of {} %; only 0 can be simulated", quoted(loss));
            return Err(Flaw::at(number, text));
        }
    }
    let (download, upload) = traces(&timeline)?;
    Ok(Recording { download, upload, base_rtt_steps })
}

fn expected(line: &str) -> String {
    format!("{} here; expected `seconds mbit_down mbit_up [rtt_ms [loss_pct]]`", quoted(line))
}

fn base_rtt(line: usize, field: &str) -> Result<Duration, Flaw> {
    let millis = field.parse::<f64>().ok().filter(|ms| (0.0..=LONGEST_RTT_MS).contains(ms));
    millis.map(|millis| Duration::from_secs_f64(millis / 1e3)).ok_or_else(|| {
        let text = format!("{} here; expected ms from 0 to {LONGEST_RTT_MS}", quoted(field));
        Flaw::at(line, text)
    })
}

/// Points of a file with columns, in the order of their seconds.
#[derive(Debug, Default)]
struct Timeline<T> {
    first: f64,
    last: f64,
    points: Vec<(Duration, T)>,
}

impl<T> Timeline<T> {
    fn new() -> Self {
        Self { first: 0.0, last: 0.0, points: Vec::new() }
    }

    /// Adds a point at the seconds that `field` says. Those of the first point are its zero: a
    /// recording may count from the epoch.
    fn push(&mut self, line: usize, field: &str, value: T) -> Result<(), Flaw> {
        let expected = "expected the seconds, a number";
        let seconds = field.parse::<f64>().ok().filter(|seconds| seconds.is_finite());
        let seconds =
            seconds.ok_or_else(|| Flaw::at(line, format!("{} here; {expected}", quoted(field))))?;
        if self.points.is_empty() {
            if seconds < 0.0 {
                return Err(Flaw::at(line, "negative seconds; expected zero or more"));
            }
            self.first = seconds;
        } else if seconds <= self.last {
            let text = format!("{seconds} s after {} s; expected ascending seconds", self.last);
            return Err(Flaw::at(line, text));
        }
        self.last = seconds;
        let at = seconds - self.first;
        if at >= LONGEST.as_secs_f64() {
            return Err(Flaw::at(line, "more than a week after the first; expected seconds"));
        }
        let at = Duration::from_secs_f64(at);
        if self.points.last().is_some_and(|(before, _)| *before == at) {
            return Err(Flaw::at(line, "no time passed; expected ascending seconds"));
        }
        self.points.push((at, value));
        Ok(())
    }

    /// Returns when the round ends: the last point holds as long as the one before it.
    fn round(&self) -> Duration {
        match self.points[..] {
            [.., (before, _), (last, _)] => last + last.saturating_sub(before),
            _ => Duration::MAX,
        }
    }
}

fn mbps(line: usize, field: &str) -> Result<BitRate, Flaw> {
    let rate = field.parse::<f64>().ok().filter(|rate| (0.0..=HIGHEST_MBPS).contains(rate));
    rate.map(BitRate::from_mbps).ok_or_else(|| {
        let text = format!("{} here; expected Mbit/s, from 0 to {HIGHEST_MBPS}", quoted(field));
        Flaw::at(line, text)
    })
}

fn traces(
    timeline: &Timeline<PerDirection<Option<BitRate>>>,
) -> Result<(Trace, Option<Trace>), Flaw> {
    let round = timeline.round();
    let nothing = || Flaw::whole("has no points; expected lines of seconds and Mbit/s");
    let points = timeline.points.iter();
    let download = points.clone().filter_map(|(at, rates)| Some((*at, rates.download?)));
    let upload = points.filter_map(|(at, rates)| Some((*at, rates.upload?)));
    let download = Trace::held(download.collect(), round).ok_or_else(nothing)?;
    Ok((download, Trace::held(upload.collect(), round)))
}
