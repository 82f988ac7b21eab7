//! Importing: one transaction, whole or not at all.

use super::{
    FleetFile,
    file::{Files, VersionRecord},
};
use crate::{
    app::error::ApiError,
    model::{
        Cluster, Connection, DefinitionHash, Draft, Fleet, Net, NetVersion, Project, Provider, Timestamp,
        VersionRow, Worker,
    },
    petri::samples::SAMPLES,
    server::{
        App,
        api::error::internal,
        auth::Who,
        builds::queue::{self, Known},
        clock::now,
        storage::{SideWrite, TransactError, audit, definitions, versions},
    },
};
use std::{collections::BTreeMap, sync::Arc};

/// The fleet as a file.
pub async fn export(app: &App) -> Result<FleetFile, ApiError> {
    let fleet = app.store().fleet();
    let pool = app.store().pool();
    let versions = versions::all(pool).await.map_err(|error| internal(&error))?;
    let mut found = BTreeMap::new();
    for net in fleet.nets() {
        let newest = net.newest();
        let earlier = versions.get(&net.id).into_iter().flatten();
        // What was added since the fleet was looked at is not in the file.
        let earlier = earlier.map(|row| row.version).filter(|version| version.number <= newest.number);
        for hash in earlier.chain([newest]).map(|version| version.definition) {
            if found.contains_key(&hash) {
                continue;
            }
            let pnml = definitions::get(pool, hash).await.map_err(|error| internal(&error))?;
            let pnml = pnml.ok_or_else(|| internal(&format!("definition {hash} is missing")))?;
            // What was accepted is UTF-8.
            found.insert(hash, String::from_utf8(pnml).map_err(|error| internal(&error))?);
        }
    }
    Ok(FleetFile::of(&fleet, &versions, found))
}

/// Makes the fleet what the file says; a sentence on what was done.
pub async fn import(app: &App, who: &Who, bytes: axum::body::Bytes) -> Result<String, ApiError> {
    let read = tokio::task::spawn_blocking(move || {
        let file = FleetFile::read(&bytes)?;
        file.check().map(|files| (file, files))
    });
    let read = read.await.map_err(|error| internal(&error))?;
    let (file, files) = read.map_err(|error| ApiError::BadRequest { detail: error.to_string() })?;
    let message = format!(
        "Imported {} clusters, {} projects, {} workers and {} nets. The workers are pending: provision those that are to have a machine.",
        file.clusters.len(),
        file.projects.len(),
        file.workers.len(),
        file.nets.len()
    );
    let committed = app.store().transact_with(who.actor(), None, move |draft, _| {
        let fleet = draft.before();
        if let Some(there) = more_than_the_beginning(fleet) {
            return Err(ApiError::Conflict {
                detail: format!(
                    "This console is not empty: it has {there}. Import into a console that was just set up; nothing was imported."
                ),
            });
        }
        clear(draft);
        let side = put(draft, &file, &files)?;
        Ok(((), side))
    });
    let outcome = committed.await.map_err(|error| match error {
        TransactError::Refused(error) => error,
        TransactError::Storage(error) => internal(&error),
    });
    let said = outcome.as_ref().map_or_else(|error| format!("refused: {error}"), |()| message.clone());
    let target = "the fleet".to_owned();
    let line = audit::Line { at: now(), actor: who.actor(), action: "import", target, outcome: said };
    if let Err(error) = app.store().record(line.clone()).await {
        tracing::error!(%error, ?line, "the audit log could not be written");
    }
    outcome.map(|()| message)
}

