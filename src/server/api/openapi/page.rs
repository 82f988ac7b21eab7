//! `/api/openapi.json`, and `/api/docs`: the same document as a page. Plain HTML, no script.

use super::document as make;
use crate::server::{api::table, assets};
use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use std::{fmt::Write, sync::LazyLock};

struct Made {
    json: Bytes,
    tag: String,
    html: Bytes,
}

/// The table never changes while the program runs.
static MADE: LazyLock<Made> = LazyLock::new(|| {
    let document = make(&table::operations());
    let json = document.to_string();
    let tag = format!("\"{:016x}\"", xxhash_rust::xxh3::xxh3_64(json.as_bytes()));
    Made { json: json.into(), tag, html: html(&document).into() }
});

pub async fn document(headers: HeaderMap) -> Response {
    let made = &*MADE;
    if headers.get(header::IF_NONE_MATCH).is_some_and(|wanted| wanted.as_bytes() == made.tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, made.tag.as_str())]).into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::ETAG, made.tag.as_str()),
    ];
    (headers, made.json.clone()).into_response()
}

/// The page brings our own style sheet, and nothing may run on it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

pub async fn show() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, MADE.html.clone()).into_response()
}

/// Text within HTML, and within its attributes.
fn text(given: &str) -> String {
    given.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Sentences with `` `code` `` in them.
fn prose(given: &str) -> String {
    let parts = text(given);
    let parts = parts.split('`').enumerate();
    parts.map(|(n, part)| if n % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}

fn str_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn html(document: &Value) -> String {
    let mut out = String::with_capacity(128 << 10);
    let css = assets::url("muster.css").map(|url| format!("<link rel=\"stylesheet\" href=\"{url}\">"));
    // Writing to a string cannot fail.
    _ = write!(
        out,
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>API · Muster</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{}</head>\
         <body class=\"api-docs\"><main><h1>The API of Muster</h1><p>{}</p>\
         <p>For programs: <a href=\"/api/openapi.json\">openapi.json</a> (OpenAPI {}). <a href=\"/\">Back to the console</a></p>",
        css.unwrap_or_default(),
        prose(str_of(&document["info"], "description")),
        text(str_of(document, "openapi")),
    );
    contents(document, &mut out);
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = str_of(tag, "name");
        _ = write!(out, "<section><h2 id=\"{}\">{}</h2>", anchor(name), text(name));
        for (path, method, operation) in operations(document, name) {
            operation_html(path, method, operation, &mut out);
        }
        out.push_str("</section>");
    }
    out.push_str("<section><h2 id=\"types\">Types</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        type_html(name, schema, &mut out);
    }
    out.push_str("</section></main></body></html>");
    out
}

fn anchor(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

fn contents(document: &Value, out: &mut String) {
    out.push_str("<nav aria-label=\"Contents\"><ul>");
    let names = document["tags"].as_array().into_iter().flatten().map(|tag| str_of(tag, "name"));
    for name in names.chain(["Types"]) {
        _ = write!(out, "<li><a href=\"#{}\">{}</a></li>", anchor(name), text(name));
    }
    out.push_str("</ul></nav>");
}

/// The operations under a heading: path, method, what is said of it.
fn operations<'a>(
    document: &'a Value,
    tag: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str, &'a Value)> + 'a {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    all.filter(move |(_, _, operation)| operation["tags"][0] == tag)
}

fn operation_html(path: &str, method: &str, operation: &Value, out: &mut String) {
    let public = operation["security"].as_array().is_some_and(Vec::is_empty);
    let role = match operation["x-muster-role"].as_str() {
        Some(role) if operation["x-muster-in"] == "project" => format!("role {role} in the project"),
        Some(role) => format!("role {role}"),
        None if public => "no session needed".to_owned(),
        None => "anybody who is signed in".to_owned(),
    };
    _ = write!(
        out,
        "<details id=\"{}\"><summary><code><b>{}</b> {}</code> <span>{}</span> <small>{role}</small></summary>",
        text(str_of(operation, "operationId")),
        method.to_uppercase(),
        text(path),
        text(str_of(operation, "summary")),
    );
    if !str_of(operation, "description").is_empty() {
        _ = write!(out, "<p>{}</p>", prose(str_of(operation, "description")));
    }
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        out.push_str(
            "<table><thead><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr></thead><tbody>",
        );
        for parameter in parameters {
            _ = write!(
                out,
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
                text(str_of(parameter, "name")),
                text(str_of(parameter, "in")),
                type_of(&parameter["schema"]),
                prose(str_of(parameter, "description")),
            );
        }
        out.push_str("</tbody></table>");
    }
    for (media, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
        _ = write!(out, "<p>Body: {} <small>{}</small></p>", type_of(&content["schema"]), text(media));
    }
    out.push_str("<table><thead><tr><th>Status</th><th>Answer</th><th></th></tr></thead><tbody>");
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let error = response["$ref"].as_str().is_some();
        let says = match error {
            true => {
                super::ERRORS.iter().find(|(known, _)| known.to_string() == *status).map_or("", |it| it.1)
            }
            false => str_of(response, "description"),
        };
        let content = response["content"].as_object().and_then(|content| content.iter().next());
        let kind = match (error, content) {
            (true, _) => "<a href=\"#type-ErrorBody\">ErrorBody</a>".to_owned(),
            (false, Some((media, content))) => {
                format!("{} <small>{}</small>", type_of(&content["schema"]), text(media))
            }
            (false, None) => String::new(),
        };
        _ = write!(out, "<tr><td>{status}</td><td>{kind}</td><td>{}", prose(says));
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            _ = write!(out, "<br><code>{}</code> {}", text(name), prose(str_of(header, "description")));
        }
        out.push_str("</td></tr>");
    }
    out.push_str("</tbody></table></details>");
}

