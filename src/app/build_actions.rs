//! The server functions of builds and versions.
//!
//! As in [`super::actions`], each that changes something is also the target of a plain HTML form.

use super::{error::ApiError, excerpt::Excerpt};
#[cfg(any(feature = "ssr", feature = "csr"))]
use crate::model::NetVersion;
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

/// A version beside another one of the same net.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    pub before: u32,
    pub after: u32,
    /// What `after` can be compared with, newest first.
    pub others: Vec<Other>,
    /// Whether both are one file, byte by byte.
    pub same: bool,
    /// Or why it is not known.
    pub diff: Result<NetDiff, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    pub number: u32,
    /// Of one that cannot be read nothing can be compared.
    pub readable: bool,
}

/// The version that is compared, the one it is compared with, and all that it can be compared with. `with` is the one that was chosen;
/// else it is the last before it that can be read. `rows` come newest first.
#[cfg(any(feature = "ssr", feature = "csr"))]
pub fn sides(
    rows: &[VersionRow],
    version: u32,
    with: Option<u32>,
) -> Result<(NetVersion, NetVersion, Vec<Other>), ApiError> {
    let newest = rows.iter().map(|row| row.version.number).max().unwrap_or_default();
    let found = |number: u32| {
        let found = rows.iter().map(|row| row.version).find(|row| row.number == number);
        found.ok_or(ApiError::NoVersion { number, newest })
    };
    let bad = |detail: String| Err(ApiError::BadRequest { detail });
    let after = found(version)?;
    let before = match with {
        Some(with) if with == version => {
            return bad(format!(
                "Version {version} is the same as itself. Choose another one to compare it with."
            ));
        }
        Some(with) => found(with)?,
        None => {
            let mut before = rows.iter().map(|row| row.version);
            match before.find(|row| row.number < version && !row.size.is_nothing()) {
                Some(before) => before,
                None => {
                    return bad(format!(
                        "No version before {version} can be read. Choose a later one to compare it with."
                    ));
                }
            }
        }
    };
    let others = rows.iter().map(|row| row.version).filter(|row| row.number != version);
    let others = others.map(|row| Other { number: row.number, readable: !row.size.is_nothing() });
    Ok((after, before, others.collect()))
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

/// What a version changed of another one: of the last before it that can be read, where none is chosen.
#[server(prefix = "/do", endpoint = "compare-versions")]
pub async fn compare_versions(
    id: NetId,
    version: u32,
    #[server(default)] with: Option<u32>,
) -> Result<Compared, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let rows = builds::versions(&app, &who, id).await.map_err(fail)?;
    let (after, before, others) = sides(&rows, version, with).map_err(fail)?;
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
    let same = before.definition == after.definition;
    Ok(Compared { before: before.number, after: after.number, others, same, diff })
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

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::model::{Actor, NetSize, Timestamp};

    /// Newest first; one that cannot be read has no size.
    fn rows(readable: &[bool]) -> Vec<VersionRow> {
        let row = |(n, readable): (usize, &bool)| {
            let places = u32::from(*readable);
            let size = NetSize { places, ..NetSize::default() };
            let definition = DefinitionHash::of(&[n as u8]);
            let version = NetVersion { number: n as u32 + 1, definition, size };
            VersionRow { version, at: Timestamp(0), actor: Actor::System, build: None }
        };
        readable.iter().enumerate().map(row).rev().collect()
    }

    fn before(rows: &[VersionRow], version: u32, with: Option<u32>) -> Result<u32, String> {
        let found = sides(rows, version, with).map_err(|error| error.to_string());
        found.map(|(_, before, _)| before.number)
    }

    #[test]
    fn a_version_is_compared_with_the_last_one_before_it_that_can_be_read() {
        let rows = rows(&[true, true, false, false, true]);
        assert_eq!(before(&rows, 5, None), Ok(2));
        assert_eq!(before(&rows, 2, None), Ok(1));
        let none = before(&rows, 1, None).unwrap_err();
        assert_eq!(none, "No version before 1 can be read. Choose a later one to compare it with.");
    }

    #[test]
    fn a_version_is_compared_with_any_that_is_chosen() {
        let rows = rows(&[true, false, true]);
        assert_eq!((before(&rows, 3, Some(1)), before(&rows, 1, Some(3))), (Ok(1), Ok(3)));
        let (_, _, others) = sides(&rows, 3, Some(1)).unwrap();
        let other = |number, readable| Other { number, readable };
        assert_eq!(others, [other(2, false), other(1, true)]);
        let none = before(&rows, 3, Some(9)).unwrap_err();
        assert_eq!(none, "There is no version 9 of this net: it has versions 1 to 3.");
        assert!(before(&rows, 3, Some(3)).unwrap_err().contains("the same as itself"));
    }
}
