//! Fills the database of a running console with rows, then changes them at a steady rate, through the real transaction code and from
//! another process: `fleet_storm <database> <workers> <nets> <changes a second> <seconds>`.
//!
//! The browser tests and measurements use it to see what a page makes of many changes. The workers it makes have no machines: they are
//! pending, or could not be provisioned. Prints a line when the rows are there, one for every so many
//! changes, and one when it is done.

use futures::{StreamExt, stream::FuturesUnordered};
use muster::{
    model::{
        Actor, Category, DefinitionHash, Draft, ErrorDetail, Gone, Name, Net, NetId, NetSize, Provider,
        UserId, Worker, WorkerCause, WorkerId, WorkerStatus,
    },
    server::storage::{SideWrite, Store, TransactError},
};
use std::{env, error::Error, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// Rows made in one transaction.
const AT_ONCE: usize = 500;
/// Changes between two lines about them.
const TELL_EVERY: u64 = 10_000;
/// Transactions in flight; the writer commits them in groups.
const IN_FLIGHT: usize = 512;

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let args: Vec<String> = env::args().skip(1).collect();
    let [database, workers, nets, rate, seconds] = &args[..] else {
        return Err("usage: fleet_storm <database> <workers> <nets> <changes a second> <seconds>".into());
    };
    let (workers, nets): (usize, usize) = (workers.parse()?, nets.parse()?);
    let (rate, seconds): (u32, u64) = (rate.parse()?, seconds.parse()?);
    let (entries, mut news) = mpsc::channel(64);
    let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
    let (store, _) = Store::open(database.as_ref(), entries, &tasks, shutdown.clone()).await?;
    tokio::spawn(async move { while news.recv().await.is_some() {} });

    let ids = make_workers(&store, workers).await?;
    make_nets(&store, nets, &ids).await?;
    println!("made {workers} workers and {nets} nets");
    if rate > 0 && seconds > 0 {
        let done = storm(&store, &ids, rate, Duration::from_secs(seconds)).await?;
        println!("changed {done} rows");
    }
    shutdown.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(())
}

async fn make_workers(store: &Store, count: usize) -> Result<Arc<Vec<WorkerId>>, Box<dyn Error>> {
    let fleet = store.fleet();
    let cluster = fleet.clusters().next().ok_or("the console has no cluster yet")?.id;
    let ids: Arc<Vec<_>> = Arc::new((0..count).map(|_| WorkerId(Uuid::now_v7())).collect());
    for from in (0..count).step_by(AT_ONCE) {
        let ids = ids.clone();
        write(store, move |draft| {
            for n in from..(from + AT_ONCE).min(count) {
                let title = name(&format!("worker-{n:05}"));
                draft.create_worker(Worker {
                    category: if n % 3 == 0 { Category::Persistent } else { Category::Ephemeral },
                    region: Some(["ams", "fra", "iad"][n % 3].to_owned()),
                    cpus: 1 + (n % 8) as u16,
                    memory_mb: 512,
                    ..Worker::pending(ids[n], title, cluster, Provider::Local)
                });
            }
            Ok(())
        })
        .await?;
    }
    Ok(ids)
}

async fn make_nets(store: &Store, count: usize, workers: &Arc<Vec<WorkerId>>) -> Outcome {
    const PNML: &[u8] = include_bytes!("../src/petri/samples/producer_consumer.pnml");
    let fleet = store.fleet();
    let project = fleet.projects().next().ok_or("the console has no project yet")?.id;
    let hash = DefinitionHash::of(PNML);
    for from in (0..count).step_by(AT_ONCE) {
        let workers = workers.clone();
        let made = store.transact_with(Actor::System, None, move |draft, _| {
            for n in from..(from + AT_ONCE).min(count) {
                let (id, title) = (NetId(Uuid::now_v7()), name(&format!("net-{n:05}")));
                let size = NetSize { places: 4, transitions: 4, arcs: 10 };
                draft.create_net(Net {
                    worker_id: workers.get(n / 2).copied(),
                    ..Net::unassigned(id, title, project, hash, size)
                });
            }
            let definition = SideWrite::Definition { hash, pnml: PNML.into() };
            Ok::<_, Gone>(((), vec![definition]))
        });
        made.await.map_err(|error: TransactError<Gone>| error.to_string())?;
    }
    Ok(())
}

/// One transaction a change, `rate` of them a second; how many were made.
async fn storm(store: &Store, ids: &[WorkerId], rate: u32, lasts: Duration) -> Result<u64, Box<dyn Error>> {
    let mut due = interval(Duration::from_secs(1) / rate);
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (start, mut changed, mut in_flight) = (Instant::now(), 0_u64, FuturesUnordered::new());
    while start.elapsed() < lasts {
        due.tick().await;
        // A full cycle through the rows in an order that looks like none.
        let id = ids[(changed as usize).wrapping_mul(7_919) % ids.len()];
        let round = changed / ids.len() as u64;
        in_flight.push(write(store, move |draft| match round % 3 {
            0 => draft.set_worker_status(
                id,
                WorkerStatus::Error(ErrorDetail::ProvisionFailed),
                Some("The machine could not be made: out of capacity.".to_owned()),
            ),
            1 => draft.edit_worker(id, WorkerCause::Edited, |worker| worker.cpus += 1),
            _ => draft.set_worker_status(id, WorkerStatus::Pending, None),
        }));
        changed += 1;
        if changed.is_multiple_of(TELL_EVERY) {
            println!("changed {changed} so far");
        }
        while in_flight.len() >= IN_FLIGHT {
            in_flight.next().await.transpose()?;
        }
    }
    while let Some(outcome) = in_flight.next().await {
        outcome?;
    }
    Ok(changed)
}

async fn write(
    store: &Store,
    change: impl FnOnce(&mut Draft) -> Result<(), Gone> + Send + 'static,
) -> Outcome {
    // Not the console itself: what that finds broken is announced one by one.
    let actor = Actor::User { id: UserId(Uuid::nil()), name: "fleet_storm".to_owned() };
    store.transact(actor, change).await.map_err(|error| error.to_string().into())
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name of ours is a good one")
}
