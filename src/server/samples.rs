//! What an empty database begins with, so that the first page has something to act on: a local cluster, a project, two nets.

use super::storage::{SideWrite, StorageError, Store, TransactError};
use crate::{
    model::{
        Actor, Cluster, ClusterId, Connection, DefinitionHash, Name, Net, NetId, Project, ProjectId,
        Provider, Timestamp, VersionRow,
    },
    petri::{
        pnml::{self, Limits},
        samples,
    },
};
use std::convert::Infallible;
use uuid::Uuid;

/// Adds them if there is no cluster yet. `nets` off: only the cluster and the project, without which nothing can be created.
pub async fn add(store: &Store, nets: bool) -> Result<(), StorageError> {
    if store.fleet().clusters().len() > 0 {
        return Ok(());
    }
    let committed = store.transact_with(Actor::System, None, move |draft, _| {
        let name = |text: &str| Name::new(text).expect("a literal within the bounds of a name");
        let never = Timestamp::default();
        draft.put_cluster(Cluster {
            id: ClusterId(Uuid::now_v7()),
            name: name("local"),
            provider: Provider::Local,
            region: None,
            connection: Connection::Connected,
            lab_sync_minutes: None,
            revision: 0,
            created_at: draft.now(),
            updated_at: never,
        });
        let project_id = ProjectId(Uuid::now_v7());
        draft.put_project(Project {
            id: project_id,
            name: name("default"),
            quotas: Default::default(),
            revision: 0,
            created_at: draft.now(),
            updated_at: never,
        });
        let mut side = Vec::new();
        for sample in samples::opening().iter().filter(|_| nets) {
            let read = pnml::read(sample.pnml.as_bytes(), &Limits::default())
                .expect("the samples are tested to be well-formed");
            let hash = DefinitionHash::of(sample.pnml.as_bytes());
            side.push(SideWrite::Definition { hash, pnml: sample.pnml.as_bytes().into() });
            let id = NetId(Uuid::now_v7());
            let net = Net::unassigned(id, name(sample.name), project_id, hash, read.size());
            let version = net.newest();
            draft.create_net(net);
            // It is built like every net without a build.
            let row = VersionRow { version, at: draft.now(), actor: Actor::System, build: None };
            side.push(SideWrite::Version { net: id, row });
        }
        Ok::<_, Infallible>(((), side))
    });
    match committed.await {
        Ok(()) => Ok(()),
        Err(TransactError::Storage(error)) => Err(error),
        Err(TransactError::Refused(never)) => match never {},
    }
}
