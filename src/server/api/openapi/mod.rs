//! The API described for programs: OpenAPI 3.1, made from the table of operations and from the very types that are written and read.
//!
//! [`Operation`] is what the table is made of, [`bodies`] are the types that exist only to be described, [`page`] shows the document.

pub mod bodies;
mod operation;
pub mod page;
#[cfg(test)]
mod tests;

pub use operation::{Content, Operation, delete, describe, get, group, patch, post, put};

use crate::{
    app::error::ErrorBody,
    model::Role,
    server::{
        auth::access::{self, Access},
        limit,
    },
};
use axum::http::Method;
use operation::{Answer, EVENTS, JSON, Place};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json, map::Entry};
use std::collections::BTreeSet;

/// Components live there, as OpenAPI wants it.
const COMPONENTS: &str = "/components/schemas";

const ABOUT: &str = "A live operations console for a fleet of workers, the nets on them, and hosts. Times are milliseconds since 1970-01-01T00:00:00Z. \
Ids are UUIDs. Whatever the pages do, a program can do. Every answer that is an error is an `ErrorBody`; `detail` is a sentence for people, `code` a word for programs. \
Objects may gain fields: ignore the ones you do not know.";

/// The document.
pub fn document(operations: &[Operation]) -> Value {
    let settings = |from: SchemaSettings| from.with(|settings| settings.definitions_path = COMPONENTS.into());
    // What is written and what is read are described each by its own rules: a field with a default is always written, and need not be read.
    let mut written = settings(SchemaSettings::draft2020_12().for_serialize()).into_generator();
    let mut read = settings(SchemaSettings::draft2020_12().for_deserialize()).into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let entry = paths.entry(operation.path).or_insert_with(|| json!({}));
        entry[operation.method.as_str().to_lowercase()] =
            describe_operation(operation, &mut written, &mut read);
    }
    let error = written.subschema_for::<ErrorBody>();
    let mut schemas = written.take_definitions(true);
    // The same name from either side is the same thing, or the test of it fails.
    schemas.extend(read.take_definitions(true));
    schemas.values_mut().for_each(for_readers);
    let mut responses = Map::new();
    for (status, says) in ERRORS {
        let mut response = json!({ "description": says, "content": { JSON: { "schema": error } } });
        if matches!(status, 429 | 503) {
            response["headers"] =
                headers_of(&[("Retry-After", "Seconds until it makes sense to try again.")]);
        }
        responses.insert(format!("Error{status}"), response);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Muster",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags(operations),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "muster",
                    "description": "The cookie that `POST /api/session` sets; over https its name is `__Host-muster`.",
                },
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token from `POST /api/tokens`.",
                },
            },
        },
        "security": [{ "session": [] }, { "token": [] }],
    })
}

/// Types are commented for who reads the source: links to other items of it say nothing here.
fn for_readers(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = text.replace("[`", "`").replace("`]", "`");
                while let (Some(from), true) = (text.find("`("), text.contains("::")) {
                    let Some(length) = text[from..].find(')') else { break };
                    text.replace_range(from + 1..=from + length, "");
                }
            }
            fields.values_mut().for_each(for_readers);
        }
        Value::Array(items) => items.iter_mut().for_each(for_readers),
        _ => {}
    }
}

/// Every status of an error, and when it comes.
const ERRORS: [(u16, &str); 13] = [
    (400, "The request cannot be read, or a value is out of bounds."),
    (401, "Not signed in, or the wrong password or token."),
    (403, "The role does not suffice, or the request comes from another site."),
    (404, "There is nothing with this id."),
    (409, "The state forbids it, or the name is taken; `code` says which."),
    (412, "It changed since you looked; `current` is the row as it is now."),
    (413, "The body is too large."),
    (422, "The file is not accepted; `line` and `column` say where."),
    (429, "Too many requests."),
    (500, "A fault in the console; its log has more under the reference."),
    (502, "The machine or GitHub does not answer, or answers nonsense."),
    (503, "The console is shutting down, or cannot answer yet."),
    (504, "It is not known how it ended."),
];

fn tags(operations: &[Operation]) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let first = operations.iter().filter(|operation| seen.insert(operation.tag));
    first.map(|operation| json!({ "name": operation.tag })).collect()
}

/// Who may ask for this: the table of routes and roles has the word.
pub fn access(operation: &Operation) -> Access {
    access::required(&operation.method, &concrete(operation.path))
}

