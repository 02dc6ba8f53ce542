//! Reads the values in a command line.

use super::{super::script::Expression, Complaint, DEPTH, Parser};

impl Parser<'_> {
    /// Reads a value: quoted, in brackets, of a variable, or up to the next blank.
    pub(super) fn expression(&mut self) -> Result<Expression, Complaint> {
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

    fn joined(&mut self) -> Result<Expression, Complaint> {
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

    fn quoted(&mut self) -> Result<Expression, Complaint> {
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

    fn escape(&mut self) -> Result<char, Complaint> {
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
