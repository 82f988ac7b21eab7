//! Versions of nets and their builds: the page itself analyses them, one at a time, for no longer than a glance is held up.

use super::{
    actions::{bad, done_net, fresh, read, stays},
    fleet::{Demo, now},
    versions,
};
use crate::{
    app::error::{ApiError, Current},
    model::{
        Actor, Build, BuildCause, BuildId, BuildStatus, BuildSummary, ChangedNet, DefinitionHash, Done,
        Draft, Gone, NetId, NetVersion, lifecycle::NetWord,
    },
    petri::{
        NetReport,
        analysis::{Budget, Structure, analyse},
    },
};
use gloo_timers::future::TimeoutFuture;
use std::time::Duration;
use uuid::Uuid;
use web_time::Instant;

/// What a build may take of the page. The real one has a process of its own.
const TIME: Duration = Duration::from_millis(80);
const MEMORY: usize = 16_000_000;
/// Between two looks for what waits, milliseconds.
const LOOK_EVERY: u32 = 400;

/// Has a version built.
pub fn queue(draft: &mut Draft, net: NetId, version: u32, definition: DefinitionHash) -> Result<(), Gone> {
    // Ids that grow with time.
    let id = BuildId(Uuid::from_u64_pair(now().0, Uuid::new_v4().as_u64_pair().1));
    let project = draft.net(net)?.project_id;
    let build = Build::queued(id, net, project, version, definition, draft.now());
    draft.put_build(BuildCause::Queued, build)
}

/// Gives a net a new version. What cannot be read is not kept here.
pub fn change(demo: &Demo, id: NetId, changed: &ChangedNet, if_match: Option<u64>) -> Result<Done, ApiError> {
    let net = read(&changed.pnml).map_err(|error| ApiError::BadPnml {
        line: error.line,
        column: error.column,
        reason: error.kind.to_string(),
    })?;
    let (definition, size) = (DefinitionHash::of(&changed.pnml), net.size());
    let done = demo.transact(demo.operator(), |draft| {
        let row = draft.net(id)?.clone();
        fresh(if_match, row.state_revision, &row.name, NetWord(&row).to_string(), || {
            Current::Net(row.clone())
        })?;
        stays(&row, "change")?;
        let newest = row.newest();
        if newest.definition == definition {
            let message = format!("{} is the same in version {} already.", row.name, newest.number);
            return done_net(draft, id, message);
        }
        let number = newest.number + 1;
        draft.add_version(id, NetVersion { number, definition, size })?;
        queue(draft, id, number, definition)?;
        done_net(draft, id, format!("{} has version {number} now.", row.name))
    })?;
    demo.definitions.borrow_mut().insert(definition, net);
    versions::keep(demo, id, demo.operator());
    Ok(done)
}

/// Builds the newest version anew.
pub fn again(demo: &Demo, id: NetId) -> Result<Done, ApiError> {
    demo.transact(demo.operator(), |draft| {
        let row = draft.net(id)?.clone();
        stays(&row, "build")?;
        let newest = row.newest();
        if row.build.as_ref().is_some_and(|build| !build.status.is_over()) {
            return Err(bad(format!("{} is being built already.", row.name)));
        }
        queue(draft, id, newest.number, newest.definition)?;
        done_net(draft, id, format!("Version {} of {} is built anew.", newest.number, row.name))
    })
}

/// Builds what waits, as long as the page is there.
pub fn begin(demo: &Demo) {
    let demo = demo.clone();
    wasm_bindgen_futures::spawn_local(async move {
        loop {
            TimeoutFuture::new(LOOK_EVERY).await;
            let waiting = demo.fleet().builds().find(|build| build.status == BuildStatus::Queued).cloned();
            let Some(build) = waiting else { continue };
            let net = demo.definitions.borrow().get(&build.definition).cloned();
            let Some(net) = net else { continue };
            let edit = |cause, edit: &dyn Fn(&mut Build)| {
                // It may have gone with its net.
                _ = demo.transact(Actor::System, |draft| {
                    let mut build = Build::clone(draft.build(build.id)?);
                    edit(&mut build);
                    draft.put_build(cause, build)
                });
            };
            edit(BuildCause::Started, &|build| {
                (build.status, build.attempts, build.started_at) = (BuildStatus::Running, 1, Some(now()));
            });
            // A frame, for what is shown of it.
            TimeoutFuture::new(20).await;
            let began = Instant::now();
            let elapsed = || began.elapsed();
            let structure = Structure::of(&net);
            let budget = Budget { time: TIME, memory: MEMORY, elapsed: &elapsed };
            let report = NetReport::from(&analyse(&net, &budget));
            let summary = BuildSummary::from(&report);
            edit(BuildCause::Finished, &|build| {
                (build.status, build.summary) = (BuildStatus::Succeeded, Some(summary));
                build.finished_at = Some(now());
            });
            versions::keep_report(&demo, build.id, structure, report);
        }
    });
}
