//! What is wrong with a value, in plain words: serde tells it in those of our source (`invalid type: string "x", expected u64`).

use std::fmt::Display;

/// An error of serde as an operator reads it. What is not known here is told as serde tells it.
pub fn plain(error: &impl Display) -> String {
    let said = error.to_string();
    // What serde_json adds of the place stays behind.
    let (said, place) = match said.rfind(" at line ") {
        Some(at) => (said[..at].to_owned(), said[at..].to_owned()),
        None => (said, String::new()),
    };
    reworded(&said).unwrap_or(said) + &place
}

fn reworded(said: &str) -> Option<String> {
    if let Some(wrong) = said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "))
    {
        // Text that was given may say anything; what was expected never says this.
        let (given, expected) = wrong.rsplit_once(", expected ")?;
        return Some(format!("{} is given where {} is wanted", given_as(given), wanted(expected)));
    }
    if let Some(field) = said.strip_prefix("missing field ") {
        return Some(format!("the field {} is missing", quoted(field)));
    }
    let rest = said.strip_prefix("unknown variant ")?;
    let (given, expected) = rest.rsplit_once(", expected ")?;
    let words = expected.trim_start_matches("one of ").replace('`', "");
    Some(format!("{} is given where one of these is wanted: {}", quoted(given), words.replace(" or ", ", ")))
}

/// `` `x` `` as `"x"`.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.trim_matches('`'))
}

fn given_as(given: &str) -> String {
    match given.split_once(' ') {
        Some(("integer" | "boolean", value)) => value.trim_matches('`').to_owned(),
        Some(("string", text)) => text.to_owned(),
        Some(("floating", value)) => value.trim_start_matches("point ").trim_matches('`').to_owned(),
        _ => match given {
            "sequence" => "a list".to_owned(),
            "map" => "an object".to_owned(),
            "unit value" | "null" => "nothing".to_owned(),
            other => other.to_owned(),
        },
    }
}

fn wanted(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative and not too large",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "string" | "str" => "text",
        "a boolean" | "bool" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        other if other.starts_with("struct ") => "an object",
        other if other.contains("enum") => "one of its words, or an object with one of them",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        First,
        Second,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Plan {
        runs: u64,
        share: f64,
        kind: Kind,
    }

    fn told(plan: Value) -> String {
        plain(&Plan::deserialize(plan).expect_err("it is wrong"))
    }

    #[test]
    fn an_operator_reads_no_word_of_our_source() {
        let number = "is given where a whole number that is not negative and not too large is wanted";
        let runs = |runs: Value| told(json!({"runs": runs, "share": 0.5, "kind": "first"}));
        assert_eq!(runs(json!("x, expected u64")), format!("\"x, expected u64\" {number}"));
        assert_eq!(runs(json!(-1)), format!("-1 {number}"));
        assert_eq!(runs(json!(1.5)), format!("1.5 {number}"));
        assert_eq!(runs(json!([])), format!("a list {number}"));
        assert_eq!(runs(Value::Null), format!("nothing {number}"));
        assert_eq!(told(json!({"runs": 1, "kind": "first"})), "the field \"share\" is missing");
        assert_eq!(
            told(json!({"runs": 1, "share": true, "kind": "first"})),
            "true is given where a number is wanted"
        );
        assert_eq!(
            told(json!({"runs": 1, "share": 1, "kind": "third"})),
            "\"third\" is given where one of these is wanted: first, second"
        );
        assert_eq!(told(json!("x")), "\"x\" is given where an object is wanted");
        let text = serde_json::from_str::<Plan>("{\"runs\": \"x\"}").expect_err("it is wrong");
        assert_eq!(plain(&text), format!("\"x\" {number} at line 1 column 12"));
    }
}
