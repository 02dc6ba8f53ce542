//! Carries out a script that has been read.

use std::{collections::BTreeMap, fmt::Write as _, net::IpAddr, time::Duration};

use serde_json::Value;

use super::{
    super::{
        Policy,
        menus::{Menu, Place, Single, Values},
        query::Query,
        request::ApiError,
        session::Session,
        tools::{LOST_AFTER, PingTally, Pinger},
        values,
    },
    script::{Action, Condition, Expression, Verb, Words, elements, for_json, len, text, typed},
};

/// Rows for people are folded here; the terminal breaks what is still too long.
const FOLD: usize = super::COLUMNS;

/// What a script works on and with.
pub(super) struct Machine<'a, 'b> {
    session: &'a mut Session<'b>,
    pinger: &'a Pinger,
    variables: BTreeMap<String, Value>,
    printed: String,
    /// How long the pings take; waited for when everything else is done.
    wait: Duration,
}

impl<'a, 'b> Machine<'a, 'b> {
    pub(super) const fn new(session: &'a mut Session<'b>, pinger: &'a Pinger) -> Self {
        let wait = Duration::ZERO;
        Self { session, pinger, variables: BTreeMap::new(), printed: String::new(), wait }
    }

    /// Carries out `script` up to its first error, and returns what it prints and how long it
    /// takes.
    pub(super) fn run(mut self, script: &[Action]) -> (String, Duration) {
        if let Err(refusal) = self.steps(script) {
            self.print(refusal.words());
        }
        (self.printed, self.wait)
    }

    fn print(&mut self, line: &str) {
        self.printed.push_str(line);
        self.printed.push_str("\r\n");
    }

    fn steps(&mut self, steps: &[Action]) -> Result<(), ApiError> {
        for step in steps {
            match step {
                Action::Menu { place, verb: Verb::Print, words } => {
                    let text = self.print_rows(*place, words)?;
                    self.printed.push_str(&text);
                }
                other => {
                    self.act(other)?;
                }
            }
        }
        Ok(())
    }

    fn act(&mut self, action: &Action) -> Result<Value, ApiError> {
        match action {
            Action::Put(value) => {
                let line = text(&self.value(value)?);
                self.print(&line);
                Ok(Value::Null)
            }
            Action::Error(value) => Err(ApiError::bad(text(&self.value(value)?))),
            Action::Len(value) => Ok(Value::from(len(&self.value(value)?))),
            Action::ToText(value) => Ok(Value::from(text(&self.value(value)?))),
            Action::Serialize { value, keeps_texts } => {
                Ok(Value::from(for_json(self.value(value)?, *keeps_texts).to_string()))
            }
            Action::ForEach { names, of, body } => {
                for (key, element) in elements(self.value(of)?) {
                    let values = if names.len() == 1 { vec![element] } else { vec![key, element] };
                    self.variables.extend(names.iter().cloned().zip(values));
                    self.steps(body)?;
                }
                Ok(Value::Null)
            }
            Action::Menu { place, verb, words } => self.command(*place, *verb, words),
        }
    }

    fn value(&mut self, expression: &Expression) -> Result<Value, ApiError> {
        match expression {
            Expression::Text(text) => Ok(Value::from(text.as_str())),
            Expression::Variable(name) => {
                Ok(self.variables.get(name).cloned().unwrap_or(Value::Null))
            }
            Expression::Join(parts) => {
                let mut joined = String::new();
                for part in parts {
                    joined.push_str(&text(&self.value(part)?));
                }
                Ok(Value::from(joined))
            }
            Expression::Of(action) => self.act(action),
        }
    }

    fn command(&mut self, place: Place, verb: Verb, words: &Words) -> Result<Value, ApiError> {
        match verb {
            Verb::Print => {
                let rows = self.rows(place, words)?;
                if words.has("count-only") {
                    return Ok(Value::from(rows.len()));
                }
                Ok(rows.iter().map(table).collect())
            }
            Verb::Get => self.get(place, words),
            Verb::Find => {
                let rows = self.rows(place, words)?;
                let id = |row: &Values| row.get(".id").map(|id| Value::from(id.as_str()));
                Ok(rows.iter().filter_map(id).collect())
            }
            Verb::Set => self.set(place, words),
            Verb::Enable | Verb::Disable | Verb::Remove => self.on_rows(place, verb, words),
            Verb::Ping => self.ping(words),
        }
    }

    /// Returns the rows that `words` ask for, cut down to the properties that they list.
    fn rows(&mut self, place: Place, words: &Words) -> Result<Vec<Values>, ApiError> {
        let mut rows = Vec::new();
        for row in self.all(place)? {
            let mut holds = true;
            for condition in &words.conditions {
                holds &= self.holds(&row, condition)?;
            }
            if holds {
                rows.push(row);
            }
        }
        if let Some((_, list)) = words.named.iter().find(|(name, _)| name == "proplist") {
            let list = text(&self.value(list)?);
            // The identifier comes whether or not it is listed.
            let is_listed = |name: &str| name == ".id" || list.split(',').any(|one| one == name);
            for row in &mut rows {
                row.retain(|name, _| is_listed(name));
            }
        }
        Ok(rows)
    }

