//! One operation of the API: its handler, and what the document says of it.

use crate::server::App;
use axum::{
    extract::DefaultBodyLimit,
    handler::Handler,
    http::Method,
    routing::{self, MethodRouter},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::collections::BTreeSet;
use uuid::Uuid;

/// How a type describes itself.
pub type Describe = fn(&mut SchemaGenerator) -> Schema;

pub fn describe<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Query,
    Header,
    Path,
}

pub struct Parameter {
    pub place: Place,
    pub name: &'static str,
    pub says: &'static str,
    pub schema: Describe,
    /// Several values with commas between.
    pub is_list: bool,
}

/// What a body is made of: its media type, and how it is described.
#[derive(Clone, Copy)]
pub struct Content {
    pub media: &'static str,
    pub schema: Describe,
}

pub const JSON: &str = "application/json";
pub const EVENTS: &str = "text/event-stream";

pub struct Answer {
    pub status: u16,
    pub says: &'static str,
    pub content: Option<Content>,
    pub headers: Vec<(&'static str, &'static str)>,
}

/// An operation. It is made by [`get`], [`post`], [`patch`], [`put`] or [`delete`], and each of its methods adds what the document is to say.
pub struct Operation {
    pub method: Method,
    pub path: &'static str,
    pub summary: &'static str,
    pub tag: &'static str,
    pub description: &'static str,
    pub parameters: Vec<Parameter>,
    pub bodies: Vec<Content>,
    pub answers: Vec<Answer>,
    /// Statuses of errors, besides those that follow from the rest.
    pub errors: BTreeSet<u16>,
    pub handler: MethodRouter<App>,
}

macro_rules! methods {
    ($($function:ident $method:ident),*) => {$(
        // The table may use every one of them, and need not.
        #[allow(dead_code)]
        /// `summary` is a few words in the imperative, or a noun for what is read.
        pub fn $function<H: Handler<T, App>, T: 'static>(path: &'static str, summary: &'static str, handler: H) -> Operation {
            Operation::new(Method::$method, path, summary, routing::$function(handler))
        }
    )*};
}

methods!(get GET, post POST, patch PATCH, put PUT, delete DELETE);

impl Operation {
    fn new(
        method: Method,
        path: &'static str,
        summary: &'static str,
        handler: MethodRouter<App>,
    ) -> Operation {
        Operation {
            method,
            path,
            summary,
            tag: "",
            description: "",
            parameters: Vec::new(),
            bodies: Vec::new(),
            answers: Vec::new(),
            errors: BTreeSet::new(),
            handler,
        }
    }

    /// Sentences on what the summary leaves open.
    pub fn says(mut self, description: &'static str) -> Operation {
        self.description = description;
        self
    }

    fn parameter<T: JsonSchema>(mut self, place: Place, name: &'static str, says: &'static str) -> Operation {
        self.parameters.push(Parameter { place, name, says, schema: describe::<T>, is_list: false });
        self
    }

    /// A parameter in the path that is not an id.
    pub fn path<T: JsonSchema>(self, name: &'static str, says: &'static str) -> Operation {
        self.parameter::<T>(Place::Path, name, says)
    }

    pub fn query<T: JsonSchema>(self, name: &'static str, says: &'static str) -> Operation {
        self.parameter::<T>(Place::Query, name, says)
    }

    pub fn header<T: JsonSchema>(self, name: &'static str, says: &'static str) -> Operation {
        self.parameter::<T>(Place::Header, name, says)
    }

    /// `?ids=a,b`: only these rows.
    pub fn ids(mut self) -> Operation {
        let says = "Only the rows with these ids; absent ones are left out.";
        self.parameters.push(Parameter {
            place: Place::Query,
            name: "ids",
            says,
            schema: describe::<Uuid>,
            is_list: true,
        });
        self
    }

