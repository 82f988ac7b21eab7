//! The router and the document say the same, and the document is one that a reader of OpenAPI can follow.

use super::*;
use crate::server::api::{routes, table};
use std::collections::{BTreeMap, BTreeSet};

fn paths_of_router() -> BTreeSet<String> {
    // axum has no list of its routes, but shows them to who debugs: `RouteId(3): "/api/workers"`.
    let shown = format!("{:?}", routes());
    let paths = shown.match_indices("RouteId(").filter_map(|(at, _)| {
        let rest = &shown[at..];
        let (_, path) = rest[..rest.len().min(200)].split_once("): \"")?;
        path.split_once('"').map(|(path, _)| path.to_owned()).filter(|path| path.starts_with('/'))
    });
    paths.collect()
}

#[test]
fn every_route_is_in_the_document_and_every_path_of_the_document_is_a_route() {
    let document = document(&table::operations());
    let mut routed = paths_of_router();
    // What answers for all the rest: ours below `/api`, and what axum begins with everywhere else.
    for rest in ["/api/{*path}", "/", "/{*__private__axum_fallback}"] {
        assert!(routed.remove(rest), "{rest}: {routed:?}");
    }
    let documented: BTreeSet<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    assert!(documented.len() > 40, "{documented:?}");
    assert_eq!(routed, documented);
}

#[test]
fn no_operation_is_there_twice() {
    let mut seen = BTreeSet::new();
    for operation in table::operations() {
        assert!(seen.insert((operation.path, operation.method.clone())), "{} twice", operation.path);
    }
}

/// Every `$ref` within `value`.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.insert(reference.clone());
            }
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_referred_to() {
    let document = document(&table::operations());
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(found.contains(&format!("#{COMPONENTS}/{name}")), "nothing refers to {name}");
        let numbered = name.ends_with(|last: char| last.is_ascii_digit());
        assert!(!numbered, "{name}: two types have one name; give one another with #[schemars(rename)]");
    }
}

#[test]
fn what_is_read_and_what_is_written_under_one_name_is_the_same() {
    let mut sides = [
        SchemaSettings::draft2020_12().for_serialize().into_generator(),
        SchemaSettings::draft2020_12().for_deserialize().into_generator(),
    ];
    for operation in table::operations() {
        for answer in &operation.answers {
            _ = answer.content.map(|content| (content.schema)(&mut sides[0]));
        }
        for body in &operation.bodies {
            _ = (body.schema)(&mut sides[1]);
        }
        for parameter in &operation.parameters {
            _ = (parameter.schema)(&mut sides[1]);
        }
    }
    let [written, read] = sides.map(|mut side| side.take_definitions(true));
    for (name, schema) in &read {
        assert!(written.get(name).is_none_or(|other| other == schema), "{name} is two things");
    }
}

/// The schemas in `schema` that are of objects with named fields, with all they refer to.
fn objects<'d>(document: &'d Value, schema: &'d Value, found: &mut Vec<&'d Value>) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    if schema["properties"].is_object() {
        found.push(schema);
    }
    for value in schema.as_object().into_iter().flat_map(|fields| fields.values()) {
        match value {
            Value::Object(fields) => {
                objects(document, value, found);
                fields.values().for_each(|field| objects(document, field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| objects(document, item, found)),
            _ => {}
        }
    }
}

#[test]
fn bodies_say_that_they_have_no_other_fields() {
    let document = document(&table::operations());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            for content in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                let mut found = Vec::new();
                objects(&document, &content.1["schema"], &mut found);
                assert!(!found.is_empty(), "{path}");
                for schema in found {
                    assert_eq!(schema["additionalProperties"], false, "{path}: {schema}");
                }
            }
        }
    }
}

#[test]
fn operations_have_names_of_their_own_and_an_answer() {
    let document = document(&table::operations());
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            let place = format!("{method} {path}");
            assert_eq!(names.insert(name, place.clone()), None, "{place}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status < &"400".to_owned()), "{place}");
            let limited = limit::is_limited(path) && method == "get";
            assert!(!limited || responses.contains_key("429"), "{place}");
            for (status, response) in responses {
                assert!(
                    response["$ref"].is_string() || response["description"].is_string(),
                    "{place} {status}"
                );
            }
        }
    }
}

#[test]
fn the_roles_in_the_document_are_those_of_the_guard() {
    let document = document(&table::operations());
    let role = |path: &str, method: &str| document["paths"][path][method]["x-muster-role"].clone();
    assert_eq!(role("/api/hosts", "post"), "admin");
    assert_eq!(role("/api/workers", "post"), "operator");
    assert_eq!(role("/api/hosts/{id}", "get"), "viewer");
    assert_eq!(role("/api/nets/{id}", "get"), Value::Null, "whoever sees its project");
    assert_eq!(role("/healthz", "get"), Value::Null);
    assert_eq!(document["paths"]["/healthz"]["get"]["security"], json!([]));
}

#[test]
fn an_answer_of_several_media_types_has_them_all() {
    let document = document(&table::operations());
    let content = &document["paths"]["/api/events/export"]["get"]["responses"]["200"]["content"];
    let media: Vec<&String> = content.as_object().unwrap().keys().collect();
    assert_eq!(media, ["application/jsonl", "text/csv"]);
}
