//! Creating, changing and deleting projects, and moving nets between them. Neither touches a machine.

use super::{
    create::taken,
    net::theirs,
    outcome::{once, quota_reached, stays},
};
use crate::{
    app::error::ApiError,
    model::{Done, Draft, Name, NetCause, NetId, NewProject, Project, ProjectId, Role, Timestamp, quota},
    server::{App, auth::Who, storage::idempotency::Key},
};
use std::sync::Arc;
use uuid::Uuid;

pub async fn create(app: &App, who: &Who, new: NewProject, key: Option<Key>) -> Result<Done, ApiError> {
    who.need(Role::Admin)?;
    let name = name_of(&new)?;
    once(app, who, key, move |draft| {
        if draft.project_name_taken(&name) {
            return Err(taken("project", &name, "this console"));
        }
        let project = Project {
            id: ProjectId(Uuid::now_v7()),
            name: name.clone(),
            quotas: new.quotas,
            revision: 0,
            created_at: draft.now(),
            updated_at: Timestamp::default(),
        };
        let project = draft.put_project(project);
        let message = format!("The project {name} was created.");
        Ok((Done { message, project: Some(project), ..Done::default() }, Vec::new()))
    })
    .await
}

/// `if_match` is the project's revision.
pub async fn edit(
    app: &App,
    who: &Who,
    id: ProjectId,
    edit: NewProject,
    if_match: Option<u64>,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    who.need(Role::Admin)?;
    let name = name_of(&edit)?;
    once(app, who, key, move |draft| {
        let project = found(draft, id)?;
        super::outcome::same_revision("project", if_match, project.revision)?;
        let mut others = draft.before().projects().filter(|other| other.id != id);
        if others.any(|other| other.name.reads_as(&name)) {
            return Err(taken("project", &name, "this console"));
        }
        let row = Project { name: name.clone(), quotas: edit.quotas, ..Project::clone(&project) };
        let project = if row == *project { project } else { draft.put_project(row) };
        let message = format!("The project {name} was changed.");
        Ok((Done { message, project: Some(project), ..Done::default() }, Vec::new()))
    })
    .await
}

/// Deletes an empty project.
pub async fn delete(app: &App, who: &Who, id: ProjectId, key: Option<Key>) -> Result<Done, ApiError> {
    who.need(Role::Admin)?;
    once(app, who, key, move |draft| {
        let project = found(draft, id)?;
        let nets = draft.before().nets().filter(|net| net.project_id == id).count();
        if nets > 0 {
            return Err(ApiError::Refused {
                detail: format!(
                    "Cannot delete project {}: it has {nets} {}. Delete them or move them to another project first.",
                    project.name,
                    if nets == 1 { "net" } else { "nets" }
                ),
                code: "project_not_empty".to_owned(),
                current: None,
            });
        }
        draft.delete_project(id);
        let message = format!("The project {} was deleted.", project.name);
        Ok((Done { message, ..Done::default() }, Vec::new()))
    })
    .await
}

/// Moves a net to another project. Where it is loaded it goes on.
pub async fn move_net(
    app: &App,
    who: &Who,
    id: NetId,
    to: ProjectId,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    let caller = who.clone();
    once(app, who, key, move |draft| {
        let gone = || ApiError::Gone { what: "net".to_owned() };
        let net = theirs(draft, &caller, id)?;
        stays(draft, &net, "move")?;
        caller.need_in(to, Role::Operator)?;
        let project = found(draft, to)?;
        if net.project_id != to {
            if let Some(there) = draft.net_named(to, &net.name) {
                return Err(taken("net", &there.name, &format!("project {}", project.name)));
            }
            let nets = draft.before().nets().map(Arc::as_ref);
            quota::joins(&project, nets, net.worker_id).map_err(quota_reached)?;
        }
        draft.edit_net(id, NetCause::Edited, |net| net.project_id = to).map_err(|_| gone())?;
        let message = format!("The net {} is in project {} now.", net.name, project.name);
        Ok((Done { message, net: draft.net(id).ok().cloned(), ..Done::default() }, Vec::new()))
    })
    .await
}

fn name_of(new: &NewProject) -> Result<Name, ApiError> {
    Name::new(&new.name).map_err(|error| ApiError::BadRequest { detail: error.to_string() })
}

fn found(draft: &Draft, id: ProjectId) -> Result<Arc<Project>, ApiError> {
    let project = draft.before().project(id).cloned();
    project.ok_or(ApiError::Gone { what: "project".to_owned() })
}
