//! Versions of nets and their builds: each version is read, checked and analysed before anybody has to load it.
//!
//! What lives here: [`queue`] (builds in a transaction), `job` (takes the oldest that waits), `child` (the process that does the work),
//! and what is read of it all. What must not: an analysis. It happens in a process of its own, so that no net can hurt the console.

mod child;
mod job;
pub mod queue;
#[cfg(test)]
mod tests;

pub use child::BuildConfig;
pub use job::run;

use super::{App, api::error::internal, auth::Who};
use crate::{
    app::error::ApiError,
    model::{Build, BuildStatus, Net, NetBuild, NetId, VersionRow},
    petri::report::{BuildLine, BuildReport},
    server::storage::{
        StorageError, builds,
        reports::{self, Kept},
        versions,
    },
};
use std::{sync::Arc, time::Duration};

/// The versions of a net, newest first, each with how its build stands.
pub async fn versions(app: &App, who: &Who, net: NetId) -> Result<Vec<VersionRow>, ApiError> {
    visible(app, who, net)?;
    let pool = app.store().pool();
    let mut rows = versions::of_net(pool, net).await.map_err(ours)?;
    let builds = builds::last_of_each(pool, net).await.map_err(ours)?;
    for row in &mut rows {
        row.build = builds.get(&row.version.number).map(NetBuild::from);
    }
    Ok(rows)
}

/// What the build of a version found; of the newest version where none is named. `None`: that version was never built.
pub async fn report(
    app: &App,
    who: &Who,
    net: NetId,
    version: Option<u32>,
) -> Result<Option<BuildReport>, ApiError> {
    let newest = visible(app, who, net)?.newest().number;
    let version = version.unwrap_or(newest);
    if version > newest {
        return Err(ApiError::NoVersion { number: version, newest });
    }
    let pool = app.store().pool();
    let Some(build) = builds::last(pool, net, version).await.map_err(ours)? else { return Ok(None) };
    let kept = match build.status {
        BuildStatus::Failed if build.summary.is_none() => None,
        // What was found before holds, though building it anew failed.
        BuildStatus::Succeeded | BuildStatus::Failed => {
            reports::get(pool, build.definition).await.map_err(ours)?
        }
        BuildStatus::Queued | BuildStatus::Running => None,
    };
    let kept = kept.map(|(_, kept)| kept);
    let log = log(&build, kept.as_ref());
    let (structure, report) = kept.map(|kept| (kept.structure, kept.report)).unzip();
    Ok(Some(BuildReport { build, structure, report, log }))
}

/// A net that `who` sees.
pub fn visible(app: &App, who: &Who, net: NetId) -> Result<Arc<Net>, ApiError> {
    let fleet = app.store().fleet();
    let row = fleet.net(net).filter(|net| who.scope.sees_project(net.project_id));
    row.cloned().ok_or(ApiError::Gone { what: "net".to_owned() })
}

fn ours(error: StorageError) -> ApiError {
    internal(&error)
}

/// What happened in a build, as its row and its report have it.
fn log(build: &Build, kept: Option<&Kept>) -> Vec<BuildLine> {
    let mut lines = vec![BuildLine { at: build.queued_at, text: "Queued".to_owned() }];
    if let Some(at) = build.started_at {
        let text = match build.attempts {
            0 | 1 => "Begun".to_owned(),
            attempts => format!("Begun for the {}", if attempts == 2 { "second time" } else { "third time" }),
        };
        lines.push(BuildLine { at, text });
        let made = kept.filter(|kept| kept.build == build.id);
        lines.extend(made.into_iter().flat_map(|kept| &kept.log).map(|(after, text)| BuildLine {
            at: at.plus(Duration::from_millis(*after)),
            text: text.clone(),
        }));
    }
    if let Some(at) = build.finished_at {
        let text = match (build.status, &build.error, &build.summary) {
            (BuildStatus::Failed, Some(error), _) => {
                let place = error.at.map(|(line, column)| format!(" at line {line}, column {column}"));
                let text = error.text.trim_end_matches('.');
                let still = if build.summary.is_some() { "; what was found before holds" } else { "" };
                format!("Failed{}: {text}{still}", place.unwrap_or_default())
            }
            (BuildStatus::Failed, None, _) => "Failed".to_owned(),
            (_, _, Some(summary)) if kept.is_some_and(|kept| kept.build != build.id) => {
                format!("The same file was built before: {} of 8 verdicts are decided", summary.decided)
            }
            (_, _, Some(summary)) => format!("Succeeded: {} of 8 verdicts are decided", summary.decided),
            (_, _, None) => "Succeeded".to_owned(),
        };
        lines.push(BuildLine { at, text });
    }
    lines
}
