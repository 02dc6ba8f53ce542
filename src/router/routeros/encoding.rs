//! The letters of RouterOS.
//!
//! RouterOS stores bytes. What was typed in `WinBox` is Windows-1252, what came over REST is UTF-8, and
//! both can stand in one answer.

use std::borrow::Cow;

/// Windows-1252 from 0x80 to 0x9F; the five bytes that it leaves undefined stay C1 controls.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Reads bytes as UTF-8 and those that are none as Windows-1252.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| letter(*byte)));
    }
    Cow::Owned(text)
}

fn letter(byte: u8) -> char {
    let high = byte.checked_sub(0x80).and_then(|at| HIGH.get(usize::from(at)));
    high.copied().unwrap_or(char::from(byte))
}

/// Returns the byte of a letter in Windows-1252, if it has one.
#[cfg(any(feature = "ssh", test))]
pub(super) fn encode(letter: char) -> Option<u8> {
    if let Ok(byte @ (..0x80 | 0xa0..)) = u8::try_from(letter) {
        return Some(byte);
    }
    let at = HIGH.iter().position(|high| *high == letter)?;
    u8::try_from(at + 0x80).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_encodings_are_read_in_one_text() {
        assert_eq!(decode(b"Gr\xf6\xdfe 5\x80"), "Größe 5€");
        assert_eq!(decode("Größe".as_bytes()), "Größe");
        assert_eq!(decode(b"\xf6 and \xc3\xb6"), "ö and ö");
    }

    proptest! {
        #[test]
        fn every_byte_that_is_no_utf8_is_one_letter_and_back(byte in 0x80_u8..) {
            let text = decode(std::slice::from_ref(&byte)).into_owned();
            let mut letters = text.chars();
            prop_assert_eq!(letters.next().and_then(encode), Some(byte));
            prop_assert_eq!(letters.next(), None);
        }
    }
}
