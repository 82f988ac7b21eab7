//! The versions of nets as their pages show them: which there are, what the build of each found, and what each changed.

use super::{
    actions::{bad, perform},
    doors::{Answer, Call, no_net, ok},
    fleet::Demo,
    forms::{NetForm, arguments, unreadable},
};
use crate::{
    app::{
        build_actions::{self as door, Built, Compared},
        error::ApiError,
    },
    model::{
        Action, Actor, Build, BuildId, ChangedNet, Net, NetBuild, NetId, NetVersion, Options, VersionRow,
    },
    petri::{
        NetReport,
        analysis::{Resource, Structure},
        diff::diff,
        report::{BuildLine, BuildReport},
    },
};
use server_fn::ServerFn;

/// Differences that are listed, and places and transitions of a drawing of two versions; as on the real server.
const LISTED: usize = 500;
const DRAWN: usize = 300;

/// The answer of a server function of builds and versions; `None` where the path is none of them.
pub async fn answer(demo: &Demo, call: &Call) -> Result<Option<Answer>, ApiError> {
    let path = call.path.as_str();
    Ok(Some(if path == door::NetReport::PATH {
        let door::NetReport { id, version } = arguments(call)?;
        ok(&report(demo, id, version)?)
    } else if path == door::NetVersions::PATH {
        let door::NetVersions { id } = arguments(call)?;
        ok(&all(demo, id)?)
    } else if path == door::CompareVersions::PATH {
        let door::CompareVersions { id, version, with } = arguments(call)?;
        ok(&compare(demo, id, version, with)?)
    } else if path == door::ChangeNet::PATH {
        let form = NetForm::of(call)?;
        let id = form.words("id").parse::<NetId>();
        let id = id.map_err(|_| unreadable("it does not say which net is meant"))?;
        let options = Options { if_match: form.words("state_revision").parse().ok(), key: None };
        let changed = ChangedNet { pnml: form.pnml, keep_broken: false };
        ok(&perform(demo, Action::ChangeNet { id, changed }, options).await?)
    } else if path == door::BuildNet::PATH {
        let door::BuildNet { id, .. } = arguments(call)?;
        ok(&perform(demo, Action::BuildNet(id), Options::default()).await?)
    } else {
        return Ok(None);
    }))
}

/// Remembers the newest version of a net, and who made it.
pub fn keep(demo: &Demo, id: NetId, actor: Actor) {
    let Some(net) = demo.fleet().net(id).cloned() else { return };
    let version = net.newest();
    let mut versions = demo.versions.borrow_mut();
    let rows = versions.entry(id).or_default();
    if rows.last().is_none_or(|row| row.version.number < version.number) {
        rows.push(VersionRow { version, at: net.updated_at, actor, build: None });
    }
}

/// Remembers what a build that is over found.
pub fn keep_report(demo: &Demo, id: BuildId, structure: Structure, report: NetReport) {
    // It may have gone with its net.
    let Some(build) = demo.fleet().build(id).cloned() else { return };
    let build = Build::clone(&build);
    let (key, log) = ((build.net_id, build.version), log(&build, Some(&report)));
    let kept = BuildReport { build, structure: Some(structure), report: Some(report), log };
    demo.reports.borrow_mut().insert(key, kept);
}

/// A version that was asked for by its number.
pub fn one(demo: &Demo, net: &Net, number: u32) -> Result<NetVersion, ApiError> {
    let versions = demo.versions.borrow();
    let found = versions.get(&net.id).and_then(|rows| rows.iter().find(|row| row.version.number == number));
    found.map(|row| row.version).ok_or_else(|| {
        let newest = net.newest().number;
        bad(format!("Cannot load version {number} of {}: it has versions 1 to {newest}.", net.name))
    })
}

/// Newest first, each with how its build stands.
fn all(demo: &Demo, id: NetId) -> Result<Vec<VersionRow>, ApiError> {
    if demo.fleet().net(id).is_none() {
        return Err(no_net());
    }
    let mut rows = demo.versions.borrow().get(&id).cloned().unwrap_or_default();
    rows.reverse();
    for row in &mut rows {
        let build = last_build(demo, id, row.version.number);
        row.build = build.as_ref().map(NetBuild::from);
    }
    Ok(rows)
}

/// The last build of a version. The fleet forgets those that ended long ago; what they found is kept with them.
fn last_build(demo: &Demo, id: NetId, version: u32) -> Option<Build> {
    let fleet = demo.fleet();
    let mut newest_first = fleet.builds().rev();
    let held = newest_first.find(|build| build.net_id == id && build.version == version);
    let held = held.map(|build| Build::clone(build));
    held.or_else(|| demo.reports.borrow().get(&(id, version)).map(|kept| kept.build.clone()))
}

fn report(demo: &Demo, id: NetId, version: u32) -> Result<Option<Built>, ApiError> {
    if demo.fleet().net(id).is_none() {
        return Err(no_net());
    }
    let Some(build) = last_build(demo, id, version) else { return Ok(None) };
    let kept = demo.reports.borrow().get(&(id, version)).cloned();
    // While it is built anew, what an earlier build found is not told.
    let report = kept.filter(|kept| kept.build.id == build.id).unwrap_or_else(|| BuildReport {
        log: log(&build, None),
        build,
        structure: None,
        report: None,
    });
    // Only what could be read is built here: no file has a line to show.
    Ok(Some(Built { report, excerpt: None }))
}

/// What happened in a build, as far as it is.
fn log(build: &Build, found: Option<&NetReport>) -> Vec<BuildLine> {
    let mut lines = vec![BuildLine { at: build.queued_at, text: "Queued".to_owned() }];
    lines.extend(build.started_at.map(|at| BuildLine { at, text: "Begun".to_owned() }));
    let (Some(report), Some(at)) = (found, build.finished_at) else { return lines };
    let explored = report.explored;
    let all = if explored.complete { "that is all of them" } else { "not all of them" };
    let invariants = (report.place_invariants.found, report.transition_invariants.found);
    let mut said = vec![
        format!("Invariants: {} of places, {} of transitions", invariants.0, invariants.1),
        format!("{} states, {} edges seen; {all}", explored.states, explored.edges),
    ];
    said.extend(report.hit.map(|resource| {
        let what = match resource {
            Resource::Time => "time",
            Resource::Memory => "memory",
        };
        format!("The {what} that a page spares for a build was used up: the rest is not decided")
    }));
    said.extend(
        build.summary.map(|summary| format!("Succeeded: {} of 8 verdicts are decided", summary.decided)),
    );
    lines.extend(said.into_iter().map(|text| BuildLine { at, text }));
    lines
}

/// What a version changed of another one.
fn compare(demo: &Demo, id: NetId, version: u32, with: Option<u32>) -> Result<Compared, ApiError> {
    let (after, before, others) = door::sides(&all(demo, id)?, version, with)?;
    let definitions = demo.definitions.borrow();
    let (Some(old), Some(new)) = (definitions.get(&before.definition), definitions.get(&after.definition))
    else {
        return Err(no_net());
    };
    let diff = Ok(diff(old, new, LISTED, DRAWN));
    let same = before.definition == after.definition;
    Ok(Compared { before: before.number, after: after.number, others, same, diff })
}
