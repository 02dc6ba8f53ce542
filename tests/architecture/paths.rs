//! Finds the paths that a source file names: just enough of Rust to see through comments, texts,
//! groups of imports, nested modules and `super`.

/// A path as it is meant: `super` is resolved, a group is spread out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// `crate` and what follows, or another crate and what follows.
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    /// Whether it stands in code that only tests see.
    pub(crate) in_test: bool,
    /// The token that follows, such as `(` or `!` of a call.
    pub(crate) then: String,
}

/// What a file says.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub(crate) named: Vec<Named>,
    /// Modules that are declared for tests only, to be found in files of their own.
    pub(crate) test_modules: Vec<String>,
}

/// Reads the source of the module with the path `module`, `[]` for the crate itself.
pub(crate) fn outline(source: &str, module: &[String]) -> Outline {
    let tokens = tokens(source);
    let mut reader = Reader { tokens: &tokens, at: 0, scopes: Vec::new(), out: Outline::default() };
    reader.read(module);
    reader.out
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

#[derive(Debug, Clone)]
struct Scope {
    module: Option<String>,
    in_test: bool,
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    /// The braces that are open.
    scopes: Vec<Scope>,
    out: Outline,
}

impl Reader<'_> {
    fn read(&mut self, module: &[String]) {
        // Whether `#[cfg(test)]` stands before the item that is being read.
        let mut marked = false;
        while self.at < self.tokens.len() {
            let in_test = marked || self.scopes.last().is_some_and(|scope| scope.in_test);
            if self.follow(&["#", "[", "cfg", "(", "test", ")", "]"]) {
                (self.at, marked) = (self.at + 7, true);
                continue;
            }
            match self.text(0) {
                "{" => {
                    let named = self.at >= 2 && self.tokens[self.at - 2].text == "mod";
                    let module = named.then(|| self.tokens[self.at - 1].text.clone());
                    self.scopes.push(Scope { module, in_test });
                    marked = false;
                }
                "}" => drop(self.scopes.pop()),
                ";" => {
                    if marked && self.at >= 2 && self.tokens[self.at - 2].text == "mod" {
                        self.out.test_modules.push(self.tokens[self.at - 1].text.clone());
                    }
                    marked = false;
                }
                word if is_word(word) && !self.is_continued() => {
                    let inline = self.scopes.iter().filter_map(|scope| scope.module.clone());
                    let here: Vec<String> = module.iter().cloned().chain(inline).collect();
                    self.path(Vec::new(), &here, in_test);
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Reads a path or a group of them after `before`, and stops behind it.
    fn path(&mut self, before: Vec<String>, here: &[String], in_test: bool) {
        let mut path = before;
        let line = self.tokens[self.at].line;
        loop {
            match self.text(0) {
                "{" => {
                    self.at += 1;
                    while !matches!(self.text(0), "}" | "") {
                        let start = self.at;
                        self.path(path.clone(), here, in_test);
                        // Commas, and whatever else a group is not made of.
                        self.at += usize::from(self.text(0) == "," || self.at == start);
                    }
                    self.at += 1;
                    return;
                }
                word if is_word(word) || word == "*" => path.push(word.to_owned()),
                _ => break,
            }
            self.at += 1;
            if self.text(0) != "::" {
                break;
            }
            self.at += 1;
        }
        if self.text(0) == "as" {
            self.at += 2;
        }
        let then = self.text(0).to_owned();
        self.out.named.push(Named { path: resolve(&path, here), line, in_test, then });
    }

    fn text(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text.as_str())
    }

    fn follow(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.text(ahead) == *word)
    }

    /// Whether the word here is the middle of a path or a field.
    fn is_continued(&self) -> bool {
        self.at > 0 && matches!(self.tokens[self.at - 1].text.as_str(), "::" | ".")
    }
}

/// Makes a path that begins with `super` or `self` begin with `crate`.
fn resolve(path: &[String], here: &[String]) -> Vec<String> {
    let ups = path.iter().take_while(|word| *word == "super" || *word == "self").count();
    if ups == 0 {
        return path.to_vec();
    }
    let supers = path[..ups].iter().filter(|word| *word == "super").count();
    let start = &here[..here.len().saturating_sub(supers)];
    let root = std::iter::once("crate".to_owned());
    root.chain(start.iter().cloned()).chain(path[ups..].iter().cloned()).collect()
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn tokens(source: &str) -> Vec<Token> {
    let letters: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < letters.len() {
        let end = token_end(&letters, at);
        let text: String = letters[at..end].iter().collect();
        let is_silent = text.starts_with(|c: char| c.is_whitespace() || "\"'/".contains(c))
            || text.starts_with("r\"")
            || text.starts_with("r#\"")
            || text.starts_with("b\"");
        if !is_silent {
            tokens.push(Token { text: text.clone(), line });
        }
        line += text.matches('\n').count();
        at = end;
    }
    tokens
}

/// Returns where the token that begins at `at` ends.
fn token_end(letters: &[char], at: usize) -> usize {
    let rest = &letters[at..];
    let next = rest.get(1).copied().unwrap_or(' ');
    let length = match rest[0] {
        '/' if next == '/' => rest.iter().position(|c| *c == '\n'),
        '/' if next == '*' => find(rest, 2, "*/"),
        '"' => quoted(rest, 1),
        'b' if next == '"' => quoted(rest, 2),
        'r' if next == '"' => find(rest, 2, "\""),
        'r' if next == '#' && rest.get(2) == Some(&'"') => find(rest, 3, "\"#"),
        // A letter or the name of a lifetime.
        '\'' if next == '\\' => rest.iter().skip(3).position(|c| *c == '\'').map(|n| n + 4),
        '\'' if rest.get(2) == Some(&'\'') => Some(3),
        ':' if next == ':' => Some(2),
        c if c.is_alphanumeric() || c == '_' => {
            rest.iter().position(|c| !c.is_alphanumeric() && *c != '_')
        }
        _ => Some(1),
    };
    at + length.unwrap_or(rest.len())
}

/// Returns the length of a text with escapes whose content begins at `start`.
fn quoted(rest: &[char], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        match rest.get(at)? {
            '"' => return Some(at + 1),
            '\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Returns the length up to the end of `mark`, searched from `start`.
fn find(rest: &[char], start: usize, mark: &str) -> Option<usize> {
    let mark: Vec<char> = mark.chars().collect();
    let at = rest.get(start..)?.windows(mark.len()).position(|window| window == mark)?;
    Some(start + at + mark.len())
}
