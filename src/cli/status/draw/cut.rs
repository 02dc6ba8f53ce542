//! Lines no wider than a terminal.

/// Where a colour begins and where it ends: `ESC [ … m`.
const ESCAPE: char = '\x1b';
const RESET: &str = "\x1b[0m";

/// Returns `line` with at most `columns` columns, the last of which is `…` if something was cut.
pub(super) fn cut(line: &str, columns: usize) -> String {
    if width(line) <= columns {
        return line.to_owned();
    }
    let (mut kept, mut used, mut coloured) = (String::new(), 0, false);
    let mut rest = line.chars();
    while let Some(letter) = rest.next() {
        if letter == ESCAPE {
            let code: String = rest.by_ref().take_while(|letter| *letter != 'm').collect();
            coloured = code != "[0";
            kept.push(ESCAPE);
            kept.push_str(&code);
            kept.push('m');
            continue;
        }
        used += columns_of(letter);
        if used >= columns {
            break;
        }
        kept.push(letter);
    }
    if columns > 0 {
        kept.push('…');
    }
    if coloured {
        kept.push_str(RESET);
    }
    kept
}

/// Returns how many columns a line takes, colours apart.
pub(super) fn width(line: &str) -> usize {
    let mut letters = line.chars();
    let mut sum = 0;
    while let Some(letter) = letters.next() {
        if letter == ESCAPE {
            letters.by_ref().find(|letter| *letter == 'm');
        } else {
            sum += columns_of(letter);
        }
    }
    sum
}

/// Letters of East Asia and pictures take two columns.
const fn columns_of(letter: char) -> usize {
    match letter {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{1f300}'..='\u{1faff}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_by_columns_and_not_within_its_colours() {
        assert_eq!(cut("12345", 5), "12345");
        assert_eq!(cut("123456", 5), "1234…");
        assert_eq!(cut("\x1b[1m123456\x1b[0m7", 5), "\x1b[1m1234…\x1b[0m");
        assert_eq!(cut("\x1b[1m12\x1b[0m3456", 5), "\x1b[1m12\x1b[0m34…");
        assert_eq!(width("\x1b[1m網路\x1b[0m1"), 5);
        assert_eq!(cut("網路網路", 5), "網路…");
        assert_eq!(cut("12", 1), "…");
    }
}
