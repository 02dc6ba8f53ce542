//! Text that came from a router, made safe for logs, terminals, labels and pages.

use std::{fmt, ops::Deref};

/// Longest text that is taken from a router as it is, in characters.
const LONGEST_WORDS: usize = 200;
/// Longest sentence that is composed of such texts, in characters.
const LONGEST_SENTENCE: usize = 600;

/// Text from a router in which every control, format and other invisible character is escaped, cut
/// to a bounded length.
///
/// Whatever a router says leaves the client only as this type. There is no other way to make one
/// than through the escaping, so that no reader has to think of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouterText(String);

impl RouterText {
    /// Takes one text from a router, cut to 200 characters.
    #[must_use]
    pub fn words(text: &str) -> Self {
        Self(printable(text, LONGEST_WORDS))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Takes a sentence that may hold texts from a router, cut to 600 characters.
impl From<&str> for RouterText {
    fn from(sentence: &str) -> Self {
        Self(printable(sentence, LONGEST_SENTENCE))
    }
}

/// Takes a sentence that may hold texts from a router, cut to 600 characters.
impl From<String> for RouterText {
    fn from(sentence: String) -> Self {
        Self::from(sentence.as_str())
    }
}

impl From<RouterText> for String {
    fn from(text: RouterText) -> Self {
        text.0
    }
}

impl Deref for RouterText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RouterText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for RouterText {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for RouterText {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// Escapes in a text from anywhere what cannot be seen or would change how its surroundings are
/// shown, as in a [`RouterText`], and leaves its length.
#[must_use]
pub fn visible(text: &str) -> String {
    printable(text, usize::MAX)
}

/// Escapes what cannot be seen or would change how its surroundings are shown, and cuts the rest
/// off behind `longest` characters, the last of which is then an ellipsis.
///
/// Escaping twice is escaping once: an escape consists of visible characters.
fn printable(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    let mut length = 0;
    // Where the text ends if it turns out to be too long.
    let mut cut = 0;
    for sign in text.trim().chars() {
        let escape = sign.escape_debug();
        let width = match sign {
            '"' | '\'' | '\\' => 1,
            _ => escape.len(),
        };
        if length + width > longest {
            shown.truncate(cut);
            shown.push('…');
            return shown;
        }
        if width == 1 {
            shown.push(sign);
        } else {
            shown.extend(escape);
        }
        length += width;
        if length < longest {
            cut = shown.len();
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        for (raw, shown) in [
            ("gateway", "gateway"),
            ("Büro \"2\" c:\\x", "Büro \"2\" c:\\x"),
            (" two\r\nlines\t\n", r"two\r\nlines"),
            ("\u{1b}[31mred\u{7}", r"\u{1b}[31mred\u{7}"),
            ("\u{9b}2J", r"\u{9b}2J"),
            ("a\u{202e}b\u{2066}c\u{200b}d\u{feff}", r"a\u{202e}b\u{2066}c\u{200b}d\u{feff}"),
            ("x\u{2028}y\u{e0041}z\0", r"x\u{2028}y\u{e0041}z\0"),
        ] {
            assert_eq!(RouterText::words(raw), shown);
        }
    }

    #[test]
    fn a_text_is_cut_and_says_so() {
        let exact = "x".repeat(LONGEST_WORDS);
        assert_eq!(RouterText::words(&exact).as_str(), exact);
        let cut = RouterText::words(&"ü".repeat(5_000_000));
        assert_eq!(cut.chars().count(), LONGEST_WORDS);
        assert!(cut.ends_with("ü…"));
    }

    proptest! {
        #[test]
        fn every_text_comes_out_bounded_visible_and_stays_so(raw in any::<String>(), times in 1..90_usize) {
            let words = RouterText::words(&raw.repeat(times));
            prop_assert!(words.chars().count() <= LONGEST_WORDS);
            prop_assert!(!words.chars().any(char::is_control));
            let again = RouterText::words(&words);
            prop_assert_eq!(&again, &words);
            prop_assert!(RouterText::from(raw).chars().count() <= LONGEST_SENTENCE);
        }
    }
}
