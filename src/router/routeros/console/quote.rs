//! How a text is written so that the console takes it for nothing but a text.

use std::fmt::Write as _;

use super::super::encoding;

/// Returns the condition that `property` is `text`, in whichever encoding the router has it.
pub(super) fn is(property: &str, text: &str) -> String {
    let utf8 = format!("{property}={}", quoted(text));
    match quoted_as_typed(text) {
        Some(typed) => format!("({utf8} or {property}={typed})"),
        None => utf8,
    }
}

/// Quotes a text with letters beyond ASCII as `WinBox` would have stored it, which is in Windows-1252;
/// `None` if it has no such letters, or one that Windows-1252 lacks.
fn quoted_as_typed(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let mut typed = String::from('"');
    for letter in text.chars() {
        if letter.is_ascii() {
            let one = quoted(letter.encode_utf8(&mut [0; 4]));
            typed.push_str(one.get(1..one.len() - 1)?);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(typed, "\\{:02X}", encoding::encode(letter)?);
        }
    }
    typed.push('"');
    Some(typed)
}

/// Quotes `text`: inside of quotes a dollar sign begins a variable and a backslash an escape, and
/// a control character would end the line.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for sign in text.chars() {
        match sign {
            '"' | '\\' | '$' | '?' => quoted.extend(['\\', sign]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_ascii_control() => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\{:02X}", u32::from(control));
            }
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_means_anything() {
        for (text, written) in [
            ("", r#""""#),
            ("ether1", r#""ether1""#),
            ("a b", r#""a b""#),
            (r#"5" disk"#, r#""5\" disk""#),
            (r"C:\x", r#""C:\\x""#),
            ("$name", r#""\$name""#),
            ("why?", r#""why\?""#),
            ("a; /system/reboot", r#""a; /system/reboot""#),
            ("x]] [y", r#""x]] [y""#),
            ("two\r\nlines\t\u{1}", r#""two\r\nlines\t\01""#),
        ] {
            assert_eq!(quoted(text), written);
        }
    }

    #[test]
    fn letters_are_looked_for_in_both_encodings() {
        assert_eq!(is("name", "a b"), r#"name="a b""#);
        assert_eq!(is("name", "Größe $"), r#"(name="Größe \$" or name="Gr\F6\DFe \$")"#);
        assert_eq!(is("name", "日本"), r#"name="日本""#);
    }
}
