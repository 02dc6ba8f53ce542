//! Numbers and states as the terminal shows them.

/// How something is shown; each word is as clear without its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Mild,
    Bad,
    Quiet,
    Strong,
}

/// Puts text into colours, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    /// `text` at least `width` wide, in `tone`.
    pub(super) fn pad(self, text: &str, width: usize, tone: Tone) -> String {
        let padded = format!("{text:<width$}");
        if !self.0 {
            return padded;
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Mild => "33",
            Tone::Bad => "1;31",
            Tone::Quiet => "2",
            Tone::Strong => "1",
        };
        format!("\x1b[{code}m{padded}\x1b[0m")
    }

    pub(super) fn on(self, text: &str, tone: Tone) -> String {
        self.pad(text, 0, tone)
    }
}

/// The tone of a state of congestion, of a level of health.
pub(super) fn tone(word: &str) -> Tone {
    match word {
        "green" | "ok" => Tone::Good,
        "yellow" | "degraded" | "unknown" => Tone::Mild,
        "off" => Tone::Quiet,
        _ => Tone::Bad,
    }
}

/// A rate in Mbit/s with three significant digits.
pub(super) fn rate(mbps: Option<f64>) -> String {
    match mbps {
        None => "-".to_owned(),
        Some(mbps) if mbps >= 100.0 => format!("{mbps:.0}"),
        Some(mbps) if mbps >= 10.0 => format!("{mbps:.1}"),
        Some(mbps) => format!("{mbps:.2}"),
    }
}

/// A delay in ms with one decimal.
pub(super) fn delay(ms: Option<f64>) -> String {
    ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1} ms"))
}

/// A delay in ms with one decimal, where the unit is shown elsewhere.
pub(super) fn plain_delay(ms: Option<f64>) -> String {
    ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1}"))
}

/// A span of time, in its two largest units.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
pub(super) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min"),
        3600..86400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// A number of bytes.
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

/// The time of day here of a Unix time.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
pub(super) fn time_of_day(unix: f64) -> String {
    let at = jiff::Timestamp::from_millisecond((unix * 1e3) as i64).unwrap_or_default();
    at.to_zoned(crate::cli::zone::local()).strftime("%H:%M:%S").to_string()
}

/// How full something is, `part` of 0 to 1, as a bar of `width` characters.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
pub(super) fn bar(part: f64, width: usize) -> String {
    let full = ((part.clamp(0.0, 1.0) * width as f64).round() as usize).min(width);
    format!("[{}{}]", "#".repeat(full), ".".repeat(width - full))
}