/// What somebody has made since the console was set up: a new one has a local cluster, a project and the sample nets.
fn more_than_the_beginning(fleet: &Fleet) -> Option<String> {
    let samples = SAMPLES.map(|sample| DefinitionHash::of(sample.pnml.as_bytes()));
    // That it was built is nobody's doing.
    let untouched =
        |net: &Net| net.state_revision == 1 && net.version == 1 && samples.contains(&net.definition);
    if let Some(worker) = fleet.workers().next() {
        return Some(format!("the worker {}", worker.name));
    }
    if let Some(net) = fleet.nets().find(|net| !untouched(net)) {
        return Some(format!("the net {}", net.name));
    }
    if let Some(cluster) = fleet.clusters().find(|row| row.revision > 1 || row.provider != Provider::Local) {
        return Some(format!("the cluster {}", cluster.name));
    }
    let extra = fleet.clusters().nth(1).map(|cluster| format!("the cluster {}", cluster.name));
    let named = |project: &&Arc<Project>| project.revision > 1 || project.name.as_str() != "default";
    extra.or_else(|| fleet.projects().find(named).map(|project| format!("the project {}", project.name)))
}

/// Takes away what a new console begins with.
fn clear(draft: &mut Draft) {
    let fleet = draft.before();
    for net in fleet.nets() {
        // It is there: it was read a line above.
        let _ = draft.delete_net(net.id);
    }
    fleet.projects().for_each(|project| draft.delete_project(project.id));
    fleet.clusters().for_each(|cluster| draft.delete_cluster(cluster.id));
}

fn put(draft: &mut Draft, file: &FleetFile, files: &Files) -> Result<Vec<SideWrite>, ApiError> {
    let (created_at, updated_at) = (draft.now(), Timestamp::default());
    for row in &file.clusters {
        draft.put_cluster(Cluster {
            id: row.id,
            name: row.name.clone(),
            provider: row.provider,
            region: row.region.clone(),
            connection: Connection::Connected,
            lab_sync_minutes: row.lab_sync_minutes,
            revision: 0,
            created_at,
            updated_at,
        });
    }
    for row in &file.projects {
        let (name, quotas) = (row.name.clone(), row.quotas);
        draft.put_project(Project { id: row.id, name, quotas, revision: 0, created_at, updated_at });
    }
    for row in &file.workers {
        let cluster = file.clusters.iter().find(|cluster| cluster.id == row.cluster_id);
        let provider = cluster.map_or(Provider::Local, |cluster| cluster.provider);
        draft.create_worker(Worker {
            category: row.category,
            endpoint: row.endpoint.clone(),
            region: row.region.clone(),
            cpus: row.cpus,
            memory_mb: row.memory_mb,
            ..Worker::pending(row.id, row.name.clone(), row.cluster_id, provider)
        });
    }
    let mut side = definitions(file);
    for row in &file.nets {
        let made = VersionRecord {
            definition: row.definition,
            at: created_at,
            actor: draft.actor().clone(),
            broken: false,
        };
        let versions = if row.versions.is_empty() { std::slice::from_ref(&made) } else { &row.versions };
        let size = |definition: &DefinitionHash| {
            files.get(definition).cloned().and_then(Result::ok).unwrap_or_default()
        };
        let net =
            Net::unassigned(row.id, row.name.clone(), row.project_id, row.definition, size(&row.definition));
        let newest = u32::try_from(versions.len()).unwrap_or(u32::MAX);
        draft.create_net(Net { worker_id: row.worker_id, version: newest, ..net });
        for (number, record) in (1..).zip(versions) {
            let definition = record.definition;
            let version = NetVersion { number, definition, size: size(&definition) };
            let version = VersionRow { version, at: record.at, actor: record.actor.clone(), build: None };
            side.push(SideWrite::Version { net: row.id, row: version });
            let known = match files.get(&definition) {
                Some(Err(error)) => Known::Broken(error.clone()),
                _ => Known::Nothing,
            };
            queue::put(draft, row.id, number, definition, known)?;
        }
    }
    if let Some(rules) = file.rules() {
        draft.put_rules(rules);
    }
    Ok(side)
}

fn definitions(file: &FleetFile) -> Vec<SideWrite> {
    let definitions = file.definitions.values().map(|pnml| {
        let pnml: Arc<[u8]> = pnml.as_bytes().into();
        SideWrite::Definition { hash: DefinitionHash::of(&pnml), pnml }
    });
    definitions.collect()
}
