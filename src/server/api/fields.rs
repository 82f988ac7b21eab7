//! A JSON body, read field by field, so that what is wrong with one is said of it: its name, its bounds, and what was given.
//!
//! Every body is read as the type that the document describes it with. A field that is not among that type's is refused: a name that was
//! mistyped would otherwise count as one that was left out, which often means "all of them".

use super::plain::plain;
use crate::{app::error::ApiError, model::action::whole_number_wanted};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, ops::RangeInclusive, str::FromStr};

pub struct Fields(Map<String, Value>);

/// As much of a wrong value as helps.
const SHOWN: usize = 40;

impl Fields {
    /// A body that must be a JSON object with fields of `T`. An empty one reads as `{}`.
    pub fn read<T: JsonSchema>(body: &[u8]) -> Result<Fields, ApiError> {
        if body.is_empty() {
            return Ok(Fields(Map::new()));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Fields(fields).known::<T>(""),
            Ok(other) => Err(bad(format!("The body must be a JSON object; it is {}.", shown(&other)))),
            Err(error) => Err(bad(format!("The body is not JSON: {}.", plain(&error)))),
        }
    }

    /// Refuses what is not a field of `T`; `place` is where these fields are: `within`, or nothing for the body itself.
    fn known<T: JsonSchema>(self, place: &str) -> Result<Fields, ApiError> {
        let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
        let schema = T::json_schema(&mut generator);
        let known = schema.get("properties").and_then(Value::as_object);
        let known: Vec<String> = known.into_iter().flat_map(Map::keys).cloned().collect();
        match self.0.keys().find(|name| !known.contains(name)) {
            Some(name) => Err(unknown(name, place, &known)),
            None => Ok(self),
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn required(&self, name: &str) -> Result<&Value, ApiError> {
        self.get(name).ok_or_else(|| bad(format!("The body has no field {name:?}.")))
    }

    pub fn text(&self, name: &str) -> Result<String, ApiError> {
        match self.required(name)? {
            Value::String(text) => Ok(text.clone()),
            other => Err(bad(format!("{name} must be text; it is {}.", shown(other)))),
        }
    }

    /// Text that may be left out.
    pub fn text_or_empty(&self, name: &str) -> Result<String, ApiError> {
        self.get(name).map_or(Ok(String::new()), |_| self.text(name))
    }

    /// The same, where left out and empty are different things.
    pub fn optional_text(&self, name: &str) -> Result<Option<String>, ApiError> {
        self.get(name).map(|_| self.text(name)).transpose()
    }

    pub fn id<T: FromStr>(&self, name: &str, what: &str) -> Result<T, ApiError> {
        let given = self.required(name)?;
        let id = given.as_str().and_then(|text| text.parse().ok());
        id.ok_or_else(|| bad(format!("{name} must be the id of a {what}; it is {}.", shown(given))))
    }

    /// A list of ids, which may be empty.
    pub fn ids<T: FromStr>(&self, name: &str, what: &str) -> Result<Vec<T>, ApiError> {
        let Value::Array(given) = self.required(name)? else {
            return Err(bad(format!("{name} must be a list; it is {}.", shown(self.required(name)?))));
        };
        let id = |given: &Value| {
            let id = given.as_str().and_then(|text| text.parse().ok());
            id.ok_or_else(|| bad(format!("{name} must hold ids of {what}s; one is {}.", shown(given))))
        };
        given.iter().map(id).collect()
    }

    /// A list of whole numbers, which may be empty; `what` says what they are.
    pub fn whole_numbers(&self, name: &str, what: &str) -> Result<Vec<u64>, ApiError> {
        let given = self.required(name)?;
        let Value::Array(entries) = given else {
            return Err(bad(format!("{name} must be a list; it is {}.", shown(given))));
        };
        let number = |entry: &Value| {
            // What a database counts with.
            let number = entry.as_u64().filter(|number| i64::try_from(*number).is_ok());
            number.ok_or_else(|| bad(format!("{name} must hold {what}; one is {}.", shown(entry))))
        };
        entries.iter().map(number).collect()
    }

    pub fn whole_number(&self, name: &str, bounds: &RangeInclusive<u64>) -> Result<u64, ApiError> {
        let given = self.required(name)?;
        let number = whole(given).filter(|number| bounds.contains(number));
        number.ok_or_else(|| bad(whole_number_wanted(name, bounds, &shown(given))))
    }

    /// A list, each entry read by `read` from its text; `what` names one in the singular: `the id of a host`.
    pub fn list<T>(
        &self,
        name: &str,
        what: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, ApiError> {
        let given = self.required(name)?;
        let Value::Array(entries) = given else {
            return Err(bad(format!("{name} must be a list; it is {}.", shown(given))));
        };
        let one = |entry: &Value| {
            let value = entry.as_str().and_then(&read);
            value.ok_or_else(|| bad(format!("Each of {name} must be {what}; one is {}.", shown(entry))))
        };
        entries.iter().map(one).collect()
    }

    /// The same, where it may be left out.
    pub fn optional_list<T>(
        &self,
        name: &str,
        what: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<Vec<T>>, ApiError> {
        self.get(name).map(|_| self.list(name, what, read)).transpose()
    }

    /// A whole number, or `default` where it is left out.
    pub fn whole_number_or(
        &self,
        name: &str,
        bounds: &RangeInclusive<u64>,
        default: u64,
    ) -> Result<u64, ApiError> {
        self.get(name).map_or(Ok(default), |_| self.whole_number(name, bounds))
    }

    /// `true` or `false`, where it is not left out.
    pub fn optional_flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        let flag = |given: &Value| {
            given
                .as_bool()
                .ok_or_else(|| bad(format!("{name} must be true or false; it is {}.", shown(given))))
        };
        self.get(name).map(flag).transpose()
    }

    /// A field that is read whole, or the default where it is left out.
    pub fn whole<T: DeserializeOwned + Default + JsonSchema>(&self, name: &str) -> Result<T, ApiError> {
        self.get(name).map_or_else(|| Ok(T::default()), |given| object(given, name))
    }

    /// The same, of a field that must be there.
    pub fn needed<T: DeserializeOwned>(&self, name: &str) -> Result<T, ApiError> {
        let given = self.required(name)?;
        T::deserialize(given).map_err(|error| {
            let field = culprit::<T>(given, &error.to_string())
                .map_or(name.to_owned(), |key| format!("{name}.{key}"));
            bad(format!("{field} is not usable: {}.", plain(&error)))
        })
    }

    /// A list of objects that are read whole; empty where it is left out.
    pub fn objects<T: DeserializeOwned + JsonSchema>(&self, name: &str) -> Result<Vec<T>, ApiError> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(entries)) => entries.iter().map(|entry| object(entry, name)).collect(),
            Some(other) => Err(bad(format!("{name} must be a list; it is {}.", shown(other)))),
        }
    }

