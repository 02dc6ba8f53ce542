//! Which rows are wanted, and which of their properties: filters, queries and property lists.

use super::{menus::Values, request::ApiError};

/// Which rows are wanted, and which of their properties.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// Conditions and operators in postfix order; every row satisfies none at all.
    pub(super) words: Vec<String>,
    /// The properties that are shown, the identifier only if it is among them; or all of them.
    pub(super) properties: Option<Vec<String>>,
}

impl Query {
    /// Reads the query of a URL: exact values of properties, and a list of those that are wanted.
    pub(super) fn of_url(query: Vec<(String, String)>) -> Self {
        let mut read = Self::default();
        for (name, value) in query {
            if name == ".proplist" {
                read.properties = Some(value.split(',').map(ToOwned::to_owned).collect());
            } else {
                read.words.push(format!("={name}={value}"));
            }
        }
        read
    }

    pub(super) fn project(&self, mut row: Values) -> Values {
        if let Some(properties) = &self.properties {
            row.retain(|name, _| properties.iter().any(|listed| listed == name));
        }
        row
    }

    /// Returns whether `row` satisfies everything that remains when the words have been evaluated.
    /// Refuses unknown operators and those without operands.
    pub(super) fn is_satisfied(&self, row: &Values) -> Result<bool, ApiError> {
        let mut stack = Vec::new();
        for word in &self.words {
            match word.strip_prefix('#') {
                Some(signs) => signs.chars().try_for_each(|sign| operate(&mut stack, sign))?,
                None => stack.push(condition(row, word)),
            }
        }
        Ok(stack.into_iter().all(|holds| holds))
    }
}

fn operate(stack: &mut Vec<bool>, sign: char) -> Result<(), ApiError> {
    let incomplete = || ApiError::bad("invalid query");
    let last = stack.pop().ok_or_else(incomplete)?;
    let result = match sign {
        '!' => !last,
        // Both operands have to go, whatever the first of them is.
        '&' => stack.pop().ok_or_else(incomplete)? & last,
        '|' => stack.pop().ok_or_else(incomplete)? | last,
        _ => return Err(incomplete()),
    };
    stack.push(result);
    Ok(())
}

fn condition(row: &Values, word: &str) -> bool {
    if let Some(name) = word.strip_prefix('-') {
        return !row.contains_key(name);
    }
    for (sign, wanted) in [('<', std::cmp::Ordering::Less), ('>', std::cmp::Ordering::Greater)] {
        if let Some((name, value)) = word.strip_prefix(sign).and_then(|rest| rest.split_once('=')) {
            let numbers = row.get(name).and_then(|v| v.parse().ok()).zip(value.parse().ok());
            return numbers.is_some_and(|(left, right): (i64, i64)| left.cmp(&right) == wanted);
        }
    }
    match word.strip_prefix('=').unwrap_or(word).split_once('=') {
        Some((name, value)) => row.get(name).is_some_and(|shown| shown == value),
        None => row.contains_key(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_in_postfix_order() {
        let row = Values::from([
            ("name", "wan1".to_owned()),
            ("max-limit", "5000".to_owned()),
            ("comment", "ADAPTIVE: a b".to_owned()),
        ]);
        let satisfied = |words: &[&str]| {
            let words = words.iter().map(ToString::to_string).collect();
            Query { words, properties: None }.is_satisfied(&row)
        };
        for (words, found) in [
            (&["name=wan1"] as &[&str], true),
            (&["=name=wan1"], true),
            (&["name=wan2"], false),
            (&["comment=ADAPTIVE: a b"], true),
            (&["name=wan1", "max-limit=1"], false),
            (&["name=wan1", "max-limit=1", "#|"], true),
            (&["name=wan1", "#!"], false),
            (&["name=x", "name=y", "#|!"], true),
            (&["name=wan1", "comment", "#&"], true),
            (&[">max-limit=999"], true),
            (&["<max-limit=999"], false),
            (&["-disabled"], true),
            (&["disabled"], false),
            (&[], true),
        ] {
            assert_eq!(satisfied(words), Ok(found), "{words:?}");
        }
        assert!(satisfied(&["#|"]).is_err());
        assert!(satisfied(&["name", "#|"]).is_err());
    }
}
