//! The server functions of clusters and projects.
//!
//! As in [`super::actions`], each is also the target of a plain HTML form. Bounds travel as text, because an empty field means none.

use super::error::ApiError;
use crate::model::{ClusterId, Done, NetId, ProjectId, Provider};
#[cfg(any(feature = "ssr", feature = "csr"))]
use crate::model::{NewProject, Quotas, action::whole_number_wanted};
#[cfg(feature = "ssr")]
use crate::{
    app::actions::{from_plain_form, tell_next_page},
    model::{Action, NewCluster, Options},
    server::{
        actions::perform,
        context::{app, fail, who},
    },
};
use leptos::prelude::*;
#[cfg(any(feature = "ssr", feature = "csr"))]
use std::ops::RangeInclusive;

/// What a quota may be.
#[cfg(any(feature = "ssr", feature = "csr"))]
const QUOTA: RangeInclusive<u64> = 0..=1_000_000;

#[cfg(feature = "ssr")]
async fn act(action: Action, if_match: Option<u64>, key: Option<String>) -> Result<Done, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let done = perform(&app, &who, action, Options { if_match, key }).await.map_err(fail)?;
    tell_next_page(&done);
    Ok(done)
}

#[server(prefix = "/do", endpoint = "create-cluster")]
pub async fn create_cluster(
    name: String,
    provider: Provider,
    #[server(default)] region: Option<String>,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    act(Action::CreateCluster(NewCluster { name, provider, region }), None, key).await
}

#[server(prefix = "/do", endpoint = "rename-cluster")]
pub async fn rename_cluster(
    id: ClusterId,
    name: String,
    #[server(default)] revision: Option<u64>,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    act(Action::RenameCluster { id, name }, revision, key.map(|key| format!("{key}-rename"))).await
}

#[server(prefix = "/do", endpoint = "delete-cluster")]
pub async fn delete_cluster(id: ClusterId, #[server(default)] key: Option<String>) -> Result<Done, ApiError> {
    let done = act(Action::DeleteCluster(id), None, key.map(|key| format!("{key}-delete"))).await?;
    // Where the form was is nothing any more.
    if from_plain_form() {
        leptos_axum::redirect("/clusters");
    }
    Ok(done)
}

#[server(prefix = "/do", endpoint = "create-project")]
pub async fn create_project(
    name: String,
    #[server(default)] nets: String,
    #[server(default)] workers: String,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    let new = new_project(name, &nets, &workers).map_err(fail)?;
    act(Action::CreateProject(new), None, key).await
}

#[server(prefix = "/do", endpoint = "edit-project")]
pub async fn edit_project(
    id: ProjectId,
    name: String,
    #[server(default)] nets: String,
    #[server(default)] workers: String,
    #[server(default)] revision: Option<u64>,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    let edit = new_project(name, &nets, &workers).map_err(fail)?;
    act(Action::EditProject { id, edit }, revision, key.map(|key| format!("{key}-edit"))).await
}

#[server(prefix = "/do", endpoint = "delete-project")]
pub async fn delete_project(id: ProjectId, #[server(default)] key: Option<String>) -> Result<Done, ApiError> {
    let done = act(Action::DeleteProject(id), None, key.map(|key| format!("{key}-delete"))).await?;
    if from_plain_form() {
        leptos_axum::redirect("/projects");
    }
    Ok(done)
}

#[server(prefix = "/do", endpoint = "move-net")]
pub async fn move_net(
    id: NetId,
    project_id: ProjectId,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    act(Action::MoveNet { id, project_id }, None, key.map(|key| format!("{key}-move"))).await
}

/// What the fields of a form make of a project.
#[cfg(any(feature = "ssr", feature = "csr"))]
pub fn new_project(name: String, nets: &str, workers: &str) -> Result<NewProject, ApiError> {
    let quotas = Quotas { nets: quota("Nets at most", nets)?, workers: quota("Workers at most", workers)? };
    Ok(NewProject { name, quotas })
}

/// An empty field sets no bound.
#[cfg(any(feature = "ssr", feature = "csr"))]
fn quota(field: &str, given: &str) -> Result<Option<u32>, ApiError> {
    let given = given.trim();
    if given.is_empty() {
        return Ok(None);
    }
    let number: Option<u64> = given.parse().ok().filter(|number| QUOTA.contains(number));
    let detail = || whole_number_wanted(field, &QUOTA, given);
    let number = number.ok_or_else(|| ApiError::BadRequest { detail: detail() })?;
    Ok(u32::try_from(number).ok())
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn an_empty_quota_is_none_and_a_wrong_one_is_told() {
        let read = |nets, workers| new_project("p".to_owned(), nets, workers).map(|new| new.quotas);
        assert_eq!(read("", " "), Ok(Quotas::default()));
        assert_eq!(read(" 3", "0"), Ok(Quotas { nets: Some(3), workers: Some(0) }));
        for wrong in ["-1", "many", "1.5", "99999999999999999999"] {
            let Err(ApiError::BadRequest { detail }) = read(wrong, "") else { panic!("{wrong} is a quota") };
            assert!(detail.contains("Nets at most") && detail.contains(wrong), "{detail}");
        }
    }
}
