//! Which rows, and what of them: filters, queries and property lists.

use super::{errors::Refusal, schema::Values};

/// Keeps the listed properties; without a list, everything. The identifier is no exception.
pub(super) fn project(mut row: Values, properties: Option<&[String]>) -> Values {
    if let Some(properties) = properties {
        row.retain(|name, _| properties.iter().any(|listed| listed == name));
    }
    row
}

/// Tells whether `row` satisfies the query `words`: conditions and operators in postfix order,
/// where whatever is left at the end must all be true.
///
/// # Errors
/// Refuses operators without operands, and unknown ones.
pub(super) fn satisfies(row: &Values, words: &[String]) -> Result<bool, Refusal> {
    let mut stack = Vec::new();
    for word in words {
        match word.strip_prefix('#') {
            Some(operators) => operators.chars().try_for_each(|sign| operate(&mut stack, sign))?,
            None => stack.push(condition(row, word)),
        }
    }
    Ok(stack.into_iter().all(|holds| holds))
}

fn operate(stack: &mut Vec<bool>, sign: char) -> Result<(), Refusal> {
    let incomplete = || Refusal::bad("invalid query");
    let last = stack.pop().ok_or_else(incomplete)?;
    let result = match sign {
        '!' => !last,
        // Both operands have to go, whatever the first of them says.
        '&' => stack.pop().ok_or_else(incomplete)? & last,
        '|' => stack.pop().ok_or_else(incomplete)? | last,
        _ => return Err(incomplete()),
    };
    stack.push(result);
    Ok(())
}

fn condition(row: &Values, word: &str) -> bool {
    let split = |text: &str| text.split_once('=').map(|(n, v)| (n.to_owned(), v.to_owned()));
    if let Some(name) = word.strip_prefix('-') {
        return !row.contains_key(name);
    }
    for (sign, wanted) in [('<', std::cmp::Ordering::Less), ('>', std::cmp::Ordering::Greater)] {
        if let Some((name, value)) = word.strip_prefix(sign).and_then(split) {
            let numbers =
                row.get(name.as_str()).and_then(|v| v.parse().ok()).zip(value.parse().ok());
            return numbers.is_some_and(|(left, right): (i64, i64)| left.cmp(&right) == wanted);
        }
    }
    match split(word.strip_prefix('=').unwrap_or(word)) {
        Some((name, value)) => row.get(name.as_str()) == Some(&value),
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
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            assert_eq!(satisfies(&row, &words), Ok(found), "{words:?}");
        }
        assert!(satisfies(&row, &["#|".to_owned()]).is_err());
        assert!(satisfies(&row, &["name".to_owned(), "#|".to_owned()]).is_err());
    }
}
