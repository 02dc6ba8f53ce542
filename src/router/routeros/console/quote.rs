//! How a text is written so that the console takes it for nothing but a text.

use std::fmt::Write as _;

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
}
