//! Creating and deleting clusters. Neither touches a machine.

use super::{
    create::taken,
    outcome::{once, same_revision},
};
use crate::{
    app::error::ApiError,
    model::{Cluster, ClusterId, Connection, Done, Name, NewCluster, Provider, Role, Timestamp},
    server::{App, auth::Who, storage::idempotency::Key},
};
use uuid::Uuid;

/// Whoever creates an external cluster lets its workers' addresses be called from the console's network: that is for administrators.
pub async fn create(app: &App, who: &Who, new: NewCluster, key: Option<Key>) -> Result<Done, ApiError> {
    who.need(Role::Admin)?;
    let bad = |detail: String| ApiError::BadRequest { detail };
    let name = Name::new(&new.name).map_err(|error| bad(error.to_string()))?;
    let provider = new.provider;
    if !matches!(provider, Provider::Local | Provider::External) {
        return Err(bad(format!("The provider {} is not available in this build.", provider.as_str())));
    }
    let region = new.region.map(|region| region.trim().to_owned()).filter(|region| !region.is_empty());
    if let Some(region) = &region {
        Name::new(region).map_err(|error| bad(format!("The region is not usable: {error}")))?;
    }
    once(app, who, key, move |draft| {
        if draft.cluster_name_taken(&name) {
            return Err(taken("cluster", &name, "this console"));
        }
        let cluster = draft.put_cluster(Cluster {
            id: ClusterId(Uuid::now_v7()),
            name: name.clone(),
            provider,
            region: region.clone(),
            connection: Connection::at_first(provider),
            lab_sync_minutes: None,
            revision: 0,
            created_at: draft.now(),
            updated_at: Timestamp::default(),
        });
        let message = format!("The cluster {name} ({}) was created.", provider.as_str());
        Ok((Done { message, cluster: Some(cluster), ..Done::default() }, Vec::new()))
    })
    .await
}

/// Gives a cluster another name; `if_match` is its revision.
pub async fn rename(
    app: &App,
    who: &Who,
    id: ClusterId,
    name: &str,
    if_match: Option<u64>,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    who.need(Role::Admin)?;
    let name = Name::new(name).map_err(|error| ApiError::BadRequest { detail: error.to_string() })?;
    once(app, who, key, move |draft| {
        let gone = || ApiError::Gone { what: "cluster".to_owned() };
        let cluster = draft.before().cluster(id).cloned().ok_or_else(gone)?;
        same_revision("cluster", if_match, cluster.revision)?;
        let mut others = draft.before().clusters().filter(|other| other.id != id);
        if others.any(|other| other.name.reads_as(&name)) {
            return Err(taken("cluster", &name, "this console"));
        }
        let message = format!("The cluster {} is named {name} now.", cluster.name);
        let cluster = draft.put_cluster(Cluster { name, ..Cluster::clone(&cluster) });
        Ok((Done { message, cluster: Some(cluster), ..Done::default() }, Vec::new()))
    })
    .await
}

/// Deletes an empty cluster.
pub async fn delete(app: &App, who: &Who, id: ClusterId, key: Option<Key>) -> Result<Done, ApiError> {
    who.need(Role::Admin)?;
    once(app, who, key, move |draft| {
        let gone = || ApiError::Gone { what: "cluster".to_owned() };
        let cluster = draft.before().cluster(id).cloned().ok_or_else(gone)?;
        let workers = draft.before().workers().filter(|worker| worker.cluster_id == id).count();
        if workers > 0 {
            return Err(ApiError::Refused {
                detail: format!(
                    "Cannot delete cluster {}: it has {workers} {}. Delete them first.",
                    cluster.name,
                    if workers == 1 { "worker" } else { "workers" }
                ),
                code: "cluster_not_empty".to_owned(),
                current: None,
            });
        }
        draft.delete_cluster(id);
        let message = format!("The cluster {} was deleted.", cluster.name);
        Ok((Done { message, ..Done::default() }, Vec::new()))
    })
    .await
}
