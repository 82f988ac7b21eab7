//! What the operators of a simulated fleet do: random transactions, written through the real [`Draft`].

use super::dice::Dice;
use crate::model::{
    Actor, Change, Cluster, ClusterId, Connection, DefinitionHash, Draft, Fleet, Name, Net, NetCause, NetId,
    NetSize, Project, ProjectId, Provider, Severity, Timestamp, Worker, WorkerCause, WorkerId, WorkerStatus,
};
use uuid::Uuid;

/// Scopes are made of these.
pub const PROJECTS: u128 = 3;
/// The fleet stays this small: runs are many.
const MOST_WORKERS: usize = 5;
const MOST_NETS: usize = 8;

pub fn project(n: u128) -> ProjectId {
    ProjectId(Uuid::from_u128(100 + n))
}

fn cluster() -> ClusterId {
    ClusterId(Uuid::from_u128(1))
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a good name")
}

/// A transaction over `fleet`; the first ones of a run make the cluster and the projects.
pub fn transaction(fleet: &Fleet, now: Timestamp, dice: &mut Dice) -> Vec<Change> {
    let mut draft = Draft::new(fleet, Actor::System, now);
    if fleet.cluster(cluster()).is_none() {
        draft.put_cluster(Cluster {
            id: cluster(),
            name: name("cluster"),
            provider: Provider::Local,
            region: None,
            connection: Connection::Connected,
            lab_sync_minutes: None,
            revision: 0,
            created_at: now,
            updated_at: now,
        });
        return draft.finish();
    }
    if let Some(n) = (0..PROJECTS).find(|n| fleet.project(project(*n)).is_none()) {
        let name = name(&format!("project {n}"));
        draft.put_project(Project {
            id: project(n),
            name,
            quotas: Default::default(),
            revision: 0,
            created_at: now,
            updated_at: now,
        });
        return draft.finish();
    }
    // Half of the transactions do several things at once: nobody must see only some of them.
    let steps = if dice.per_mille(500) { 1 } else { 2 + dice.below(2) };
    for _ in 0..steps {
        step(&mut draft, dice);
    }
    draft.finish()
}

fn step(draft: &mut Draft, dice: &mut Dice) {
    let fleet = draft.before();
    let workers: Vec<WorkerId> = fleet.workers().map(|worker| worker.id).collect();
    let nets: Vec<NetId> = fleet.nets().map(|net| net.id).collect();
    let worker = dice.pick(&workers).copied();
    let net = dice.pick(&nets).copied();
    // A row that this draft has already deleted is gone: that is an answer, not a failure.
    let _ = match (dice.below(20), worker, net) {
        (0..2, ..) if workers.len() < MOST_WORKERS => {
            draft.create_worker(new_worker(dice));
            Ok(())
        }
        (2..5, ..) if nets.len() < MOST_NETS => {
            draft.create_net(new_net(dice));
            Ok(())
        }
        (5, Some(id), _) => draft.delete_worker(id),
        (6, _, Some(id)) => draft.delete_net(id),
        (7..9, Some(id), _) => {
            let statuses = [WorkerStatus::Ready, WorkerStatus::Stopped, WorkerStatus::Provisioning];
            draft.set_worker_status(id, *dice.pick(&statuses).expect("three"), None)
        }
        (9..11, Some(on), Some(id)) if draft.worker(on).is_ok() => {
            draft.edit_net(id, NetCause::Edited, |net| {
                net.worker_id = Some(on).filter(|_| dice.per_mille(700))
            })
        }
        (11..14, _, Some(id)) => {
            let to = project(dice.below(PROJECTS as usize) as u128);
            draft.edit_net(id, NetCause::Edited, |net| net.project_id = to)
        }
        (14, ..) => {
            let of = dice.below(PROJECTS as usize + 1) as u128;
            draft.log(Severity::Info, "note", format!("note {}", dice.below(1_000)), |event| {
                event.project_id = (of < PROJECTS).then(|| project(of));
            });
            Ok(())
        }
        (15..18, _, Some(id)) => {
            let rate = dice.below(1_000) as u32;
            draft.edit_net(id, NetCause::Edited, |net| net.rate = rate)
        }
        (_, Some(id), _) => {
            let cpus = 1 + dice.below(200) as u16;
            draft.edit_worker(id, WorkerCause::Edited, |worker| worker.cpus = cpus)
        }
        _ => Ok(()),
    };
}

fn new_worker(dice: &mut Dice) -> Worker {
    let id = dice.id();
    Worker::pending(WorkerId(id), name(&format!("w{id}")), cluster(), Provider::Local)
}

fn new_net(dice: &mut Dice) -> Net {
    let id = dice.id();
    Net::unassigned(
        NetId(id),
        name(&format!("n{id}")),
        project(dice.below(PROJECTS as usize) as u128),
        definition(),
        NetSize::default(),
    )
}

pub fn definition() -> DefinitionHash {
    DefinitionHash::of(b"<pnml/>")
}
