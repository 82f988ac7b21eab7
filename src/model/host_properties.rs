//! Hosts and their commands over random events in random order: there is one pending command a host at most, what is over stays over, and
//! given time everything ends.

use super::{
    command::{LOST_AFTER, OVERDUE_AFTER, POST_CHECK_WITHIN, QUEUED_FOR, STARTS_WITHIN},
    *,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use uuid::Uuid;

const HOSTS: usize = 2;
const TIMEOUT: Duration = Duration::from_secs(600);

#[derive(Clone, Debug)]
enum Event {
    Queue { host: usize },
    /// Something happens to the nth command that there is.
    Happens { command: usize, happening: Happening },
    Online { host: usize, online: bool },
    Passes { seconds: u64 },
    Tick,
    Delete { host: usize },
}

fn happening() -> impl Strategy<Value = Happening> {
    let outcome = prop_oneof![
        2 => Just(Outcome::Exited { code: 0 }),
        1 => Just(Outcome::Exited { code: 1 }),
        1 => Just(Outcome::Signalled { signal: 9 }),
        1 => Just(Outcome::Cancelled),
        1 => Just(Outcome::TimedOut),
        1 => Just(Outcome::Failed),
    ];
    prop_oneof![
        4 => Just(Happening::Dispatched),
        4 => Just(Happening::Started { timeout: TIMEOUT }),
        1 => Just(Happening::Refused { reason: "no".to_owned() }),
        2 => outcome.prop_map(|outcome| Happening::Finished { outcome, reason: None, output_bytes: 3 }),
        1 => Just(Happening::Cancel { by: Actor::System }),
        1 => any::<bool>().prop_map(|may_have_run| Happening::Forgotten { may_have_run }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..HOSTS).prop_map(|host| Event::Queue { host }),
        12 => (0..12usize, happening()).prop_map(|(command, happening)| Event::Happens { command, happening }),
        2 => (0..HOSTS, any::<bool>()).prop_map(|(host, online)| Event::Online { host, online }),
        2 => (1..2_000u64).prop_map(|seconds| Event::Passes { seconds }),
        2 => Just(Event::Tick),
        1 => (0..HOSTS).prop_map(|host| Event::Delete { host }),
    ]
}

fn host_id(n: usize) -> HostId {
    HostId(Uuid::from_u128(100 + n as u128))
}

fn start() -> Fleet {
    let mut fleet = Fleet::default();
    commit(&mut fleet, Timestamp(0), |draft| {
        for n in 0..HOSTS {
            let mut host = Host::unseen(host_id(n), Name::new(&format!("host-{n}")).unwrap());
            host.commands = vec![CommandOffer {
                kind: "pull".parse().unwrap(),
                timeout_s: TIMEOUT.as_secs(),
                checks: vec![CompartmentKind::Git],
            }];
            host.online = true;
            draft.create_host(host);
        }
        Ok(())
    });
    fleet
}

/// `apply_all` asserts the invariants after each transaction.
fn commit(fleet: &mut Fleet, now: Timestamp, act: impl FnOnce(&mut Draft) -> Result<(), Gone>) {
    let mut draft = Draft::new(fleet, Actor::System, now);
    act(&mut draft).unwrap();
    let changes = draft.finish();
    fleet.apply_all(&changes);
}

/// What the dispatcher may do: the next command of a host that is free and there.
fn may_be_sent(fleet: &Fleet, command: &Command) -> bool {
    fleet.host(command.host_id).is_some_and(|host| host.online && host.pending_command.is_none())
}

fn tick(fleet: &mut Fleet, now: Timestamp) {
    let commands: Vec<Arc<Command>> = fleet.commands().cloned().collect();
    commit(fleet, now, |draft| {
        for command in commands {
            let Ok(host) = draft.host(command.host_id) else { continue };
            let agent_gone_since = (!host.online).then_some(host.online_since);
            draft.happens(command.id, &Happening::Tick { agent_gone_since })?;
        }
        Ok(())
    });
}

fn happen(fleet: &mut Fleet, now: &mut Timestamp, made: &mut u128, event: &Event) {
    match event {
        Event::Queue { host } => {
            if fleet.host(host_id(*host)).is_some() {
                *made += 1;
                let id = CommandId(Uuid::from_u128(1_000 + *made));
                let kind = "pull".parse().unwrap();
                let command = Command::queued(id, host_id(*host), kind, Actor::System, *now);
                commit(fleet, *now, |draft| draft.queue_command(command));
            }
        }
        Event::Happens { command, happening } => {
            let count = fleet.commands().len().max(1);
            let Some(row) = fleet.commands().nth(command % count).cloned() else { return };
            // What an agent says counts for the command that its host holds, what the dispatcher does for a host that is free.
            let counts = match happening {
                Happening::Dispatched => may_be_sent(fleet, &row),
                Happening::Cancel { .. } => true,
                _ => row.is_pending() && fleet.host(row.host_id).is_some_and(|host| host.online),
            };
            if counts {
                commit(fleet, *now, |draft| draft.happens(row.id, happening).map(drop));
            }
        }
        Event::Online { host, online } => {
            if fleet.host(host_id(*host)).is_some_and(|row| row.online != *online) {
                let at = *now;
                commit(fleet, at, |draft| {
                    draft.edit_host(host_id(*host), HostCause::Online, |row| {
                        (row.online, row.online_since) = (*online, at);
                    })
                });
            }
        }
        Event::Passes { seconds } => *now = now.plus(Duration::from_secs(*seconds)),
        Event::Tick => tick(fleet, *now),
        Event::Delete { host } => {
            if fleet.host(host_id(*host)).is_some() {
                commit(fleet, *now, |draft| draft.delete_host(host_id(*host)));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_host_has_one_owner_of_its_pending_command_and_all_ends(
        story in prop::collection::vec(event(), 1..120),
    ) {
        let (mut fleet, mut now, mut made) = (start(), Timestamp(1_000), 0);
        let mut over: BTreeMap<CommandId, CommandStatus> = BTreeMap::new();
        for event in &story {
            let before = fleet.clone();
            happen(&mut fleet, &mut now, &mut made, event);
            prop_assert_eq!(fleet.violation(), None, "after {:?}", event);
            for command in fleet.commands() {
                if let Some(status) = over.get(&command.id) {
                    prop_assert_eq!(*status, command.status, "what is over stays as it ended");
                }
                if command.status.is_over() {
                    prop_assert!(command.finished_at.is_some());
                    over.insert(command.id, command.status);
                }
                if let Some(was) = before.command(command.id) {
                    prop_assert_eq!(command.revision > was.revision, command != was);
                }
            }
        }
        // Nobody does anything any more; only time passes. Then nothing waits, and nothing works.
        let steps = [STARTS_WITHIN, LOST_AFTER, TIMEOUT + OVERDUE_AFTER, QUEUED_FOR, POST_CHECK_WITHIN];
        for step in steps {
            now = now.plus(step + Duration::from_secs(1));
            tick(&mut fleet, now);
        }
        prop_assert_eq!(fleet.commands().filter(|command| !command.status.is_over()).count(), 0);
        for host in fleet.hosts() {
            prop_assert_eq!(host.pending_command, None);
            let git = &host.compartments.git;
            let is_working = git.status == CompartmentStatus::Working;
            prop_assert!(!is_working || git.working_until.is_some_and(|until| until <= now), "{:?}", git);
        }
    }
}
