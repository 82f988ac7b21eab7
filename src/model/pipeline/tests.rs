//! Rules that hold for every plan, in whatever order its commands end and whatever is done to it meanwhile.

use super::*;
use crate::model::{
    Happening, Outcome,
    lifecycle::{PipelineAction, pipeline_action},
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Something that may happen, to the command or the host that the number picks.
#[derive(Clone, Debug)]
enum Happens {
    /// An open command is sent, starts, and ends well or not; the next time the same command is picked it gets further.
    Step {
        pick: usize,
        succeeds: bool,
    },
    /// It ends in some other way, from wherever it is.
    Ends {
        pick: usize,
        happening: Happening,
    },
    HostDeleted {
        pick: usize,
    },
    Pause,
    Resume,
    Cancel,
}

fn happens() -> impl Strategy<Value = Happens> {
    let ends = prop_oneof![
        Just(Happening::Forgotten { may_have_run: true }),
        Just(Happening::Tick { agent_gone_since: Some(Timestamp(0)) }),
        Just(Happening::Tick { agent_gone_since: None }),
        Just(Happening::Refused { reason: "no".to_owned() }),
        Just(Happening::Cancel { by: Actor::System }),
    ];
    prop_oneof![
        40 => (any::<usize>(), proptest::bool::weighted(0.9)).prop_map(|(pick, succeeds)| Happens::Step { pick, succeeds }),
        3 => (any::<usize>(), ends).prop_map(|(pick, happening)| Happens::Ends { pick, happening }),
        1 => any::<usize>().prop_map(|pick| Happens::HostDeleted { pick }),
        1 => Just(Happens::Pause),
        2 => Just(Happens::Resume),
        1 => proptest::option::weighted(0.3, Just(())).prop_map(|cancels| cancels.map_or(Happens::Resume, |()| Happens::Cancel)),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    (1..9u128, 1..4usize, 1..5u32, 0..4u32, 1..4u32).prop_map(|(hosts, stages, concurrency, canary, stop)| {
        Plan {
            host_ids: (0..hosts).map(host).collect(),
            stages: ["pull", "switch", "test"][..stages].iter().map(|kind| kind.parse().unwrap()).collect(),
            concurrency,
            canary: canary.min(hosts as u32),
            stop_after_failures: stop,
        }
    })
}

fn host(n: u128) -> HostId {
    HostId(Uuid::from_u128(100 + n))
}

/// A pipeline, and what it needs of the world.
struct World {
    pipeline: Pipeline,
    commands: BTreeMap<CommandId, Arc<Command>>,
    hosts: BTreeSet<HostId>,
    now: Timestamp,
    drawn: u128,
}

impl World {
    fn next(&mut self) -> Next {
        let World { pipeline, commands, hosts, now, drawn } = self;
        let fresh = || {
            *drawn += 1;
            CommandId(Uuid::from_u128(1000 + *drawn))
        };
        pipeline.next(|id| commands.get(&id).cloned(), |id| hosts.contains(&id), fresh, *now)
    }

    /// Applies what comes next, as the server does, and holds it against the rules.
    fn go_on(&mut self) {
        let before = self.pipeline.clone();
        let Next { changed, queue, cancel } = self.next();
        for (id, host_id, kind) in &queue {
            let queued = Command::queued(*id, *host_id, kind.clone(), Actor::System, self.now);
            assert!(self.hosts.contains(host_id), "a command for a host that is gone");
            assert!(self.commands.insert(*id, queued.into()).is_none());
        }
        for id in &cancel {
            self.happens(*id, &Happening::Cancel { by: Actor::System });
        }
        if let Some(changed) = changed {
            self.pipeline = changed;
        }
        self.check(&before, &queue);
        // What was cancelled before it was sent has ended by that; nothing else may be left to do.
        if cancel.is_empty() {
            assert_eq!(self.next(), Next::default(), "a second look finds something else");
        } else {
            self.go_on();
        }
    }

    fn happens(&mut self, id: CommandId, happening: &Happening) {
        let command = &self.commands[&id];
        if let Some(after) = command.after(happening, self.now) {
            self.commands.insert(id, after.into());
        }
    }

    fn check(&self, before: &Pipeline, queue: &[(CommandId, HostId, CommandKind)]) {
        let Pipeline { lanes, concurrency, stages, .. } = &self.pipeline;
        let under_way = lanes.iter().filter(|lane| lane.is_under_way()).count();
        assert!(under_way <= *concurrency as usize, "{under_way} lanes at once");
        let canaries = (self.pipeline.canary as usize).min(lanes.len());
        let begun = |lane: &Lane| {
            lane.cells
                .iter()
                .any(|cell| matches!(cell, Cell::Active { .. } | Cell::Ended { command: Some(_), .. }))
        };
        if !lanes[..canaries].iter().all(Lane::has_succeeded) {
            assert!(!lanes[canaries..].iter().any(begun), "a host began before every canary succeeded");
        }
        for lane in lanes {
            let mut cells = lane
                .cells
                .iter()
                .skip_while(|cell| matches!(cell, Cell::Ended { status: CommandStatus::Succeeded, .. }));
            if matches!(cells.next(), Some(Cell::Active { .. } | Cell::Ended { .. })) {
                assert!(
                    cells.all(|cell| matches!(cell, Cell::Waiting | Cell::Skipped)),
                    "a stage before its turn: {lane:?}"
                );
            }
        }
        if !queue.is_empty() {
            assert_eq!(
                before.status,
                PipelineStatus::Running,
                "something began in a pipeline that does not run"
            );
            assert!(self.pipeline.failures() < self.pipeline.stop_after_failures as usize);
        }
        let mut places = BTreeSet::new();
        for command in self.commands.values() {
            let stage = stages.iter().position(|kind| *kind == command.kind);
            assert!(places.insert((command.host_id, stage)), "two commands for one host and stage");
        }
    }

    fn open(&self) -> Vec<CommandId> {
        self.commands.values().filter(|command| !command.status.is_over()).map(|command| command.id).collect()
    }

    fn let_happen(&mut self, happens: Happens) {
        let open = self.open();
        match happens {
            Happens::Step { pick, succeeds } if !open.is_empty() => {
                let id = open[pick % open.len()];
                let command = &self.commands[&id];
                let code = if succeeds { 0 } else { 1 };
                let happening = match (command.dispatched_at, command.status) {
                    (None, _) => Happening::Dispatched,
                    (_, CommandStatus::Queued) => Happening::Started { timeout: Duration::from_secs(60) },
                    _ => Happening::Finished {
                        outcome: Outcome::Exited { code },
                        reason: None,
                        output_bytes: 0,
                    },
                };
                self.happens(id, &happening);
            }
            Happens::Ends { pick, happening } if !open.is_empty() => {
                self.happens(open[pick % open.len()], &happening)
            }
            Happens::HostDeleted { pick } => {
                let id = self.pipeline.lanes[pick % self.pipeline.lanes.len()].host_id;
                self.hosts.remove(&id);
                for command in open {
                    if self.commands[&command].host_id == id {
                        self.happens(command, &Happening::HostDeleted);
                    }
                }
            }
            Happens::Pause => self.act(PipelineAction::Pause),
            Happens::Resume => self.act(PipelineAction::Resume),
            Happens::Cancel => self.act(PipelineAction::Cancel),
            Happens::Step { .. } | Happens::Ends { .. } => {}
        }
    }

    fn act(&mut self, action: PipelineAction) {
        if let Ok(status) = pipeline_action(&self.pipeline, action) {
            self.pipeline.status = status;
        }
    }
}

proptest! {
    #[test]
    fn every_pipeline_keeps_its_rules_and_ends(plan in plan(), story in proptest::collection::vec(happens(), 0..120)) {
        prop_assert_eq!(plan.check(), Ok(()));
        let hosts = plan.host_ids.iter().copied().collect();
        let pipeline = Pipeline::begin(PipelineId(Uuid::from_u128(1)), "a".to_owned(), plan, Actor::System, Timestamp(1));
        let mut world = World { pipeline, commands: BTreeMap::new(), hosts, now: Timestamp(1), drawn: 0 };
        world.go_on();
        for happens in story {
            world.now = world.now.plus(Duration::from_secs(1));
            world.let_happen(happens);
            let over = world.pipeline.status.is_over().then(|| world.pipeline.clone());
            world.go_on();
            if let Some(over) = over {
                prop_assert_eq!(&world.pipeline, &over, "what is over changed");
            }
        }
        // From here on its commands end, and nobody keeps it paused: so does it.
        world.act(PipelineAction::Resume);
        world.go_on();
        let mut left = world.pipeline.lanes.len() * world.pipeline.stages.len() * 3;
        while let Some(id) = world.open().first().copied() {
            left = left.checked_sub(1).expect("it ends");
            let done = Happening::Finished { outcome: Outcome::Exited { code: 0 }, reason: None, output_bytes: 0 };
            world.happens(id, &done);
            world.go_on();
        }
        let Pipeline { status, lanes, finished_at, .. } = &world.pipeline;
        prop_assert!(status.is_over(), "{:?}", world.pipeline);
        prop_assert!(finished_at.is_some());
        prop_assert!(lanes.iter().all(Lane::is_settled));
        prop_assert_eq!(*status == PipelineStatus::Succeeded, lanes.iter().all(Lane::has_succeeded));
    }
}

#[test]
fn a_plan_that_can_do_nothing_is_refused() {
    let good = Plan {
        host_ids: vec![host(1), host(2)],
        stages: vec!["pull".parse().unwrap()],
        concurrency: 1,
        canary: 0,
        stop_after_failures: 1,
    };
    assert_eq!(good.check(), Ok(()));
    let of = |change: fn(&mut Plan)| {
        let mut plan = good.clone();
        change(&mut plan);
        plan.check().unwrap_err()
    };
    assert_eq!(of(|plan| plan.host_ids.clear()), PlanError::NoHosts);
    assert_eq!(of(|plan| plan.host_ids = vec![host(1), host(1)]), PlanError::HostTwice);
    assert_eq!(of(|plan| plan.host_ids = (0..5001).map(host).collect()), PlanError::TooManyHosts(5001));
    assert_eq!(of(|plan| plan.stages.clear()), PlanError::Stages(0));
    assert_eq!(of(|plan| plan.concurrency = 0), PlanError::NoConcurrency);
    assert_eq!(of(|plan| plan.canary = 3), PlanError::Canaries(3));
    assert_eq!(of(|plan| plan.stop_after_failures = 0), PlanError::NoFailures);
}

#[test]
fn a_canary_that_fails_keeps_the_others_from_beginning() {
    let plan = Plan {
        host_ids: (0..4).map(host).collect(),
        stages: vec!["pull".parse().unwrap(), "switch".parse().unwrap()],
        concurrency: 4,
        canary: 1,
        stop_after_failures: 4,
    };
    let hosts = plan.host_ids.iter().copied().collect();
    let pipeline =
        Pipeline::begin(PipelineId(Uuid::from_u128(1)), "a".to_owned(), plan, Actor::System, Timestamp(1));
    let mut world = World { pipeline, commands: BTreeMap::new(), hosts, now: Timestamp(1), drawn: 0 };
    world.go_on();
    let [canary] = world.open()[..] else { panic!("only the canary begins") };
    world.happens(canary, &Happening::Refused { reason: "no".to_owned() });
    world.go_on();
    assert_eq!(
        (world.pipeline.status, world.pipeline.reason.as_deref()),
        (PipelineStatus::Failed, Some("A canary failed"))
    );
    assert!(world.pipeline.lanes[1..].iter().all(|lane| lane.cells == [Cell::Skipped, Cell::Skipped]));
}
