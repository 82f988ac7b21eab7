//! Clusters and projects: what an operator can do with them. The simulated provider makes machines wherever it is asked to.

use super::{
    actions::{bad, stays, taken},
    fleet::Demo,
};
use crate::{
    app::error::ApiError,
    model::{
        Cluster, ClusterId, Connection, Done, Draft, Name, NetCause, NetId, NewCluster, NewProject, Project,
        ProjectId, Timestamp,
    },
};
use std::sync::Arc;
use uuid::Uuid;

const CONSOLE: &str = "this console";

pub fn create_cluster(demo: &Demo, new: NewCluster) -> Result<Done, ApiError> {
    let name = Name::new(&new.name).map_err(bad)?;
    demo.transact(demo.operator(), |draft| {
        if draft.cluster_name_taken(&name) {
            return Err(taken("cluster", &name, CONSOLE));
        }
        let cluster = draft.put_cluster(Cluster {
            id: ClusterId(Uuid::new_v4()),
            name: name.clone(),
            provider: new.provider,
            region: new.region.filter(|region| !region.trim().is_empty()),
            connection: Connection::at_first(new.provider),
            lab_sync_minutes: None,
            revision: 0,
            created_at: draft.now(),
            updated_at: Timestamp::default(),
        });
        Ok(of_cluster(format!("The cluster {name} was created."), Some(cluster)))
    })
}

pub fn rename_cluster(
    demo: &Demo,
    id: ClusterId,
    name: &str,
    if_match: Option<u64>,
) -> Result<Done, ApiError> {
    let name = Name::new(name).map_err(bad)?;
    demo.transact(demo.operator(), |draft| {
        let cluster = cluster(draft, id)?;
        same("cluster", if_match, cluster.revision)?;
        if draft.before().clusters().any(|other| other.id != id && other.name.reads_as(&name)) {
            return Err(taken("cluster", &name, CONSOLE));
        }
        let message = format!("The cluster {} is named {name} now.", cluster.name);
        let cluster = draft.put_cluster(Cluster { name, ..Cluster::clone(&cluster) });
        Ok(of_cluster(message, Some(cluster)))
    })
}

pub fn delete_cluster(demo: &Demo, id: ClusterId) -> Result<Done, ApiError> {
    demo.transact(demo.operator(), |draft| {
        let cluster = cluster(draft, id)?;
        let workers = draft.before().workers().filter(|worker| worker.cluster_id == id).count();
        if workers > 0 {
            return Err(not_empty("cluster", &cluster.name, &format!("{workers} workers")));
        }
        draft.delete_cluster(id);
        Ok(of_cluster(format!("The cluster {} was deleted.", cluster.name), None))
    })
}

pub fn create_project(demo: &Demo, new: NewProject) -> Result<Done, ApiError> {
    let name = Name::new(&new.name).map_err(bad)?;
    demo.transact(demo.operator(), |draft| {
        if draft.project_name_taken(&name) {
            return Err(taken("project", &name, CONSOLE));
        }
        let project = draft.put_project(Project {
            id: ProjectId(Uuid::new_v4()),
            name: name.clone(),
            quotas: new.quotas,
            revision: 0,
            created_at: draft.now(),
            updated_at: Timestamp::default(),
        });
        Ok(of_project(format!("The project {name} was created."), Some(project)))
    })
}

pub fn edit_project(
    demo: &Demo,
    id: ProjectId,
    edit: NewProject,
    if_match: Option<u64>,
) -> Result<Done, ApiError> {
    let name = Name::new(&edit.name).map_err(bad)?;
    demo.transact(demo.operator(), |draft| {
        let project = project(draft, id)?;
        same("project", if_match, project.revision)?;
        if draft.before().projects().any(|other| other.id != id && other.name.reads_as(&name)) {
            return Err(taken("project", &name, CONSOLE));
        }
        let message = format!("The project {name} was changed.");
        let project = draft.put_project(Project { name, quotas: edit.quotas, ..Project::clone(&project) });
        Ok(of_project(message, Some(project)))
    })
}

pub fn delete_project(demo: &Demo, id: ProjectId) -> Result<Done, ApiError> {
    demo.transact(demo.operator(), |draft| {
        let project = project(draft, id)?;
        let nets = draft.before().nets().filter(|net| net.project_id == id).count();
        if nets > 0 {
            return Err(not_empty("project", &project.name, &format!("{nets} nets")));
        }
        draft.delete_project(id);
        Ok(of_project(format!("The project {} was deleted.", project.name), None))
    })
}

pub fn move_net(demo: &Demo, id: NetId, to: ProjectId) -> Result<Done, ApiError> {
    demo.transact(demo.operator(), |draft| {
        let gone = || ApiError::Gone { what: "net".to_owned() };
        let net = draft.net(id).cloned().map_err(|_| gone())?;
        stays(&net, "move")?;
        let project = project(draft, to)?;
        if net.project_id != to && draft.net_named(to, &net.name).is_some() {
            return Err(taken("net", &net.name, project.name.as_str()));
        }
        draft.edit_net(id, NetCause::Edited, |net| net.project_id = to).map_err(|_| gone())?;
        let message = format!("The net {} is in project {} now.", net.name, project.name);
        Ok(Done { message, net: draft.net(id).ok().cloned(), ..Done::default() })
    })
}

fn cluster(draft: &Draft, id: ClusterId) -> Result<Arc<Cluster>, ApiError> {
    draft.before().cluster(id).cloned().ok_or(ApiError::Gone { what: "cluster".to_owned() })
}

fn project(draft: &Draft, id: ProjectId) -> Result<Arc<Project>, ApiError> {
    draft.before().project(id).cloned().ok_or(ApiError::Gone { what: "project".to_owned() })
}

fn same(what: &str, if_match: Option<u64>, revision: u64) -> Result<(), ApiError> {
    match if_match.is_none_or(|wanted| wanted == revision) {
        true => Ok(()),
        false => Err(ApiError::Changed { what: what.to_owned() }),
    }
}

fn not_empty(what: &str, name: &Name, members: &str) -> ApiError {
    ApiError::Refused {
        detail: format!("Cannot delete {what} {name}: it has {members}."),
        code: format!("{what}_not_empty"),
        current: None,
    }
}

fn of_cluster(message: String, cluster: Option<Arc<Cluster>>) -> Done {
    Done { message, cluster, ..Done::default() }
}

fn of_project(message: String, project: Option<Arc<Project>>) -> Done {
    Done { message, project, ..Done::default() }
}
