//! Nets of any size: for tests, for figures, and for people who want to see what a large net looks like.
//!
//! Each family grows in its parts, not in its tokens, and its structure is known by heart: what is generated here has known verdicts.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::net::{NetBuilder, PetriNet, PlaceIx, TransitionIx};

/// A kind of net that exists in every size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Philosophers around a table, each taking the left fork first. One-safe; deadlocks.
    Philosophers,
    /// Workers in a row with a buffer of eight between each and the next. Bounded and live.
    ProducerConsumer,
    /// Stations in a row, each with three cards. Bounded and live.
    Kanban,
    /// Two processes that take all locks, one of them backwards. One-safe; deadlocks from two locks on.
    Locks,
    /// Readers with a permit each and, to ten of them, a writer that needs all permits. Live; bounded by the readers.
    ReadersWriters,
    /// Cycles of five steps, one in four of which two cycles take together, drawn by lot. One-safe; its arcs lead everywhere.
    Machines,
}

impl Family {
    pub const ALL: [Self; 6] = [
        Self::Philosophers,
        Self::ProducerConsumer,
        Self::Kanban,
        Self::Locks,
        Self::ReadersWriters,
        Self::Machines,
    ];

    /// The name on the command line, and the id of the net.
    pub fn name(self) -> &'static str {
        match self {
            Self::Philosophers => "philosophers",
            Self::ProducerConsumer => "producer-consumer",
            Self::Kanban => "kanban",
            Self::Locks => "locks",
            Self::ReadersWriters => "readers-writers",
            Self::Machines => "machines",
        }
    }

    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// The net with `size` parts (philosophers, workers, stations, locks, readers, cycles), at least one. The same every time.
    pub fn net(self, size: u32) -> PetriNet {
        let size = size.max(1);
        let mut net = NetBuilder::new(format!("{}-{size}", self.name()));
        match self {
            Self::Philosophers => philosophers(&mut net, size),
            Self::ProducerConsumer => producer_consumer(&mut net, size),
            Self::Kanban => kanban(&mut net, size),
            Self::Locks => locks(&mut net, size),
            Self::ReadersWriters => readers_writers(&mut net, size),
            Self::Machines => machines(&mut net, size),
        }
        net.build().expect("ids are numbered, weights are small")
    }

    /// The smallest net of the family with at least this many places and transitions.
    pub fn of_nodes(self, nodes: u32) -> PetriNet {
        let per_part = match self {
            Self::Philosophers => 7,
            Self::ProducerConsumer => 6,
            Self::Kanban => 5,
            Self::Locks => 5,
            Self::ReadersWriters => 4,
            Self::Machines => 10,
        };
        self.net(nodes.div_ceil(per_part))
    }
}

/// Adds a transition with arcs of weight 1 from and to these places.
fn moves(net: &mut NetBuilder, id: &str, from: &[PlaceIx], to: &[PlaceIx]) -> TransitionIx {
    let t = net.transition(id);
    from.iter().for_each(|&place| net.input(place, t, 1));
    to.iter().for_each(|&place| net.output(t, place, 1));
    t
}

fn philosophers(net: &mut NetBuilder, size: u32) {
    let forks: Vec<_> = (1..=size).map(|n| net.place(&format!("fork{n}"), 1)).collect();
    for n in 1..=size {
        let (left, right) = (forks[n as usize - 1], forks[(n % size) as usize]);
        let thinking = net.place(&format!("thinking{n}"), 1);
        let waiting = net.place(&format!("waiting{n}"), 0);
        let eating = net.place(&format!("eating{n}"), 0);
        moves(net, &format!("take_left{n}"), &[thinking, left], &[waiting]);
        moves(net, &format!("take_right{n}"), &[waiting, right], &[eating]);
        moves(net, &format!("put_back{n}"), &[eating], &[thinking, left, right]);
    }
}