    /// Fields of `T` within a field, where it is not left out.
    pub fn within<T: JsonSchema>(&self, name: &str) -> Result<Option<Fields>, ApiError> {
        self.any_within(name)?.map(|fields| fields.known::<T>(name)).transpose()
    }

    fn any_within(&self, name: &str) -> Result<Option<Fields>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Fields(fields.clone()))),
            Some(other) => Err(bad(format!("{name} must be an object; it is {}.", shown(other)))),
        }
    }

    /// One of these words.
    pub fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<T, ApiError> {
        let given = self.required(name)?;
        let known = words.iter().find(|(word, _)| given.as_str() == Some(word));
        known.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            bad(format!("{name} must be {}; it is {}.", words.join(" or "), shown(given)))
        })
    }
}

/// Fields that may be left out, and say something else when they are `null`.
impl Fields {
    /// Whether it is there and `null`.
    pub fn is_null(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_null)
    }

    /// One of these words: `None` where it is left out, `Some(None)` for `null`.
    pub fn optional_word<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
    ) -> Result<Option<Option<T>>, ApiError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(_) => self.word(name, words).map(|value| Some(Some(value))),
        }
    }

    pub fn optional_whole_number(
        &self,
        name: &str,
        bounds: &RangeInclusive<u64>,
    ) -> Result<Option<u64>, ApiError> {
        self.get(name).map(|_| self.whole_number(name, bounds)).transpose()
    }

    /// An object of ids with one of these words each; empty where it is left out.
    pub fn words_by_id<I: FromStr + Ord, T: Copy>(
        &self,
        name: &str,
        what: &str,
        words: &[(&str, T)],
    ) -> Result<BTreeMap<I, T>, ApiError> {
        let Some(fields) = self.any_within(name)? else { return Ok(BTreeMap::new()) };
        let one = |text: &String| {
            let id = text.parse();
            let id = id.map_err(|_| {
                bad(format!(
                    "{name} must be by the ids of {what}s; one is {}.",
                    shown(&Value::from(text.as_str()))
                ))
            })?;
            Ok((id, fields.word(text, words)?))
        };
        fields.0.keys().map(one).collect()
    }
}