fn type_html(name: &str, schema: &Value, out: &mut String) {
    _ = write!(out, "<details id=\"type-{0}\"><summary><code>{0}</code></summary>", text(name));
    if !str_of(schema, "description").is_empty() {
        _ = write!(out, "<p>{}</p>", prose(str_of(schema, "description")));
    }
    fields_html(schema, out);
    for kind in ["oneOf", "anyOf", "allOf"] {
        let Some(variants) = schema[kind].as_array() else { continue };
        out.push_str(if kind == "allOf" { "<p>and:</p><ul>" } else { "<p>one of:</p><ul>" });
        for variant in variants {
            _ = write!(out, "<li>{} {}", type_of(variant), prose(str_of(variant, "description")));
            fields_html(variant, out);
            out.push_str("</li>");
        }
        out.push_str("</ul>");
    }
    if schema["properties"].is_null() && schema["oneOf"].is_null() && schema["anyOf"].is_null() {
        _ = write!(out, "<p>{}</p>", type_of(schema));
    }
    out.push_str("</details>");
}

fn fields_html(schema: &Value, out: &mut String) {
    let Some(fields) = schema["properties"].as_object() else { return };
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    out.push_str("<table><tbody>");
    for (name, field) in fields {
        let optional = if required.iter().any(|it| it == name) { "" } else { " <small>optional</small>" };
        _ = write!(
            out,
            "<tr><td><code>{}</code>{optional}</td><td>{}</td><td>{}</td></tr>",
            text(name),
            type_of(field),
            prose(str_of(field, "description")),
        );
    }
    out.push_str("</tbody></table>");
}

/// A type in a few words, with links to those that have a name.
fn type_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = text(reference.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#type-{name}\">{name}</a>");
    }
    if !schema["const"].is_null() {
        return format!("<code>{}</code>", text(&schema["const"].to_string()));
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> =
            words.iter().map(|word| format!("<code>{}</code>", text(&word.to_string()))).collect();
        return words.join(" ");
    }
    for kind in ["oneOf", "anyOf"] {
        if let Some(variants) = schema[kind].as_array() {
            return variants.iter().map(type_of).collect::<Vec<_>>().join(" or ");
        }
    }
    let name = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "any".to_owned(),
    };
    if name.starts_with("array") {
        return format!("list of {}", type_of(&schema["items"]));
    }
    let mut said = text(&name);
    if let Some(format) = schema["format"].as_str() {
        _ = write!(said, " ({})", text(format));
    }
    for (key, word) in
        [("minimum", "≥"), ("maximum", "≤"), ("minLength", "length ≥"), ("maxLength", "length ≤")]
    {
        // The bounds that every integer of its size has say nothing.
        let bound = &schema[key];
        if bound.is_number() && !(key == "minimum" && bound == 0) {
            _ = write!(said, " {word} {bound}");
        }
    }
    said
}
