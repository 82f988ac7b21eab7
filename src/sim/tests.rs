//! The normal tests' share of the simulation.

use super::{
    check::difference,
    dice::Dice,
    storage::{Content, Disk},
    *,
};
use crate::{
    model::{Actor, Timestamp},
    server::storage::{ledger::Written, testing::Sqlite},
    sync::{Effect, Message, Replica, Scope, sse::Parser},
};
use std::time::Instant;

/// Runs seeds on both halves of a small machine; the first failure's story.
fn first_failure(seeds: std::ops::Range<u64>, plant: Option<Break>) -> Option<(Plan, Box<Failure>)> {
    seeds.into_iter().find_map(|seed| {
        let plan = Plan { plant, ..Plan::new(seed) };
        run(&plan).err().map(|failure| (plan, failure))
    })
}

#[test]
fn every_guarantee_holds_for_300_seeds() {
    let began = Instant::now();
    let halves = [0..150, 150..300].map(|seeds| std::thread::spawn(move || first_failure(seeds, None)));
    for half in halves {
        if let Some((plan, failure)) = half.join().expect("a seed panicked") {
            let (plan, failure) = shrink(&plan, &failure);
            panic!("{}", story(&plan, &failure, 40));
        }
    }
    println!("300 seeds in {:?}", began.elapsed());
}

#[test]
fn every_planted_bug_is_caught_within_300_seeds() {
    for plant in Break::ALL {
        let (plan, failure) =
            first_failure(0..300, Some(*plant)).unwrap_or_else(|| panic!("{} goes unnoticed", plant.name()));
        println!("{:<28} seed {:>3}: not {}", plant.name(), plan.seed, failure.violation.guarantee);
    }
}

#[test]
fn a_seed_always_tells_the_same_story() {
    let plan = Plan { plant: Some(Break::ResumeOffByOne), tell: true, ..Plan::new(0) };
    let seed = (0..).find(|seed| run(&Plan { seed: *seed, ..plan.clone() }).is_err()).expect("it is caught");
    let tell = || run(&Plan { seed, ..plan.clone() }).expect_err("it is caught").story;
    assert_eq!(tell(), tell());
}

/// One script, written twice: by the real writer's statements to SQLite, and to the simulated disk.
#[tokio::test]
async fn the_simulated_storage_behaves_like_sqlite() {
    for seed in 0..8 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("muster.db");
        let mut sqlite = Sqlite::open(&path).await;
        let mut disk = Disk::new(Content::new(sqlite.head().await.epoch));
        let mut dice = Dice::new(seed);
        let mut copy: Option<(Content, std::path::PathBuf)> = None;
        for step in 0..60 {
            match dice.below(12) {
                0 => {
                    let version = disk.content().head.version.saturating_sub(dice.below(6) as u64);
                    let mut content = disk.content().clone();
                    content.trim(version);
                    disk.stage(content);
                    disk.sync();
                    sqlite.trim(version).await;
                }
                // A crash before the commit is durable: nothing of it is left.
                1 => {
                    let (content, written) = next(disk.content(), step, &mut dice);
                    disk.stage(content);
                    disk.crash(false);
                    sqlite.write(&written, false).await;
                }
                2 => {
                    let file = dir.path().join(format!("copy-{step}"));
                    sqlite.copy_to(&file).await;
                    copy = Some((disk.content().clone(), file));
                }
                3 if copy.is_some() => {
                    let (content, file) = copy.take().unwrap();
                    disk.restore(content);
                    sqlite = sqlite.restore(&file, &path).await;
                }
                _ => {
                    let (content, written) = next(disk.content(), step, &mut dice);
                    disk.stage(content);
                    disk.sync();
                    sqlite.write(&written, true).await;
                }
            }
            let content = disk.content();
            let since = dice.below(content.head.version as usize + 2) as u64;
            sqlite.compare(content, since).await;
        }
    }
}