/// The field of an object by which it is not a `T`: alone with `kind`, which says what other fields there are, it is wrong in the same way,
/// and without it the object is not.
fn culprit<'a, T: DeserializeOwned>(given: &'a Value, wrong: &str) -> Option<&'a str> {
    let fields = given.as_object()?;
    let still_wrong = |keep: &dyn Fn(&str) -> bool| {
        let kept: serde_json::Map<String, Value> = fields
            .iter()
            .filter(|(name, _)| keep(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        T::deserialize(&Value::Object(kept)).err().is_some_and(|error| error.to_string() == wrong)
    };
    let names = fields.keys().map(String::as_str).filter(|name| *name != "kind");
    names.into_iter().find(|name| {
        still_wrong(&|other| other == *name || other == "kind") && !still_wrong(&|other| other != *name)
    })
}

/// JSON does not tell 2 from 2.0, and some writers only have the latter. Beyond 2⁵³ the latter is not exact any more.
fn whole(given: &Value) -> Option<u64> {
    let exact = |number: &f64| number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(number);
    given.as_u64().or_else(|| given.as_f64().filter(exact).map(|number| number as u64))
}

/// An object of fields of `T`.
fn object<T: DeserializeOwned + JsonSchema>(given: &Value, name: &str) -> Result<T, ApiError> {
    let Value::Object(fields) = given else {
        return Err(bad(format!("{name} must be an object, or hold objects; it is {}.", shown(given))));
    };
    Fields(fields.clone()).known::<T>(name)?;
    T::deserialize(given).map_err(|error| bad(format!("{name} is not usable: {}.", plain(&error))))
}

/// A list of objects that are read whole, as a field of a larger type.
pub fn strictly<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + JsonSchema,
{
    let entries = Vec::<Value>::deserialize(deserializer)?;
    let read: Result<Vec<T>, ApiError> = entries.iter().map(|entry| object(entry, "a rule")).collect();
    read.map_err(|error| D::Error::custom(error.to_string().trim_end_matches('.')))
}

/// The refusal of a field that there is not, which names those that there are.
pub fn unknown(name: &str, place: &str, known: &[String]) -> ApiError {
    let place = if place.is_empty() { String::new() } else { format!(" in {place}") };
    let there = match known {
        [] => "There is none.".to_owned(),
        [one] => format!("There is only {one}."),
        more => format!("There are {}.", more.join(", ")),
    };
    bad(format!("There is no field {}{place}. {there}", shown(&Value::from(name))))
}

fn bad(detail: String) -> ApiError {
    ApiError::BadRequest { detail }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::Array(_) => return "a list".to_owned(),
        Value::Object(_) => return "an object".to_owned(),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Mute, action::CPUS},
        server::api::openapi::bodies,
    };

    #[derive(JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Size {
        cpus: u16,
        disk: Option<u16>,
    }

    fn said<T>(result: Result<T, ApiError>) -> String {
        result.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_wrong_number_is_named_with_its_bounds() {
        let cpus = |given: &str| {
            let body = format!("{{\"cpus\":{given}}}");
            said(Fields::read::<Size>(body.as_bytes()).unwrap().whole_number("cpus", &CPUS))
        };
        assert_eq!(cpus("256"), "");
        assert_eq!(cpus("2.0"), "", "the same number in JSON");
        for given in ["-1", "0", "257", "1.5", "1e3", "\"2\"", "true", "99999999999999999999"] {
            let said = cpus(given);
            assert!(said.starts_with("cpus must be a whole number from 1 to 256; it is "), "{given}: {said}");
        }
        assert!(cpus("-1").ends_with("it is -1."));
        assert_eq!(cpus("[1]"), "cpus must be a whole number from 1 to 256; it is a list.");
        assert_eq!(cpus("null"), "The body has no field \"cpus\".");
    }

    #[test]
    fn what_is_no_object_is_said_so() {
        assert!(Fields::read::<Size>(b"").is_ok());
        assert_eq!(said(Fields::read::<Size>(b"[1]")), "The body must be a JSON object; it is a list.");
        assert!(said(Fields::read::<Size>(b"{")).starts_with("The body is not JSON: "));
    }

    #[test]
    fn a_field_that_there_is_not_is_refused_with_those_that_there_are() {
        let read = |body: &str| said(Fields::read::<Size>(body.as_bytes()));
        assert_eq!(read("{\"disk\":1}"), "");
        assert_eq!(read("{\"cpu\":1}"), "There is no field \"cpu\". There are cpus, disk.");
        let body = Fields::read::<bodies::NewToken>(b"{\"roles\":{\"flet\":\"viewer\"}}");
        let roles = body.unwrap().within::<bodies::NewRoles>("roles");
        assert_eq!(said(roles), "There is no field \"flet\" in roles. There are fleet, projects.");
    }

    #[test]
    fn a_mistyped_condition_of_a_mute_does_not_mute_everything() {
        let body = "{\"mutes\":[{\"type\":\"worker.*\",\"worker\":\"w\"}]}";
        let body = Fields::read::<bodies::NewEventRules>(body.as_bytes()).unwrap();
        let said = said(body.objects::<Mute>("mutes"));
        assert!(said.starts_with("There is no field \"worker\" in mutes. There are "), "{said}");
        assert!(said.contains("worker_id") && said.contains("until"), "{said}");
    }
}