    fn all(&mut self, place: Place) -> Result<Vec<Values>, ApiError> {
        match place {
            Place::Menu(menu) => self.session.print(menu, &Query::default()),
            Place::Single(single) => Ok(vec![self.session.print_single(single)?]),
            Place::Ping | Place::Execute | Place::Monitor => Ok(Vec::new()),
        }
    }

    fn holds(&mut self, row: &Values, condition: &Condition) -> Result<bool, ApiError> {
        let Condition { property, value, negated } = condition;
        let shown = row.get(property.as_str()).map(String::as_str).unwrap_or_default();
        let holds = match value {
            Some(value) => {
                let wanted = text(&self.value(value)?);
                // Flags have two spellings.
                let flag = values::flag(&wanted).filter(|_| values::flag(shown).is_some());
                flag.map_or(shown == wanted, |flag| values::flag(shown) == Some(flag))
            }
            None => shown == "true",
        };
        Ok(holds != *negated)
    }

    fn print_rows(&mut self, place: Place, words: &Words) -> Result<String, ApiError> {
        let rows = self.rows(place, words)?;
        if words.has("count-only") {
            return Ok(format!("{}\r\n", rows.len()));
        }
        // As a value it is nobody's unless somebody takes it.
        if words.has("as-value") {
            return Ok(String::new());
        }
        Ok(detail(&rows, FOLD))
    }

    fn get(&mut self, place: Place, words: &Words) -> Result<Value, ApiError> {
        let mut unnamed = words.unnamed.iter();
        let row = if let Place::Menu(menu) = place {
            let target = unnamed.next().ok_or_else(ApiError::no_such_item)?;
            let ids = self.targets(menu, target)?;
            let [id] = ids.as_slice() else { return Err(ApiError::no_such_item()) };
            self.session.print_one(menu, *id)?
        } else {
            self.all(place)?.into_iter().next().unwrap_or_default()
        };
        let Some(property) = unnamed.next() else { return Ok(table(&row)) };
        let property = text(&self.value(property)?);
        let text = row.get(property.as_str());
        Ok(text.map_or(Value::Null, |text| typed(&property, text)))
    }

    fn set(&mut self, place: Place, words: &Words) -> Result<Value, ApiError> {
        let mut pairs = Vec::new();
        for (name, value) in &words.named {
            pairs.push((name.clone(), text(&self.value(value)?)));
        }
        match place {
            Place::Menu(menu) => {
                let ids = self.all_targets(menu, words)?;
                self.session.set(menu, &ids, &pairs)?;
            }
            Place::Single(Single::Identity) => {
                for (_, name) in pairs {
                    self.session.rename(name)?;
                }
            }
            Place::Single(Single::Resource) | Place::Ping | Place::Execute | Place::Monitor => {}
        }
        Ok(Value::Null)
    }

    /// Enables, disables or removes rows.
    fn on_rows(&mut self, place: Place, verb: Verb, words: &Words) -> Result<Value, ApiError> {
        let Place::Menu(menu) = place else { return Err(ApiError::no_such_item()) };
        let ids = self.all_targets(menu, words)?;
        match verb {
            Verb::Remove => self.session.remove(menu, &ids)?,
            verb => self.session.switch(menu, &ids, verb == Verb::Enable)?,
        }
        Ok(Value::Null)
    }

    fn all_targets(&mut self, menu: &'static Menu, words: &Words) -> Result<Vec<u32>, ApiError> {
        let mut ids = Vec::new();
        for target in &words.unnamed {
            ids.extend(self.targets(menu, target)?);
        }
        Ok(ids)
    }

    /// Returns the rows that a value stands for: identifiers or names, and for a `[find …]` without
    /// a match none at all, which is no error.
    fn targets(&mut self, menu: &'static Menu, target: &Expression) -> Result<Vec<u32>, ApiError> {
        let keys: Vec<String> = match self.value(target)? {
            Value::Array(values) => values.iter().map(text).collect(),
            single => text(&single).split(',').map(ToOwned::to_owned).collect(),
        };
        keys.iter().map(|key| self.session.target(menu, key)).collect()
    }

    fn ping(&mut self, words: &Words) -> Result<Value, ApiError> {
        self.session.user.require(Policy::Test)?;
        let mut arguments = BTreeMap::new();
        for (name, value) in &words.named {
            arguments.insert(name.as_str(), text(&self.value(value)?));
        }
        let host = arguments.get("address").cloned().unwrap_or_default();
        let address: IpAddr = host.parse().map_err(|_| ApiError::invalid_value("address"))?;
        let count = arguments.get("count").map_or(Some(1), |count| values::whole(count));
        let count = count.ok_or_else(|| ApiError::invalid_value("count"))?.min(20);
        let mut tally = PingTally::default();
        let mut probes = Vec::new();
        for seq in 0..count {
            let answer = self.pinger.round_trip(address).filter(|span| *span <= LOST_AFTER);
            let is_last = seq + 1 == count;
            self.wait += if is_last { answer.unwrap_or(LOST_AFTER) } else { LOST_AFTER };
            probes.push(table(&tally.row(&host, "56", answer, "timeout")));
        }
        Ok(Value::from(probes))
    }
}

fn table(row: &Values) -> Value {
    let pair = |(name, text): (&&str, &String)| ((*name).to_owned(), typed(name, text));
    row.iter().map(pair).collect()
}

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
