//! What the demo begins with: clusters, workers in every state an operator meets, nets on them.

use super::{
    actions, builds,
    fleet::{Demo, now},
    machines, versions,
};
use crate::{
    model::{
        Actor, Category, Cluster, ClusterId, Connection, DefinitionHash, ErrorDetail, LoadId, LoadState,
        Name, Net, NetCause, Project, ProjectId, Provider, Quotas, RunState, Timestamp, Worker, WorkerId,
        WorkerStatus,
    },
    petri::samples,
};
use std::convert::Infallible;
use uuid::Uuid;

/// Cluster, provider, region, and the workers there.
const CLUSTERS: [(&str, Provider, Option<&str>, u32); 3] = [
    ("fly-ams", Provider::Fly, Some("ams"), 9),
    ("aws-fra", Provider::Ec2, Some("eu-central-1"), 7),
    ("workshop", Provider::Local, None, 4),
];

/// Fills an empty fleet.
pub fn furnish(demo: &Demo) {
    let projects = [ProjectId(Uuid::new_v4()), ProjectId(Uuid::new_v4())];
    let definitions: Vec<_> = samples::opening()
        .iter()
        .map(|sample| {
            let hash = DefinitionHash::of(sample.pnml.as_bytes());
            let net =
                actions::read(sample.pnml.as_bytes()).expect("the samples are tested to be well-formed");
            demo.definitions.borrow_mut().insert(hash, net.clone());
            (sample.name, hash, net)
        })
        .collect();
    let mut ready = Vec::new();
    let mut index = 0;
    demo.transact(Actor::System, |draft| {
        for (id, title, nets) in [(projects[0], "production", None), (projects[1], "research", Some(12))] {
            draft.put_project(Project {
                id,
                name: name(title),
                quotas: Quotas { nets, workers: None },
                revision: 0,
                created_at: draft.now(),
                updated_at: Timestamp::default(),
            });
        }
        for (cluster, provider, region, workers) in CLUSTERS {
            let id = ClusterId(Uuid::new_v4());
            draft.put_cluster(Cluster {
                id,
                name: name(cluster),
                provider,
                region: region.map(str::to_owned),
                connection: Connection::Connected,
                lab_sync_minutes: None,
                revision: 0,
                created_at: draft.now(),
                updated_at: Timestamp::default(),
            });
            for number in 1..=workers {
                let mut worker = pending(id, provider, region, &format!("{cluster}-{number:02}"), number);
                worker.status = status(index);
                if let WorkerStatus::Error(detail) = worker.status {
                    worker.status_reason = Some(reason(detail).to_owned());
                }
                if !matches!(worker.status, WorkerStatus::Pending | WorkerStatus::Provisioning) {
                    worker.machine = Some(machines::machine(worker.id));
                }
                if worker.is_ready() {
                    ready.push(worker.id);
                }
                index += 1;
                draft.create_worker(worker);
            }
        }
        Ok::<_, Infallible>(())
    })
    .unwrap_or_else(|never| match never {});
    for worker in &ready {
        demo.machines.borrow_mut().boot(*worker, now());
    }

    for number in 0..2 * ready.len() + 4 {
        let (title, definition, net) = &definitions[number % definitions.len()];
        let mut row = actions::new_net(
            name(&format!("{title} {}", number / definitions.len() + 1)),
            projects[usize::from(number % 4 == 3)],
            *definition,
            net,
        );
        let worker = ready.get(number / 2).copied();
        row.worker_id = worker;
        demo.transact(Actor::System, |draft| {
            draft.create_net(row.clone());
            builds::queue(draft, row.id, row.version, row.definition)?;
            if let Some(worker) = worker {
                load(demo, draft, &row, worker, number)?;
            }
            Ok::<_, crate::model::Gone>(())
        })
        .expect("a row that was created in this transaction is there");
        versions::keep(demo, row.id, Actor::System);
    }
}

fn load(
    demo: &Demo,
    draft: &mut crate::model::Draft,
    row: &Net,
    worker: WorkerId,
    number: usize,
) -> Result<(), crate::model::Gone> {
    let load_id = LoadId(Uuid::new_v4());
    let Some(net) = demo.definitions.borrow().get(&row.definition).cloned() else { return Ok(()) };
    // The philosophers wait for the operator: left alone they would all be dead within seconds.
    let rate = if number.is_multiple_of(samples::opening().len()) { 0 } else { [5, 20, 200][number % 3] };
    let running = demo.machines.borrow_mut().load(worker, row.id, load_id, net, (rate > 0).then_some(rate));
    draft.edit_net(row.id, NetCause::LoadState, |net| {
        net.load_state = LoadState::Loaded;
        net.load_id = Some(load_id);
        net.run_state = if running { RunState::Running } else { RunState::Idle };
        net.rate = rate;
    })
}

pub fn pending(
    cluster_id: ClusterId,
    provider: Provider,
    region: Option<&str>,
    title: &str,
    number: u32,
) -> Worker {
    Worker {
        category: if number.is_multiple_of(3) { Category::Ephemeral } else { Category::Persistent },
        region: region.map(str::to_owned),
        cpus: 2,
        memory_mb: 2_048,
        ..Worker::pending(WorkerId(Uuid::new_v4()), name(title), cluster_id, provider)
    }
}

/// Mostly ready, with one of everything else.
fn status(index: u32) -> WorkerStatus {
    match index {
        4 => WorkerStatus::Error(ErrorDetail::Unreachable),
        7 => WorkerStatus::Stopped,
        11 => WorkerStatus::Error(ErrorDetail::MachineStopped),
        14 | 19 => WorkerStatus::Pending,
        _ => WorkerStatus::Ready,
    }
}

fn reason(detail: ErrorDetail) -> &'static str {
    match detail {
        ErrorDetail::Unreachable => "It did not answer within 5 s; the provider says that its machine runs",
        ErrorDetail::MachineStopped => "The provider says that its machine is stopped",
        ErrorDetail::MachineDestroyed => "The provider says that its machine is gone",
        ErrorDetail::ProvisionFailed => "The provider had no room for another machine",
    }
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a literal within the bounds of a name")
}
