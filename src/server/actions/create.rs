//! Creating workers and nets: one transaction, no machine involved.

use super::{
    outcome::{once, quota_reached},
    version::Content,
};
use crate::{
    app::error::ApiError,
    model::{
        Category, Done, Name, Net, NetId, NewNet, NewWorker, Provider, Worker, WorkerId,
        action::{CPUS, MEMORY_MB, whole_number_wanted},
        quota,
    },
    server::{App, auth::Who, providers::external, storage::idempotency::Key},
};
use std::{ops::RangeInclusive, sync::Arc};
use uuid::Uuid;

pub async fn worker(app: &App, who: &Who, new: NewWorker, key: Option<Key>) -> Result<Done, ApiError> {
    let bad = |detail: String| ApiError::BadRequest { detail };
    let name = Name::new(&new.name).map_err(|error| bad(error.to_string()))?;
    let within = |field, bounds: &RangeInclusive<u64>, given: u64| match bounds.contains(&given) {
        true => Ok(given),
        false => Err(bad(whole_number_wanted(field, bounds, &given.to_string()))),
    };
    // Both bounds are far below what the row's types hold.
    let cpus = within("cpus", &CPUS, new.cpus)? as u16;
    let memory_mb = within("memory_mb", &MEMORY_MB, new.memory_mb)? as u32;
    let (cluster_id, category) = (new.cluster_id, new.category);
    // A form sends the field empty where there is nothing to say.
    let endpoint = new.endpoint.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let endpoint = endpoint.map(|text| external::endpoint(&text)).transpose();
    let endpoint = endpoint.map_err(|error| bad(error.to_string()))?;
    once(app, who, key, move |draft| {
        let cluster =
            draft.before().cluster(cluster_id).ok_or(ApiError::Gone { what: "cluster".to_owned() })?;
        if let Some(there) = draft.worker_named(cluster_id, &name) {
            return Err(taken("worker", &there.name, &format!("cluster {}", cluster.name)));
        }
        match (cluster.provider, &endpoint) {
            (Provider::External, None) => {
                return Err(ApiError::BadRequest {
                    detail: format!(
                        "Cluster {} is of machines that somebody else runs: say where this one answers, for example http://192.0.2.7:7070.",
                        cluster.name
                    ),
                });
            }
            (Provider::External, Some(_)) | (_, None) => {}
            (provider, Some(_)) => {
                return Err(ApiError::BadRequest {
                    detail: format!(
                        "Cluster {} makes its machines itself ({}): leave the address out.",
                        cluster.name,
                        provider.as_str()
                    ),
                });
            }
        }
        let worker = Worker {
            category,
            endpoint: endpoint.clone(),
            region: cluster.region.clone(),
            cpus,
            memory_mb,
            ..Worker::pending(WorkerId(Uuid::now_v7()), name.clone(), cluster_id, cluster.provider)
        };
        let id = worker.id;
        draft.create_worker(worker);
        let kind = if category == Category::Persistent { "persistent" } else { "ephemeral" };
        let message = match cluster.provider {
            Provider::External => format!(
                "The worker {name} was created. Start its process with this id and its token, then provision it to connect."
            ),
            _ => format!("The {kind} worker {name} was created. Provision it to start its machine."),
        };
        Ok((Done { message, worker: draft.worker(id).ok().cloned(), ..Done::default() }, Vec::new()))
    })
    .await
}

pub async fn net(app: &App, who: &Who, new: NewNet, key: Option<Key>) -> Result<Done, ApiError> {
    let given = new.name.trim().to_owned();
    // Checked before the file is read: the shorter mistake first.
    if !given.is_empty() {
        Name::new(&given).map_err(|error| ApiError::BadRequest { detail: error.to_string() })?;
    }
    let content = Content::look(app, new.pnml, new.keep_broken).await?;
    let name = match (given.is_empty(), &content.title) {
        (false, _) => given,
        (true, Some(title)) => title.clone(),
        (true, None) => {
            let detail = "A file that cannot be read says no name: give the net one.".to_owned();
            return Err(ApiError::BadRequest { detail });
        }
    };
    let name = Name::new(&name).map_err(|error| ApiError::BadRequest {
        detail: format!("{error} Or give the net a name of your own."),
    })?;
    let project_id = new.project_id;
    let scope = who.scope.clone();
    once(app, who, key, move |draft| {
        let project = draft.before().project(project_id).filter(|project| scope.sees_project(project.id));
        let project = project.ok_or(ApiError::Gone { what: "project".to_owned() })?;
        if let Some(there) = draft.net_named(project_id, &name) {
            return Err(taken("net", &there.name, &format!("project {}", project.name)));
        }
        quota::joins(project, draft.before().nets().map(Arc::as_ref), None).map_err(quota_reached)?;
        let size = content.size;
        let net = Net::unassigned(NetId(Uuid::now_v7()), name.clone(), project_id, content.hash, size);
        let (id, number) = (net.id, net.version);
        draft.create_net(net);
        let message = match content.warning() {
            None => format!("The net {name} was added: {size}."),
            Some(warning) => format!("The net {name} was added. {warning}"),
        };
        let side = content.record(draft, id, number)?;
        Ok((Done { message, net: draft.net(id).ok().cloned(), ..Done::default() }, side))
    })
    .await
}

pub(super) fn taken(what: &str, name: &Name, within: &str) -> ApiError {
    ApiError::Conflict {
        detail: format!(
            "There is a {what} named {name} in {within} already; capitals make no difference. Choose another name."
        ),
    }
}
