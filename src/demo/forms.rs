//! What the body of a request says.

use super::doors::{Body, Call};
use crate::{app::error::ApiError, model::NewNet};
use serde::de::DeserializeOwned;

pub fn arguments<T: DeserializeOwned>(call: &Call) -> Result<T, ApiError> {
    let Body::Text(text) = &call.body else { return Err(unreadable("it holds a file")) };
    serde_qs::Config::new(5, false).deserialize_str(text).map_err(|error| unreadable(&error.to_string()))
}

/// A form with a net in it, as a file or pasted.
pub struct NetForm<'a> {
    fields: &'a [(String, Vec<u8>)],
    pub pnml: Vec<u8>,
}

impl NetForm<'_> {
    pub fn of(call: &Call) -> Result<NetForm<'_>, ApiError> {
        let Body::Form(fields) = &call.body else { return Err(unreadable("it holds no form")) };
        let mut form = NetForm { fields, pnml: Vec::new() };
        let file = form.field("file");
        form.pnml = if file.is_empty() { form.field("text") } else { file };
        if form.pnml.iter().all(u8::is_ascii_whitespace) {
            return Err(ApiError::BadRequest { detail: "Choose a PNML file or paste one.".to_owned() });
        }
        Ok(form)
    }

    fn field(&self, wanted: &str) -> Vec<u8> {
        let found = self.fields.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// A field of text, trimmed.
    pub fn words(&self, wanted: &str) -> String {
        String::from_utf8_lossy(&self.field(wanted)).trim().to_owned()
    }
}

pub fn new_net(call: &Call) -> Result<NewNet, ApiError> {
    let form = NetForm::of(call)?;
    let project_id = form.words("project_id").parse().map_err(|_| unreadable("no project is chosen"))?;
    Ok(NewNet { name: form.words("name"), project_id, pnml: form.pnml, keep_broken: false })
}

pub fn unreadable(why: &str) -> ApiError {
    ApiError::BadRequest { detail: format!("The request could not be read: {why}") }
}
