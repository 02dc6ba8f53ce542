//! As much of JSON Schema (2020-12) as our schemas use. A keyword that it does not know is a
//! failure: it would otherwise be a rule that nobody checks.

use serde_json::Value;

/// Returns everything in which `value` breaks `schema`, each with its place.
pub(crate) fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let mut say = |what: String| found.push(format!("{at}: {what}"));
    let rules = schema.as_object().expect("a schema is an object");
    let mut deeper: Vec<(&Value, &Value, String)> = Vec::new();
    for (rule, wanted) in rules {
        match rule.as_str() {
            "$schema" | "$defs" | "title" | "description" => {}
            // Read together with `properties`.
            "additionalProperties" => assert_eq!(wanted, false, "{at}"),
            "$ref" => {
                let pointer = wanted.as_str().and_then(|name| name.strip_prefix('#')).unwrap();
                let target = root.pointer(pointer).expect("a reference leads somewhere");
                deeper.push((target, value, at.to_owned()));
            }
            "const" if value != wanted => say(format!("{value} is not {wanted}")),
            "enum" if !wanted.as_array().unwrap().contains(value) => {
                say(format!("{value} is none of {wanted}"));
            }
            "type" if !has_type(wanted, value) => say(format!("{value} is no {wanted}")),
            "minimum" if value.as_f64() < wanted.as_f64() && value.is_number() => {
                say(format!("{value} is below {wanted}"));
            }
            "required" => {
                for name in wanted.as_array().unwrap().iter().filter_map(Value::as_str) {
                    if value.is_object() && value.get(name).is_none() {
                        say(format!("`{name}` is missing"));
                    }
                }
            }
            "properties" => {
                let closed = rules.get("additionalProperties").is_some();
                for (name, inner) in value.as_object().into_iter().flatten() {
                    match wanted.get(name) {
                        Some(schema) => deeper.push((schema, inner, format!("{at}/{name}"))),
                        None if closed => say(format!("`{name}` is not in the schema")),
                        None => {}
                    }
                }
            }
            "items" => {
                for (place, inner) in value.as_array().into_iter().flatten().enumerate() {
                    deeper.push((wanted, inner, format!("{at}/{place}")));
                }
            }
            "const" | "enum" | "type" | "minimum" => {}
            unknown => panic!("{at}: the keyword `{unknown}` is not understood here"),
        }
    }
    for (schema, value, at) in deeper {
        check(root, schema, value, &at, found);
    }
}

fn has_type(wanted: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("the type `{unknown}` is not understood here"),
    };
    wanted.as_array().map_or_else(|| is(wanted), |names| names.iter().any(is))
}
