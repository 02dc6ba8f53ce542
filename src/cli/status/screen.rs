//! A terminal that shows one page after another without flicker, and is left as it was found.

use std::{
    fmt::Write as _,
    io::{self, Write as _, stdout},
};

use terminal_size::{Height, Width, terminal_size};

use super::draw::Size;

/// Another screen beside the one with the shell's lines, and no cursor on it.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
const FIRST_LINE: &str = "\x1b[H";
/// Before the text: after it, it would take the last letter of a full line.
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";
/// The size of a terminal that does not say.
const DEFAULT_SIZE: Size = Size { columns: 80, rows: 24 };

/// The terminal while something is watched; dropped, it shows the shell again.
#[derive(Debug)]
pub(super) struct Screen {
    /// What it shows, and how large it was then.
    shown: Option<(Size, String)>,
}

impl Screen {
    /// Turns to a screen of its own.
    ///
    /// # Errors
    /// If the output is closed.
    pub(super) fn open() -> io::Result<Self> {
        write(ENTER)?;
        Ok(Self { shown: None })
    }

    /// Returns how large the terminal is now.
    pub(super) fn size() -> Size {
        match terminal_size() {
            Some((Width(columns), Height(rows))) if columns > 0 && rows > 0 => {
                Size { columns: columns.into(), rows: rows.into() }
            }
            Some(_) | None => DEFAULT_SIZE,
        }
    }

    /// Shows these lines, which fit a terminal of this size, in place of those before: in one write,
    /// and only if something changed.
    ///
    /// # Errors
    /// If the output is closed.
    pub(super) fn show(&mut self, lines: &[String], size: Size) -> io::Result<()> {
        let mut page = FIRST_LINE.to_owned();
        for (place, line) in lines.iter().enumerate() {
            let next = if place > 0 { "\n" } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(page, "{next}{CLEAR_LINE}{line}");
        }
        page.push_str(CLEAR_BELOW);
        let wanted = Some((size, page));
        if self.shown != wanted {
            self.shown = wanted;
            write(self.shown.as_ref().map_or("", |(_, page)| page))?;
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that has gone needs nothing.
        let _ = write(LEAVE);
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
