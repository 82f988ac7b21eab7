//! One round over the fleet: how many workers are looked at together so that it ends in time.
//!
//! Most answer within milliseconds, a dead one takes its whole patience. A fixed width is either too narrow for a large fleet with dead
//! workers in it, or opens hundreds of connections at once for a small one. So the width follows what the looks take: as many together
//! as the rest needs to end in time, within bounds.

use crate::model::WorkerId;
use futures::{StreamExt, stream::FuturesUnordered};
use std::{collections::BTreeMap, future::Future, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// The width is thought over this often, also while nothing ends.
const THINK_EVERY: Duration = Duration::from_millis(250);

/// How wide a round may be, and how long it should take.
#[derive(Clone, Copy, Debug)]
pub struct Breadth {
    pub least: usize,
    /// Also the bound on connections that it opens.
    pub most: usize,
    pub within: Duration,
}

/// What is known of a round under way; all times since its beginning. Pure: the clock is the caller's.
struct Round {
    breadth: Breadth,
    left: usize,
    running: BTreeMap<WorkerId, Duration>,
    ended: u32,
    /// By those that ended.
    spent: Duration,
}

impl Round {
    fn new(breadth: Breadth, due: usize) -> Round {
        Round { breadth, left: due, running: BTreeMap::new(), ended: 0, spent: Duration::ZERO }
    }

    /// How many may be started now.
    fn room(&self, now: Duration) -> usize {
        self.width(now).saturating_sub(self.running.len()).min(self.left)
    }

    /// Those that have not ended count for as long as they have lasted: a round that meets only silence notices before the first of
    /// them runs out of patience.
    fn width(&self, now: Duration) -> usize {
        let Breadth { least, most, within } = self.breadth;
        let waited: Duration = self.running.values().map(|since| now.saturating_sub(*since)).sum();
        let looks = self.ended + self.running.len() as u32;
        let time_left = within.saturating_sub(now);
        if looks == 0 {
            return least;
        }
        if time_left.is_zero() {
            return most;
        }
        let needed = (self.spent + waited).div_f64(f64::from(looks)).mul_f64(self.left as f64);
        let width = (needed.as_secs_f64() / time_left.as_secs_f64()).ceil();
        // Saturates; bounded below and above all the same.
        (width as usize).clamp(least, most)
    }

    fn starts(&mut self, worker: WorkerId, now: Duration) {
        self.left -= 1;
        self.running.insert(worker, now);
    }

    fn ends(&mut self, worker: WorkerId, now: Duration) {
        if let Some(since) = self.running.remove(&worker) {
            self.spent += now.saturating_sub(since);
            self.ended += 1;
        }
    }
}

/// Looks at every worker of `due`, and says how long that took.
pub async fn run<F: Future<Output = ()>>(
    due: Vec<WorkerId>,
    breadth: Breadth,
    look: impl Fn(WorkerId) -> F,
) -> Duration {
    let began = Instant::now();
    let mut round = Round::new(breadth, due.len());
    let mut due = due.into_iter();
    let mut looks = FuturesUnordered::new();
    let mut think = interval(THINK_EVERY);
    think.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        for worker in due.by_ref().take(round.room(began.elapsed())) {
            round.starts(worker, began.elapsed());
            let look = look(worker);
            looks.push(async move {
                look.await;
                worker
            });
        }
        tokio::select! {
            ended = looks.next() => match ended {
                Some(worker) => round.ends(worker, began.elapsed()),
                None => return began.elapsed(),
            },
            _ = think.tick() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cmp::Reverse, collections::BinaryHeap};
    use uuid::Uuid;

    const PATIENCE: Duration = Duration::from_secs(5);
    const BREADTH: Breadth = Breadth { least: 20, most: 256, within: Duration::from_secs(40) };

    fn id(n: usize) -> WorkerId {
        WorkerId(Uuid::from_u128(n as u128))
    }

    /// A round over workers of which `takes` says how long a look takes, on a clock of its own: how long it took, and the most looks
    /// at a time.
    fn round(workers: usize, takes: impl Fn(usize) -> Duration) -> (Duration, usize) {
        let mut round = Round::new(BREADTH, workers);
        let (mut now, mut next, mut widest) = (Duration::ZERO, 0, 0);
        let mut ends = BinaryHeap::new();
        let mut think = THINK_EVERY;
        loop {
            for _ in 0..round.room(now) {
                round.starts(id(next), now);
                ends.push(Reverse((now + takes(next), next)));
                next += 1;
            }
            widest = widest.max(ends.len());
            let Some(Reverse((end, worker))) = ends.peek().copied() else { return (now, widest) };
            if end <= think {
                ends.pop();
                now = end;
                round.ends(id(worker), now);
            } else {
                now = think;
                think += THINK_EVERY;
            }
        }
    }

    #[test]
    fn ten_thousand_workers_with_one_in_a_hundred_dead_are_looked_at_within_a_minute() {
        let dead = |n: usize| n.is_multiple_of(100);
        for alive in [5, 20, 100, 300, 800].map(Duration::from_millis) {
            let (took, widest) = round(10_000, |n| if dead(n) { PATIENCE } else { alive });
            println!("{alive:?} a look: {took:.1?}, at most {widest} at a time");
            assert!(took < Duration::from_secs(60), "{alive:?} a look: {took:?}");
            assert!(widest <= BREADTH.most);
            let fixed = (alive * 9_900 + PATIENCE * 100) / 20;
            assert!(alive < Duration::from_millis(100) || fixed > Duration::from_secs(60), "{fixed:?}");
        }
    }

    #[test]
    fn dead_ones_that_come_first_or_last_do_not_hold_up_the_others() {
        let alive = Duration::from_millis(50);
        for dead in [0..100, 5_000..5_100, 9_900..10_000] {
            let (took, _) = round(10_000, |n| if dead.contains(&n) { PATIENCE } else { alive });
            assert!(took < Duration::from_secs(55), "{dead:?}: {took:?}");
        }
    }

    #[test]
    fn a_small_fleet_is_looked_at_gently_and_a_dead_one_within_bounds() {
        let (took, widest) = round(300, |_| Duration::from_millis(20));
        assert!(widest == BREADTH.least && took < Duration::from_secs(1), "{took:?} {widest}");
        let (took, widest) = round(10_000, |_| PATIENCE);
        assert_eq!(widest, BREADTH.most);
        assert!(took < PATIENCE * (10_000 / 256 + 2), "{took:?}");
    }

    #[tokio::test]
    async fn every_worker_is_looked_at_once() {
        let seen = std::sync::Mutex::new(Vec::new());
        let all: Vec<WorkerId> = (0..1_000).map(id).collect();
        run(all.clone(), BREADTH, |worker| {
            seen.lock().unwrap().push(worker);
            tokio::task::yield_now()
        })
        .await;
        assert_eq!(seen.into_inner().unwrap(), all);
    }
}
