//! The server functions of labs.
//!
//! As in [`super::actions`], each is also the target of a plain HTML form. Numbers travel as text, so that what is wrong with one is said
//! in our words.

#![expect(clippy::too_many_arguments, reason = "a server function's arguments are the fields of its form")]

use super::{error::ApiError, lab_plan::NodeNames, labs::LabReport};
use crate::model::{ClusterId, Done, LabAction, LabId, NetId};
#[cfg(feature = "ssr")]
use crate::{
    app::{
        actions::{from_plain_form, tell_next_page},
        lab_plan::{self, Typed},
    },
    model::{
        Action, DefinitionHash, NewLab, Options, WorkerId, action::whole_number_wanted, lab::SYNC_MINUTES,
        lifecycle::Verb,
    },
    server::{
        App,
        actions::perform,
        api::error::internal,
        context::{app, fail, who},
        labs,
    },
};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
async fn act(action: Action, key: Option<String>) -> Result<Done, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let done = perform(&app, &who, action, Options { if_match: None, key }).await.map_err(fail)?;
    tell_next_page(&done);
    Ok(done)
}

#[server(prefix = "/do", endpoint = "create-lab")]
pub async fn create_lab(
    net_id: NetId,
    /// Empty: the worker that the net is on.
    #[server(default)]
    worker_id: String,
    name: String,
    #[server(default)] kind: String,
    #[server(default)] runs: String,
    #[server(default)] firings: String,
    #[server(default)] goal: String,
    #[server(default)] place: String,
    #[server(default)] at_least: String,
    #[server(default)] warm_up: String,
    #[server(default)] seed: String,
    #[server(default)] rates: String,
    #[server(default)] time: String,
    #[server(default)] seconds: String,
    #[server(default)] memory_mb: String,
    /// Also start it.
    #[server(default)]
    start: bool,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    let typed =
        Typed { kind, runs, firings, goal, place, at_least, warm_up, seed, rates, time, seconds, memory_mb };
    let names = net_names(net_id).await?;
    let plan = lab_plan::read(&typed, Some(&names)).map_err(|mistakes| {
        let detail = mistakes.into_iter().map(|mistake| mistake.text).collect::<Vec<_>>().join(" ");
        fail(ApiError::BadRequest { detail })
    })?;
    let worker_id = match worker_id.trim() {
        "" => None,
        id => Some(id.parse::<WorkerId>().map_err(|_| {
            fail(ApiError::BadRequest { detail: "Choose the worker that the lab is to live on.".to_owned() })
        })?),
    };
    let new = NewLab { net_id, version: None, worker_id, name: name.trim().to_owned(), plan, start };
    let done = act(Action::CreateLab(new), key).await?;
    // A page that is alive goes there by itself.
    if let (Some(lab), true) = (&done.lab, from_plain_form()) {
        leptos_axum::redirect(&format!("/labs/{}", lab.id));
    }
    Ok(done)
}

#[server(prefix = "/do", endpoint = "lab")]
pub async fn act_on_lab(
    id: LabId,
    action: LabAction,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    let net = app().map_err(fail)?.store().fleet().lab(id).map(|lab| lab.net_id);
    let key = key.map(|key| format!("{key}-{}", action.verb()));
    let done = act(Action::Lab { id, action }, key).await?;
    // Where the form was may be nothing any more.
    if let (LabAction::Delete, Some(net), true) = (action, net, from_plain_form()) {
        leptos_axum::redirect(&format!("/nets/{net}?tab=labs"));
    }
    Ok(done)
}

/// Asks each of the workers named in `ids`, parted by commas, for its labs. Of several, those that cannot be asked are told at the end.
#[server(prefix = "/do", endpoint = "refresh-labs")]
pub async fn refresh_labs(#[server(default)] ids: String) -> Result<Done, ApiError> {
    let ids = ids.split(',').map(str::trim).filter(|id| !id.is_empty());
    let ids: Vec<WorkerId> = ids
        .map(|id| {
            id.parse().map_err(|_| ApiError::BadRequest { detail: "There is no such worker.".to_owned() })
        })
        .collect::<Result<_, _>>()
        .map_err(fail)?;
    let mut last = Err(ApiError::BadRequest { detail: "There is no worker to ask.".to_owned() });
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    for id in ids {
        let answer = perform(&app, &who, Action::RefreshLabs(id), Options::default()).await;
        // One that was asked is enough to be told of; the others are as they were.
        if answer.is_ok() || last.is_err() {
            last = answer;
        }
    }
    let done = last.map_err(fail)?;
    tell_next_page(&done);
    Ok(done)
}

/// Empty `minutes`: as usual.
#[server(prefix = "/do", endpoint = "lab-sync")]
pub async fn set_lab_sync(
    id: ClusterId,
    #[server(default)] minutes: String,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    let minutes = match minutes.trim() {
        "" => None,
        given => {
            let number = given.parse().ok().filter(|minutes| SYNC_MINUTES.contains(minutes));
            let detail = || whole_number_wanted("Minutes", &SYNC_MINUTES, given);
            Some(number.ok_or_else(|| fail(ApiError::BadRequest { detail: detail() }))? as u32)
        }
    };
    act(Action::SetLabSync { id, minutes }, key.map(|key| format!("{key}-lab-sync"))).await
}

/// What a lab has found; `None`: nothing yet.
#[server(prefix = "/do", endpoint = "lab-results")]
pub async fn lab_results(id: LabId) -> Result<Option<LabReport>, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    labs::results(&app, &who, id).await.map_err(fail)
}

/// What the places and transitions of the version are called that a net has in force.
#[server(prefix = "/do", endpoint = "net-names")]
pub async fn net_names(id: NetId) -> Result<NodeNames, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let fleet = app.store().fleet();
    let net = fleet.net(id).filter(|net| who.scope.sees_project(net.project_id));
    let net = net.ok_or_else(|| fail(ApiError::Gone { what: "net".to_owned() }))?;
    names_of(&app, net.definition).await.map_err(fail)
}

/// The same of the version that a lab has a copy of.
#[server(prefix = "/do", endpoint = "lab-names")]
pub async fn lab_names(id: LabId) -> Result<NodeNames, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let fleet = app.store().fleet();
    let lab = fleet.lab(id).filter(|lab| who.scope.sees_project(lab.project_id));
    let lab = lab.ok_or_else(|| fail(ApiError::Gone { what: "lab".to_owned() }))?;
    names_of(&app, lab.definition).await.map_err(fail)
}

#[cfg(feature = "ssr")]
async fn names_of(app: &App, definition: DefinitionHash) -> Result<NodeNames, ApiError> {
    let graph = app.graph_json(definition).await?;
    let graph = serde_json::from_slice(&graph).map_err(|error| internal(&error))?;
    Ok(NodeNames::of(graph))
}
