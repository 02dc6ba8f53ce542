//! `/execute`: scripts. Only the harmless ones do anything here.
//!
//! What a client has to know of the command is its answer: an error in a script comes with status
//! 200, and its text in the place of the output.

use super::{call::Arguments, commands::Reply, errors::Refusal};

/// The job that a script becomes when nobody waits for its output.
const JOB: &str = "*B546";

/// Runs the script in `arguments`.
///
/// The commands `:put`, `:log` and `:error` with plain texts are carried out; any other is answered
/// as a command that this router does not have. Without the key `as-string` the script becomes a
/// job of which nothing more is heard.
///
/// # Errors
/// Refuses a request without a script.
pub(super) fn execute(mut arguments: Arguments) -> Result<Reply, Refusal> {
    let script = arguments.take("script").ok_or_else(|| Refusal::bad("missing =script="))?;
    // Its presence counts, whatever its value: even `false` waits.
    let waits = arguments.take("as-string").is_some();
    arguments.require_empty()?;
    Ok(Reply::Returned(if waits { run(&script) } else { JOB.to_owned() }))
}

fn run(script: &str) -> String {
    let mut output = Vec::new();
    for (column, statement) in statements(script) {
        let (command, rest) = statement.split_once(' ').unwrap_or((statement, ""));
        let text = unquoted(rest);
        match command {
            ":put" => output.push(text.to_owned()),
            ":log" => {}
            ":error" => {
                output.push(format!("{text} (:error; line 1)"));
                break;
            }
            _ => {
                let word = command.trim_start_matches([':', '/']);
                let word = word.split('/').next().unwrap_or(word);
                let column = column + command.len() - command.trim_start_matches([':', '/']).len();
                output.push(format!("bad command name {word} (line 1 column {column})"));
                break;
            }
        }
    }
    output.join("\n")
}

/// Splits a script at the semicolons outside of texts, and returns the column of each part.
fn statements(script: &str) -> Vec<(usize, &str)> {
    let (mut parts, mut start, mut in_text) = (Vec::new(), 0, false);
    for (at, sign) in script.char_indices().chain([(script.len(), ';')]) {
        match sign {
            '"' => in_text = !in_text,
            ';' if !in_text || at == script.len() => {
                let part = &script[start..at];
                let column = start + part.len() - part.trim_start().len() + 1;
                parts.push((column, part.trim()));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.retain(|(_, part)| !part.is_empty());
    parts
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_scripts_answer_and_others_do_not_exist() {
        for (script, output) in [
            (":put hello", "hello"),
            (":put \"a; b\"; :put c", "a; b\nc"),
            (":log info \"x\"; :put OK-1", "OK-1"),
            (":error \"something\"; :put OK-1", "something (:error; line 1)"),
            (":put a; /system/reboot", "a\nbad command name system (line 1 column 10)"),
            ("ttt", "bad command name ttt (line 1 column 1)"),
            ("/ttt", "bad command name ttt (line 1 column 2)"),
            ("", ""),
            (";;", ""),
            ("\"", "bad command name \" (line 1 column 1)"),
        ] {
            assert_eq!(run(script), output, "{script}");
        }
    }
}
