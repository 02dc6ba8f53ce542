//! Reads a command line as a whole, before any of it is carried out.

use super::{
    super::menus::{Place, Single, find_place},
    Abilities,
    script::{Action, Condition, Expression, Verb, Words},
};

/// Deepest nesting of brackets.
const DEPTH: u32 = 24;
/// Words that say how rows are printed.
const FLAGS: [&str; 7] =
    ["as-value", "detail", "stats", "terse", "without-paging", "count-only", "brief"];
const OF_PING: [&str; 6] = ["address", "count", "src-address", "interface", "interval", "size"];

/// An error in a command line, in the words of RouterOS.
type SyntaxError = String;

/// Reads a command line. The error is what the console prints instead.
pub(super) fn parse(text: &str, abilities: Abilities) -> Result<Vec<Action>, SyntaxError> {
    let mut parser = Parser { text, at: 0, depth: 0, here: None, abilities };
    let script = parser.script()?;
    if parser.at < text.len() { Err(parser.syntax_error()) } else { Ok(script) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    /// The menu of the command around this one: `find` alone means that menu's.
    here: Option<Place>,
    abilities: Abilities,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn take(&mut self, sign: char) -> bool {
        let is_it = self.peek() == Some(sign);
        if is_it {
            self.at += sign.len_utf8();
        }
        is_it
    }

    fn expect(&mut self, sign: char) -> Result<(), SyntaxError> {
        if self.take(sign) { Ok(()) } else { Err(self.syntax_error()) }
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += self.peek().map_or(0, char::len_utf8);
        }
    }

    fn word(&mut self) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let ends = |c: char| c.is_whitespace() || "/;=[]{}()\"$!".contains(c);
        let word = rest.get(..rest.find(ends).unwrap_or(rest.len())).unwrap_or_default();
        self.at += word.len();
        word
    }

    /// Columns are counted in bytes, from 1.
    fn error_at(what: &str, at: usize) -> SyntaxError {
        format!("{what} (line 1 column {})", at + 1)
    }

    fn syntax_error(&self) -> SyntaxError {
        Self::error_at("syntax error", self.at)
    }

    fn bad_command(word: &str, at: usize) -> SyntaxError {
        Self::error_at(&format!("bad command name {word}"), at)
    }

    fn bad_parameter(&self, name: &str, at: usize) -> SyntaxError {
        let named = self.abilities.names_parameters.then(|| format!("bad parameter {name}"));
        Self::error_at(named.as_deref().unwrap_or("expected end of command"), at)
    }

    fn script(&mut self) -> Result<Vec<Action>, SyntaxError> {
        let mut script = Vec::new();
        loop {
            self.blanks();
            if self.take(';') {
                continue;
            }
            match self.peek() {
                None | Some('}' | ']') => return Ok(script),
                Some(_) => script.push(self.action()?),
            }
            self.blanks();
            if !matches!(self.peek(), None | Some(';' | '}' | ']')) {
                return Err(Self::error_at("expected end of command", self.at));
            }
        }
    }

    fn action(&mut self) -> Result<Action, SyntaxError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.syntax_error());
        }
        let action = match self.peek() {
            Some(':') => self.colon_command(),
            Some('/') => self.menu_command(),
            _ => {
                let at = self.at;
                let word = self.word();
                match (Verb::of(word), self.here) {
                    (Some(verb), Some(place)) => self.command(place, verb),
                    _ if word.is_empty() => Err(Self::error_at("syntax error", at)),
                    _ => Err(Self::bad_command(word, at)),
                }
            }
        };
        self.depth -= 1;
        action
    }

    fn colon_command(&mut self) -> Result<Action, SyntaxError> {
        self.expect(':')?;
        let at = self.at;
        match self.word() {
            "put" => self.expression().map(Action::Put),
            "error" => self.expression().map(Action::Error),
            "len" => self.expression().map(Action::Len),
            "tostr" => self.expression().map(Action::ToText),
            "foreach" => self.for_each(),
            "serialize" if self.abilities.serializes => self.serialize(),
            word => Err(Self::bad_command(word, at)),
        }
    }

    fn serialize(&mut self) -> Result<Action, SyntaxError> {
        let mut keeps_texts = false;
        loop {
            self.blanks();
            let at = self.at;
            match self.word() {
                "" => break,
                "to" => {
                    self.expect('=')?;
                    if self.word() != "json" {
                        return Err("invalid value for argument to".to_owned());
                    }
                }
                "options" => {
                    self.expect('=')?;
                    keeps_texts = self.word().split(',').any(|o| o == "json.no-string-conversion");
                }
                name => return Err(self.bad_parameter(name, at)),
            }
        }
        Ok(Action::Serialize { value: self.expression()?, keeps_texts })
    }

    fn for_each(&mut self) -> Result<Action, SyntaxError> {
        self.blanks();
        let names: Vec<String> = self.word().split(',').map(ToOwned::to_owned).collect();
        self.blanks();
        self.keyword("in")?;
        let of = self.expression()?;
        self.blanks();
        self.keyword("do")?;
        self.expect('{')?;
        let body = self.script()?;
        self.expect('}')?;
        Ok(Action::ForEach { names, of, body })
    }

    fn keyword(&mut self, word: &str) -> Result<(), SyntaxError> {
        if self.word() == word { self.expect('=') } else { Err(self.syntax_error()) }
    }

    /// Reads a path and its command, with slashes or blanks between the words.
    fn menu_command(&mut self) -> Result<Action, SyntaxError> {
        let mut segments: Vec<String> = Vec::new();
        loop {
            self.blanks();
            self.take('/');
            self.blanks();
            let at = self.at;
            let word = self.word();
            if word.is_empty() {
                return Err(Self::error_at("expected command name", at));
            }
            let here = find_place(&segments).ok().filter(|(_, rest)| rest.is_empty());
            if let (Some((place, _)), Some(verb)) = (here, Verb::of(word)) {
                return self.command(place, verb);
            }
            segments.push(word.to_owned());
            match find_place(&segments) {
                Ok((place @ Place::Ping, [])) => {
                    return self.command(place, Verb::Ping);
                }
                Ok((_, [])) => {}
                // A path that goes on, as against one that does not exist.
                Err(refusal) if refusal.words() == "no such command" => {}
                Ok(_) | Err(_) => return Err(Self::bad_command(word, at)),
            }
        }
    }

    fn command(&mut self, place: Place, verb: Verb) -> Result<Action, SyntaxError> {
        let around = self.here.replace(place);
        let words = self.words(place, verb)?;
        self.here = around;
        Ok(Action::Menu { place, verb, words })
    }

    fn words(&mut self, place: Place, verb: Verb) -> Result<Words, SyntaxError> {
        let mut words = Words::default();
        loop {
            self.blanks();
            match self.peek() {
                None | Some(';' | ']' | '}') => return Ok(words),
                Some('[' | '$' | '"' | '(') => {
                    words.unnamed.push(self.expression()?);
                    continue;
                }
                Some('!') if verb == Verb::Find => {
                    words.conditions = self.conditions()?;
                    continue;
                }
                Some(_) => {}
            }
            let at = self.at;
            let word = self.word();
            if word.is_empty() {
                return Err(self.syntax_error());
            }
            if word == "where" && matches!(verb, Verb::Print | Verb::Find) {
                words.conditions = self.conditions()?;
            } else if self.peek() == Some('=') {
                if verb == Verb::Find {
                    self.at = at;
                    words.conditions = self.conditions()?;
                    continue;
                }
                self.take('=');
                let value = self.expression()?;
                match (word, verb) {
                    ("numbers", Verb::Set | Verb::Enable | Verb::Disable | Verb::Remove) => {
                        words.unnamed.push(value);
                    }
                    _ if takes(place, verb, word) => words.named.push((word.to_owned(), value)),
                    _ => return Err(self.bad_parameter(word, at)),
                }
            } else if matches!(verb, Verb::Print | Verb::Ping) {
                if !FLAGS.contains(&word) {
                    return Err(self.bad_parameter(word, at));
                }
                words.flags.push(word.to_owned());
            } else {
                words.unnamed.push(Expression::Text(word.to_owned()));
            }
        }
    }

    fn conditions(&mut self) -> Result<Vec<Condition>, SyntaxError> {
        let mut conditions = Vec::new();
        loop {
            self.blanks();
            if matches!(self.peek(), None | Some(';' | ']' | '}')) {
                return Ok(conditions);
            }
            let is_not = self.take('!');
            let property = self.word().to_owned();
            let differs = self.text.get(self.at..).is_some_and(|rest| rest.starts_with("!="));
            if differs {
                self.at += 1;
            }
            let value = if self.take('=') { Some(self.expression()?) } else { None };
            match (&*property, &value) {
                ("", _) => return Err(self.syntax_error()),
                ("and", None) => {}
                _ => conditions.push(Condition { property, value, negated: is_not != differs }),
            }
        }
    }

    /// Reads a value: quoted, in brackets, of a variable, or up to the next blank.
    fn expression(&mut self) -> Result<Expression, SyntaxError> {
        self.blanks();
        match self.peek() {
            Some('"') => self.quoted(),
            Some('$') => {
                self.at += 1;
                Ok(Expression::Variable(self.word().to_owned()))
            }
            Some('[') => {
                self.at += 1;
                self.blanks();
                let action = self.action()?;
                self.blanks();
                self.expect(']')?;
                Ok(Expression::Of(Box::new(action)))
            }
            Some('(') => self.joined(),
            _ => {
                let start = self.at;
                // A plain value may have slashes and equal signs in it: `10M/20M`.
                while !self.word().is_empty() || self.take('/') || self.take('=') {}
                let word = self.text.get(start..self.at).unwrap_or_default();
                Ok(Expression::Text(word.to_owned()))
            }
        }
    }

    fn joined(&mut self) -> Result<Expression, SyntaxError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.syntax_error());
        }
        self.expect('(')?;
        let mut parts = vec![self.expression()?];
        loop {
            self.blanks();
            if self.take(')') {
                self.depth -= 1;
                return Ok(Expression::Join(parts));
            }
            if self.word() != "." {
                return Err(self.syntax_error());
            }
            parts.push(self.expression()?);
        }
    }

    fn quoted(&mut self) -> Result<Expression, SyntaxError> {
        self.expect('"')?;
        let mut parts = vec![Expression::Text(String::new())];
        while let Some(sign) = self.peek() {
            self.at += sign.len_utf8();
            let plain = match sign {
                '"' => {
                    return Ok(match (parts.pop(), parts.is_empty()) {
                        (Some(only), true) => only,
                        (last, _) => Expression::Join(parts.into_iter().chain(last).collect()),
                    });
                }
                '\\' => self.escape()?,
                '$' => {
                    let name = self.variable_name();
                    parts.push(Expression::Variable(name));
                    continue;
                }
                plain => plain,
            };
            match parts.last_mut() {
                Some(Expression::Text(text)) => text.push(plain),
                _ => parts.push(Expression::Text(plain.to_string())),
            }
        }
        Err(self.syntax_error())
    }

    fn variable_name(&mut self) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default().to_owned()
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let Some(sign) = self.peek() else { return Err(self.syntax_error()) };
        let code = self.text.get(self.at..self.at + 2).filter(|_| sign.is_ascii_hexdigit());
        if let Some(code) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            self.at += 2;
            return Ok(char::from(code));
        }
        self.at += sign.len_utf8();
        match sign {
            '"' | '\\' | '$' | '?' => Ok(sign),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            '_' => Ok(' '),
            _ => Err(self.syntax_error()),
        }
    }
}

/// Returns whether the command takes a value named `name`.
fn takes(place: Place, verb: Verb, name: &str) -> bool {
    match (verb, place) {
        (Verb::Print, _) => name == "proplist",
        (Verb::Ping, _) => OF_PING.contains(&name),
        (Verb::Set, Place::Menu(menu)) => menu.property(name).is_ok(),
        (Verb::Set, Place::Single(Single::Identity)) => name == "name",
        _ => false,
    }
}
