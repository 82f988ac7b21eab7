//! The server functions of builds and versions.
//!
//! As in [`super::actions`], each that changes something is also the target of a plain HTML form.

use super::{error::ApiError, excerpt::Excerpt};
#[cfg(feature = "ssr")]
use crate::{
    model::{Action, ChangedNet, DefinitionHash, Options},
    petri::{
        PetriNet,
        diff::diff,
        pnml::{self, Limits},
    },
    server::{
        App,
        actions::perform,
        api::error::internal,
        builds,
        context::{app, fail, who},
        storage::definitions,
    },
};
use crate::{
    model::{Done, NetId, VersionRow},
    petri::{diff::NetDiff, report::BuildReport},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use server_fn::codec::{MultipartData, MultipartFormData};

/// Differences between two versions that are listed.
#[cfg(feature = "ssr")]
const LISTED: usize = 500;
/// Places and transitions of a drawing of two versions.
#[cfg(feature = "ssr")]
const DRAWN: usize = 300;

/// What became of a build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Built {
    pub report: BuildReport,
    /// Where the file is wrong.
    pub excerpt: Option<Excerpt>,
}

/// Two versions of a net, one made of the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    pub before: u32,
    pub after: u32,
    /// Or why it is not known.
    pub diff: Result<NetDiff, String>,
}

/// What the build of a version of a net came to; `None` where it was never built.
#[server(prefix = "/do", endpoint = "net-report")]
pub async fn net_report(id: NetId, version: u32) -> Result<Option<Built>, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let Some(report) = builds::report(&app, &who, id, Some(version)).await.map_err(fail)? else {
        return Ok(None);
    };
    let at = report.build.error.as_ref().and_then(|error| error.at);
    let excerpt = match at {
        Some((line, column)) => {
            let pnml = definition(&app, report.build.definition).await.map_err(fail)?;
            Excerpt::of(&String::from_utf8_lossy(&pnml), line, column)
        }
        None => None,
    };
    Ok(Some(Built { report, excerpt }))
}

/// The versions of a net, newest first.
#[server(prefix = "/do", endpoint = "net-versions")]
pub async fn net_versions(id: NetId) -> Result<Vec<VersionRow>, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    builds::versions(&app, &who, id).await.map_err(fail)
}

/// What a version changed of the one before it.
#[server(prefix = "/do", endpoint = "compare-versions")]
pub async fn compare_versions(id: NetId, version: u32) -> Result<Compared, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let rows = builds::versions(&app, &who, id).await.map_err(fail)?;
    let found = |number: u32| rows.iter().map(|row| row.version).find(|row| row.number == number);
    let gone = || {
        fail(ApiError::Gone {
            what: format!("version {version} of this net that has one before it and that"),
        })
    };
    let after = found(version).ok_or_else(gone)?;
    let before = rows.iter().map(|row| row.version).filter(|row| row.number < version);
    let before = before.max_by_key(|row| row.number).ok_or_else(gone)?;
    let files = (
        definition(&app, before.definition).await.map_err(fail)?,
        definition(&app, after.definition).await.map_err(fail)?,
    );
    let numbers = (before.number, after.number);
    // Laying out takes its time.
    let compared = tokio::task::spawn_blocking(move || {
        Ok(diff(&read(&files.0, numbers.0)?, &read(&files.1, numbers.1)?, LISTED, DRAWN))
    });
    let diff = compared.await.map_err(|error| fail(internal(&error)))?;
    Ok(Compared { before: before.number, after: after.number, diff })
}

#[cfg(feature = "ssr")]
fn read(pnml: &[u8], number: u32) -> Result<PetriNet, String> {
    pnml::read(pnml, &Limits::default()).map_err(|error| {
        format!("Version {number} cannot be read, so that nothing can be compared with it: {error}")
    })
}

#[cfg(feature = "ssr")]
async fn definition(app: &App, hash: DefinitionHash) -> Result<Vec<u8>, ApiError> {
    let stored = definitions::get(app.store().pool(), hash).await.map_err(|error| internal(&error))?;
    stored.ok_or_else(|| internal(&format!("definition {hash} is missing")))
}

/// A form with `id`, `state_revision`, `key`, and the new version as `file` or `text`; with `keep_broken` it is recorded although it
/// cannot be read.
#[server(prefix = "/do", endpoint = "change-net", input = MultipartFormData)]
pub async fn change_net(data: MultipartData) -> Result<Done, ApiError> {
    use super::actions::NetForm;
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let form = NetForm::read(data).await.map_err(fail)?;
    let id = form.word("id").parse::<NetId>();
    let id = id.map_err(|_| fail(NetForm::unreadable("it does not say which net is meant")))?;
    // An empty field stands for none.
    let if_match = form.word("state_revision").parse().ok();
    let options = Options { if_match, key: form.key };
    let changed = ChangedNet { pnml: form.pnml, keep_broken: form.keep_broken };
    let done = perform(&app, &who, Action::ChangeNet { id, changed }, options).await.map_err(fail)?;
    super::actions::tell_next_page(&done);
    Ok(done)
}

/// Builds the newest version of a net anew.
#[server(prefix = "/do", endpoint = "build-net")]
pub async fn build_net(id: NetId, #[server(default)] key: Option<String>) -> Result<Done, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let options = Options { if_match: None, key: key.map(|key| format!("{key}-build")) };
    let done = perform(&app, &who, Action::BuildNet(id), options).await.map_err(fail)?;
    super::actions::tell_next_page(&done);
    Ok(done)
}