fn producer_consumer(net: &mut NetBuilder, size: u32) {
    let mut before: Option<(PlaceIx, PlaceIx)> = None;
    for n in 1..=size {
        let idle = net.place(&format!("idle{n}"), 1);
        let busy = net.place(&format!("busy{n}"), 0);
        let after =
            (n < size).then(|| (net.place(&format!("free{n}"), 8), net.place(&format!("full{n}"), 0)));
        let begin = moves(net, &format!("begin{n}"), &[idle], &[busy]);
        let end = moves(net, &format!("end{n}"), &[busy], &[idle]);
        if let Some((free, full)) = before {
            net.input(full, begin, 1);
            net.output(begin, free, 1);
        }
        if let Some((free, full)) = after {
            net.input(free, end, 1);
            net.output(end, full, 1);
        }
        before = after;
    }
}

fn kanban(net: &mut NetBuilder, size: u32) {
    let mut before: Option<(PlaceIx, PlaceIx)> = None;
    for n in 1..=size {
        let cards = net.place(&format!("cards{n}"), 3);
        let work = net.place(&format!("work{n}"), 0);
        let done = net.place(&format!("done{n}"), 0);
        let enter = moves(net, &format!("enter{n}"), &[cards], &[work]);
        moves(net, &format!("finish{n}"), &[work], &[done]);
        if let Some((cards, done)) = before {
            net.input(done, enter, 1);
            net.output(enter, cards, 1);
        }
        before = Some((cards, done));
    }
    if let Some((cards, done)) = before {
        moves(net, "leave", &[done], &[cards]);
    }
}

fn locks(net: &mut NetBuilder, size: u32) {
    let locks: Vec<_> = (1..=size).map(|n| net.place(&format!("lock{n}"), 1)).collect();
    for (process, backwards) in [("first", false), ("second", true)] {
        let idle = net.place(&format!("{process}.at0"), 1);
        let mut here = idle;
        for taken in 1..=size {
            let lock = if backwards { size - taken } else { taken - 1 };
            let next = net.place(&format!("{process}.at{taken}"), 0);
            moves(net, &format!("{process}.take{}", lock + 1), &[here, locks[lock as usize]], &[next]);
            here = next;
        }
        let release = moves(net, &format!("{process}.release"), &[here], &[idle]);
        locks.iter().for_each(|&lock| net.output(release, lock, 1));
    }
}

fn readers_writers(net: &mut NetBuilder, size: u32) {
    let permits = net.place("permits", u64::from(size));
    for n in 1..=size {
        let idle = net.place(&format!("idle{n}"), 1);
        let reading = net.place(&format!("reading{n}"), 0);
        moves(net, &format!("read{n}"), &[idle, permits], &[reading]);
        moves(net, &format!("read_end{n}"), &[reading], &[idle, permits]);
    }
    for n in 1..=size.div_ceil(10) {
        let idle = net.place(&format!("writer{n}"), 1);
        let writing = net.place(&format!("writing{n}"), 0);
        let begin = moves(net, &format!("write{n}"), &[idle], &[writing]);
        let end = moves(net, &format!("write_end{n}"), &[writing], &[idle]);
        net.input(permits, begin, u64::from(size));
        net.output(end, permits, u64::from(size));
    }
}

fn machines(net: &mut NetBuilder, size: u32) {
    const STEPS: u32 = 5;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(u64::from(size));
    let mut below = |bound: u32| ((u128::from(random.next_u64()) * u128::from(bound)) >> 64) as u32;
    let place = |machine: u32, step: u32| PlaceIx(machine * STEPS + step % STEPS);
    for machine in 1..=size {
        (0..STEPS).for_each(|step| _ = net.place(&format!("m{machine}.s{step}"), u64::from(step == 0)));
    }
    for machine in 0..size {
        for step in 0..STEPS {
            let id = format!("m{}.t{step}", machine + 1);
            let t = moves(net, &id, &[place(machine, step)], &[place(machine, step + 1)]);
            let other = below(size);
            // Together with a step of another cycle, which has its own transition for it as well.
            if other != machine && below(4) == 0 {
                let step = below(STEPS);
                net.input(place(other, step), t, 1);
                net.output(t, place(other, step + 1), 1);
            }
        }
    }
}