/// The entry that comes next, and the content with it.
fn next(content: &Content, step: u64, dice: &mut Dice) -> (Content, Vec<Written>) {
    let (mut ledger, mut next, mut written) = (content.read(), content.clone(), Vec::new());
    for _ in 0..1 + dice.below(3) {
        let at = Timestamp(step);
        let changes = work::transaction(&ledger.fleet, at, dice);
        if !changes.is_empty() {
            written.push(ledger.append(at, Actor::System, changes));
            next.append(&written[written.len() - 1]);
        }
    }
    (next, written)
}

#[test]
fn recordings_that_were_damaged_never_show_a_state_the_server_never_had() {
    let faults = vec![Fault::Cut, Fault::Slow, Fault::Leave, Fault::Membership, Fault::Kill];
    let (mut fed, mut asked) = (0, 0);
    for seed in 0..12 {
        let plan = Plan { record: true, faults: faults.clone(), ..Plan::new(seed) };
        let world = live(&plan).expect("these seeds hold");
        let mut dice = Dice::new(seed);
        for (scope, bytes) in &world.recordings {
            for damage in 0..6 {
                let replayed = replay(&world, scope, &damaged(bytes, damage, &mut dice));
                (fed, asked) = (fed + 1, asked + replayed);
            }
        }
    }
    assert!(fed > 500, "{fed} damaged streams are a test");
    assert!(asked > 50, "gaps were made, and only {asked} times was help asked for");
}

/// The stream with frames dropped, repeated or exchanged, or with bytes missing.
fn damaged(stream: &[u8], damage: usize, dice: &mut Dice) -> Vec<u8> {
    let text = String::from_utf8_lossy(stream);
    let mut frames: Vec<&str> = text.split_inclusive("\n\n").collect();
    let rounds = 1 + dice.below(3);
    for _ in 0..rounds {
        let (a, b) = (dice.below(frames.len()), dice.below(frames.len()));
        match damage {
            0 => _ = frames.remove(a),
            1 => frames.insert(b, frames[a]),
            2 => frames.swap(a, b),
            3 => frames.truncate(a + 1),
            _ => {}
        }
        if frames.is_empty() {
            break;
        }
    }
    let mut bytes = frames.concat().into_bytes();
    match damage {
        4 => bytes.truncate(dice.below(bytes.len())),
        // Cut at any byte, and whole frames after it: what is left of one runs into the next.
        5 => {
            let at = dice.below(bytes.len());
            let rest = &bytes[at..];
            let end = rest.windows(2).position(|end| end == b"\n\n").map_or(bytes.len(), |end| at + end + 2);
            bytes.drain(at..end);
        }
        _ => {}
    }
    bytes
}

/// Feeds a replica; how often it asked for help.
fn replay(world: &World, scope: &Scope, bytes: &[u8]) -> usize {
    let (mut replica, mut parser) = (Replica::empty(), Parser::default());
    replica.tick(0, 0.5);
    let (mut events, mut help) = (Vec::new(), 0);
    parser.push(bytes, &mut events);
    for (event, now) in events.into_iter().zip(1..) {
        // A stream that cannot be read is closed; what a browser does, too.
        let Some(Ok(message)) = Message::parse(&event.event, &event.data) else { break };
        let mut effects = replica.on_message(message, now);
        effects.extend(replica.tick(now + 500, 0.5));
        let gone = |effect: &Effect| matches!(effect, Effect::Connect | Effect::Disconnect);
        let asks = |effect: &Effect| matches!(effect, Effect::FetchFullState { .. });
        help += effects.iter().filter(|effect| gone(effect) || asks(effect)).count();
        if let Some(token) = replica.position() {
            let (_, chain) = world.history().find(token).expect("a position of the server's");
            let expected = world.history().fleet(chain, scope);
            assert!(
                *expected == *replica.fleet(),
                "version {:?}: {}",
                replica.version(),
                difference(&expected, replica.fleet())
            );
        }
        if effects.iter().any(gone) {
            break;
        }
    }
    help
}
