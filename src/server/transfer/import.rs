//! Importing: one transaction, whole or not at all.

use super::FleetFile;
use crate::{
    app::error::ApiError,
    model::{
        Cluster, Connection, DefinitionHash, Draft, Fleet, Net, NetSize, Project, Provider, Timestamp, Worker,
    },
    petri::samples::SAMPLES,
    server::{
        App,
        api::error::internal,
        auth::Who,
        clock::now,
        storage::{SideWrite, TransactError, audit, definitions},
    },
};
use std::{collections::BTreeMap, sync::Arc};

/// The fleet as a file.
pub async fn export(app: &App) -> Result<FleetFile, ApiError> {
    let fleet = app.store().fleet();
    let mut found = BTreeMap::new();
    for net in fleet.nets() {
        if found.contains_key(&net.definition) {
            continue;
        }
        let pnml = definitions::get(app.store().pool(), net.definition).await;
        let pnml = pnml.map_err(|error| internal(&error))?;
        let pnml = pnml.ok_or_else(|| internal(&format!("definition {} is missing", net.definition)))?;
        // What the reader of PNML accepted is UTF-8.
        found.insert(net.definition, String::from_utf8(pnml).map_err(|error| internal(&error))?);
    }
    Ok(FleetFile::of(&fleet, found))
}

/// Makes the fleet what the file says; a sentence on what was done.
pub async fn import(app: &App, who: &Who, bytes: axum::body::Bytes) -> Result<String, ApiError> {
    let read = tokio::task::spawn_blocking(move || {
        let file = FleetFile::read(&bytes)?;
        file.check().map(|sizes| (file, sizes))
    });
    let read = read.await.map_err(|error| internal(&error))?;
    let (file, sizes) = read.map_err(|error| ApiError::BadRequest { detail: error.to_string() })?;
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
        Ok(((), put(draft, &file, &sizes)))
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
    let untouched = |net: &Net| net.revision == 1 && samples.contains(&net.definition);
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

fn put(draft: &mut Draft, file: &FleetFile, sizes: &BTreeMap<DefinitionHash, NetSize>) -> Vec<SideWrite> {
    let (created_at, updated_at) = (draft.now(), Timestamp::default());
    for row in &file.clusters {
        draft.put_cluster(Cluster {
            id: row.id,
            name: row.name.clone(),
            provider: row.provider,
            region: row.region.clone(),
            connection: Connection::at_first(row.provider),
            lab_sync_minutes: None,
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
    for row in &file.nets {
        let size = sizes.get(&row.definition).copied().unwrap_or_default();
        let net = Net::unassigned(row.id, row.name.clone(), row.project_id, row.definition, size);
        draft.create_net(Net { worker_id: row.worker_id, ..net });
    }
    if let Some(rules) = file.rules() {
        draft.put_rules(rules);
    }
    let definitions = file.definitions.values().map(|pnml| {
        let pnml: Arc<[u8]> = pnml.as_bytes().into();
        SideWrite::Definition { hash: DefinitionHash::of(&pnml), pnml }
    });
    definitions.collect()
}