/// A path as it is asked for: something in each place.
fn concrete(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// The names in braces.
fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn describe_operation(
    operation: &Operation,
    written: &mut SchemaGenerator,
    read: &mut SchemaGenerator,
) -> Value {
    let access = access(operation);
    let mut described = json!({
        "operationId": operation_id(operation),
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": parameters(operation, read),
        "responses": responses(operation, access, written),
    });
    let role = match access {
        Access::Public => {
            described["security"] = json!([]);
            None
        }
        // Whoever is signed in sees what their scope holds.
        Access::SignedIn => None,
        Access::Somewhere(role) | Access::Fleet(role) => Some(role),
    };
    described["x-muster-role"] = json!(role.map(Role::as_str));
    described["x-muster-in"] = json!(match access {
        Access::Public | Access::SignedIn => None,
        Access::Somewhere(_) => Some("project"),
        Access::Fleet(_) => Some("fleet"),
    });
    if !operation.description.is_empty() {
        described["description"] = json!(operation.description);
    }
    if !operation.bodies.is_empty() {
        let content = |body: &Content| (body.media.to_owned(), json!({ "schema": (body.schema)(read) }));
        let content: Map<String, Value> = operation.bodies.iter().map(content).collect();
        described["requestBody"] = json!({ "required": true, "content": content });
    }
    described
}

/// `get_workers_id_history`.
fn operation_id(operation: &Operation) -> String {
    let words = operation.path.split(['/', '.', '-']).map(|part| part.trim_matches(['{', '}']));
    let words = words.filter(|word| !word.is_empty() && *word != "api");
    words.fold(operation.method.as_str().to_lowercase(), |id, word| format!("{id}_{word}"))
}

fn parameters(operation: &Operation, read: &mut SchemaGenerator) -> Vec<Value> {
    let declared = |name: &str| {
        operation.parameters.iter().any(|parameter| parameter.place == Place::Path && parameter.name == name)
    };
    let ids = names_in(operation.path).filter(|name| !declared(name)).map(
        |name| json!({ "name": name, "in": "path", "required": true, "schema": describe::<uuid::Uuid>(read) }),
    );
    let mut described: Vec<Value> = ids.collect();
    for parameter in &operation.parameters {
        let place = match parameter.place {
            Place::Query => "query",
            Place::Header => "header",
            Place::Path => "path",
        };
        let schema = (parameter.schema)(read);
        let mut one = json!({
            "name": parameter.name,
            "in": place,
            "required": parameter.place == Place::Path,
            "description": parameter.says,
            "schema": schema,
        });
        if parameter.is_list {
            one["schema"] = json!({ "type": "array", "items": schema });
            one["style"] = json!("form");
            one["explode"] = json!(false);
        }
        described.push(one);
    }
    described
}

fn responses(operation: &Operation, access: Access, written: &mut SchemaGenerator) -> Value {
    let mut described = Map::new();
    for status in errors(operation, access) {
        let reference = format!("#/components/responses/Error{status}");
        described.insert(status.to_string(), json!({ "$ref": reference }));
    }
    for answer in &operation.answers {
        let mut of_answer = response(answer, written);
        match described.entry(answer.status.to_string()) {
            Entry::Vacant(place) => _ = place.insert(of_answer),
            // One status with several media types is one answer.
            Entry::Occupied(mut place) => {
                if let (Some(content), Value::Object(more)) =
                    (place.get_mut()["content"].as_object_mut(), of_answer["content"].take())
                {
                    content.extend(more);
                }
            }
        }
    }
    Value::Object(described)
}

/// The statuses of errors that an operation may answer with.
pub fn errors(operation: &Operation, access: Access) -> BTreeSet<u16> {
    let mut errors = operation.errors.clone();
    if access != Access::Public {
        errors.extend([401, 403, 500]);
    }
    if limit::is_limited(operation.path) && operation.method == Method::GET {
        errors.insert(429);
    }
    let has_parameters = !operation.parameters.is_empty() || operation.path.contains('{');
    if has_parameters || !operation.bodies.is_empty() {
        errors.insert(400);
    }
    if operation.method != Method::GET {
        errors.extend([403, 500]);
    }
    errors
}

fn response(answer: &Answer, written: &mut SchemaGenerator) -> Value {
    let mut described = json!({ "description": answer.says });
    if let Some(content) = &answer.content {
        let mut schema = (content.schema)(written);
        if content.media == EVENTS {
            schema.insert("format".to_owned(), json!("event-stream"));
        }
        described["content"] = json!({ content.media: { "schema": schema } });
    }
    if !answer.headers.is_empty() {
        described["headers"] = headers_of(&answer.headers);
    }
    described
}

fn headers_of(headers: &[(&str, &str)]) -> Value {
    let described = headers
        .iter()
        .map(|(name, says)| {
            ((*name).to_owned(), json!({ "description": says, "schema": { "type": "string" } }))
        })
        .collect::<Map<String, Value>>();
    Value::Object(described)
}
