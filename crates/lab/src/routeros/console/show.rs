//! Rows as a person is shown them, and the width of the terminal.

use std::fmt::Write as _;

use super::super::schema::Values;

/// Properties that are shown as a letter in front of the row.
const LETTERS: [(&str, char); 3] = [("disabled", 'X'), ("dynamic", 'D'), ("invalid", 'I')];
const RATES: [&str; 4] = ["max-limit", "limit-at", "burst-limit", "burst-threshold"];
/// Properties that are quoted.
const QUOTED: [&str; 3] = ["name", "comment", "packet-mark"];

/// Shows rows as `print detail` does: numbered, with letters for flags and units for rates, and
/// folded with an indent at `width` columns.
pub(super) fn detail(rows: &[Values], width: usize) -> String {
    let mut text = String::from("Flags: X - disabled, D - dynamic, I - invalid\r\n");
    for (number, row) in rows.iter().enumerate() {
        let is_set = |name: &str| row.get(name).is_some_and(|value| value == "true");
        let letters: String =
            LETTERS.iter().filter(|(name, _)| is_set(name)).map(|(_, sign)| *sign).collect();
        let mut line = format!("{number:>2} {letters:<2}");
        let is_word = |name: &str| name != ".id" && LETTERS.iter().all(|(flag, _)| *flag != name);
        for (name, value) in row.iter().filter(|(name, _)| is_word(name)) {
            let word = if QUOTED.contains(name) {
                format!(" {name}=\"{value}\"")
            } else if RATES.contains(name) {
                format!(" {name}={}", value.split('/').map(rate).collect::<Vec<_>>().join("/"))
            } else {
                format!(" {name}={value}")
            };
            if line.len() + word.len() > width {
                // Writing to a String cannot fail.
                let _ = write!(text, "{line}\r\n");
                " ".repeat(5).clone_into(&mut line);
            }
            line.push_str(&word);
        }
        let _ = write!(text, "{line}\r\n");
    }
    text
}

fn rate(bps: &str) -> String {
    let suffix = [("000000000", "G"), ("000000", "M"), ("000", "k")];
    let fit = suffix.iter().find_map(|(zeros, unit)| {
        let number = bps.strip_suffix(zeros).filter(|number| !number.is_empty())?;
        Some(format!("{number}{unit}"))
    });
    fit.unwrap_or_else(|| bps.to_owned())
}

/// Breaks every line of `text` that is longer than `width` columns.
pub(super) fn wrapped(text: &str, width: usize) -> String {
    let mut wrapped = String::with_capacity(text.len());
    let mut column = 0;
    for sign in text.chars() {
        if sign == '\n' {
            column = 0;
        } else if sign != '\r' {
            if column == width.max(1) {
                wrapped.push_str("\r\n");
                column = 0;
            }
            column += 1;
        }
        wrapped.push(sign);
    }
    wrapped
}
