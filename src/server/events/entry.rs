//! Entries of the log that no change of the fleet tells: users, members, tokens and webhooks are kept beside it.

use crate::{
    model::{Actor, Event, ProjectId, Severity},
    server::storage::{Store, TransactError},
};
use std::{collections::BTreeMap, convert::Infallible};

/// What is to be written.
#[derive(Clone, Debug)]
pub struct Entry {
    kind: &'static str,
    severity: Severity,
    text: String,
    project: Option<ProjectId>,
    data: BTreeMap<String, String>,
}

impl Entry {
    /// `text` is a sentence without a final full stop. It is seen with a role in the whole fleet.
    pub fn new(kind: &'static str, text: String) -> Entry {
        Entry { kind, severity: Severity::Info, text, project: None, data: BTreeMap::new() }
    }

    pub fn warning(self) -> Entry {
        Entry { severity: Severity::Warning, ..self }
    }

    /// It is of this project, and is seen by its members.
    pub fn of_project(self, project: ProjectId) -> Entry {
        Entry { project: Some(project), ..self }
    }

    /// Says for programs what the sentence says.
    pub fn with(mut self, key: &str, value: impl ToString) -> Entry {
        self.data.insert(key.to_owned(), value.to_string());
        self
    }

    /// Fills in the event that it becomes.
    pub fn fill(self, event: &mut Event) {
        (event.kind, event.severity, event.text) = (self.kind.to_owned(), self.severity, self.text);
        (event.of_hosts, event.project_id, event.data) = (self.project.is_none(), self.project, self.data);
    }

    /// Writes it down. What it tells of is done: a log that cannot be written does not turn that into a failure.
    pub async fn write(self, store: &Store, actor: Actor) {
        let text = self.text.clone();
        let written = store.transact(actor, move |draft| {
            draft.log(self.severity, self.kind, String::new(), |event| self.fill(event));
            Ok::<(), Infallible>(())
        });
        if let Err(TransactError::Storage(error)) = written.await {
            tracing::error!(%error, text, "an entry of the event log could not be written");
        }
    }
}
