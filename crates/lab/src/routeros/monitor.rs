//! `/interface/monitor-traffic`: a command that never ends by itself.
//!
//! With `once` it answers at once; with `duration` it answers with a section for each second; with
//! neither, and with `once` set to `false`, it goes on until the web server closes the session.

use std::time::Duration;

use super::{Emulator, auth::User, call::Arguments, errors::Refusal, schema::Values, values};

/// Time between two sections.
const PACE: Duration = Duration::from_secs(1);

/// Watches the interfaces that `arguments` name.
///
/// # Errors
/// Refuses unknown interfaces and unreadable times.
pub(super) async fn monitor(
    emulator: &Emulator,
    user: &User,
    mut arguments: Arguments,
) -> Result<Vec<Values>, Refusal> {
    let names = arguments.take_list("interface", Some(','));
    let names = names.ok_or_else(|| Refusal::bad("missing =interface="))?;
    let is_once = arguments.take("once").is_some_and(|value| value != "false");
    let span = match arguments.take("duration") {
        Some(text) => Some(values::time(&text).ok_or_else(|| invalid_time("duration"))?),
        None => None,
    };
    arguments.require_empty()?;
    let look = || {
        let traffic = |name: &String| {
            emulator.operate(user, &mut Vec::new(), |session| session.traffic(name))
        };
        names.iter().map(traffic).collect::<Result<Vec<_>, _>>()
    };
    let mut sections = look()?;
    if is_once {
        return Ok(sections);
    }
    let count = span.map_or(u64::MAX, |span| span.as_secs());
    mark(&mut sections, 0);
    for section in 1..=count {
        tokio::time::sleep(PACE).await;
        let mut rows = look()?;
        mark(&mut rows, section);
        // Without an end nobody will ever read them.
        if span.is_some() {
            sections.append(&mut rows);
        }
    }
    Ok(sections)
}

fn mark(rows: &mut [Values], section: u64) {
    for row in rows {
        row.insert(".section", section.to_string());
    }
}

fn invalid_time(argument: &str) -> Refusal {
    Refusal::bad(format!("invalid time value for argument {argument}"))
}