    /// `?limit=&cursor=`, and the headers that lead to the next page.
    pub fn pages(mut self) -> Operation {
        self = self
            .query::<super::bodies::Limit>(
                "limit",
                "Rows of one page. Without it and without a cursor: all of them.",
            )
            .query::<Uuid>(
                "cursor",
                "Where the last page ended: its `X-Muster-Next-Cursor`. The row itself need not be there any more.",
            );
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.extend([
                ("X-Muster-Next-Cursor", "The `cursor` of the next page. Absent on the last one."),
                ("Link", "The address of the next page, `rel=\"next\"` (RFC 8288). Absent on the last one."),
            ]);
        }
        self
    }

    /// A JSON body.
    pub fn body<T: JsonSchema>(mut self) -> Operation {
        self.bodies.push(Content { media: JSON, schema: describe::<T> });
        self
    }

    /// The same as a form with files.
    pub fn or_form<T: JsonSchema>(mut self) -> Operation {
        self.bodies.push(Content { media: "multipart/form-data", schema: describe::<T> });
        self
    }

    pub fn answer(mut self, status: u16, says: &'static str, content: Option<Content>) -> Operation {
        self.answers.push(Answer { status, says, content, headers: Vec::new() });
        self
    }

    /// 200 with JSON.
    pub fn ok<T: JsonSchema>(self, says: &'static str) -> Operation {
        self.answer(200, says, Some(Content { media: JSON, schema: describe::<T> }))
    }

    /// 201 with JSON.
    pub fn created<T: JsonSchema>(self, says: &'static str) -> Operation {
        self.answer(201, says, Some(Content { media: JSON, schema: describe::<T> }))
    }

    /// 204.
    pub fn no_content(self, says: &'static str) -> Operation {
        self.answer(204, says, None)
    }

    /// 200 with text of a media type.
    pub fn text(self, media: &'static str, says: &'static str) -> Operation {
        self.answer(200, says, Some(Content { media, schema: describe::<String> }))
    }

    /// The answer given last may also be text of this media type.
    pub fn also(self, media: &'static str) -> Operation {
        let says = self.answers.last().map_or("", |answer| answer.says);
        self.answer(200, says, Some(Content { media, schema: describe::<String> }))
    }

    /// A stream of server-sent events.
    pub fn events(self, says: &'static str) -> Operation {
        self.text(EVENTS, says)
            .answer_header("X-Accel-Buffering", "`no`: a proxy must not hold the stream back.")
    }

    /// A header of the answer given last.
    pub fn answer_header(mut self, name: &'static str, says: &'static str) -> Operation {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.push((name, says));
        }
        self
    }

    /// The answer given last has an ETag, and `If-None-Match` with the same one is answered with 304.
    pub fn etag(self) -> Operation {
        self.answer_header("ETag", "Names this version of the answer.")
            .header::<super::bodies::IfNoneMatch>(
                "If-None-Match",
                "An `ETag` from before: the answer is 304 without a body if nothing changed since.",
            )
            .answer(304, "Nothing changed since `If-None-Match`.", None)
    }

    /// The position that the answer given last is true at.
    pub fn position(self) -> Operation {
        self.answer_header("X-Muster-Position", "The position that the answer is true at.")
    }

    /// An action: it takes an idempotency key, can be refused by the state, and finds the console going down.
    pub fn acts(self) -> Operation {
        self.header::<super::bodies::IdempotencyKey>(
            "Idempotency-Key",
            "The same key again gives the first answer again: nothing is done twice. Kept for 24 hours.",
        )
        .errors(&[400, 409, 503])
    }

    /// An action on a row that `If-Match` may guard.
    pub fn guarded(self) -> Operation {
        self.acts()
            .header::<super::bodies::IfMatch>(
                "If-Match",
                "The `state_revision` that was decided on, as in `ETag`: the action is done only if it is still that.",
            )
            .errors(&[404, 412])
    }

    /// An action that reaches a machine, which may not answer.
    pub fn reaches_machine(self) -> Operation {
        self.errors(&[502, 504])
    }

    /// Its body may be larger than those of others.
    pub fn largest_body(mut self, bytes: usize) -> Operation {
        self.handler = self.handler.layer(DefaultBodyLimit::max(bytes));
        self
    }

    pub fn errors(mut self, statuses: &[u16]) -> Operation {
        self.errors.extend(statuses);
        self
    }
}

/// The operations of one heading of the document.
pub fn group(tag: &'static str, operations: Vec<Operation>) -> Vec<Operation> {
    operations.into_iter().map(|operation| Operation { tag, ..operation }).collect()
}
