//! What goes wrong in a swarm, and when: a script, and chaos by dice. Pure, and the same for the same seed.
//!
//! A script is lines of text; `#` begins a comment. Times count from the moment the swarm is up; workers are numbered from 1.
//!
//! ```text
//! at 10s crash 3 for 5s            # worker 3 is gone for five seconds, and comes back as a new process
//! at 20s hang 4..8                 # these accept requests and answer nothing, to the end
//! at 30s slow 2s 10% for 1m        # one in ten, drawn by the seed, answers two seconds late
//! at 2m crash all for 3s
//! ```

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    ops::RangeInclusive,
    time::Duration,
};

/// What a worker does instead of behaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Its process is gone: streams are cut, requests are hung up on, its nets are forgotten.
    Crash,
    /// It takes requests and answers nothing; its streams are silent.
    Hang,
    /// Each answer comes so late.
    Slow(Duration),
}

#[derive(Clone, Debug, PartialEq)]
enum Who {
    All,
    Numbers(RangeInclusive<usize>),
    /// Of all workers, 0 to 1.
    Share(f64),
}

#[derive(Clone, Debug, PartialEq)]
struct Line {
    at: Duration,
    fault: Fault,
    who: Who,
    lasts: Option<Duration>,
}

/// A script that could be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script(Vec<Line>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}. A line looks like: at 10s crash 3 for 5s")]
pub struct ScriptError {
    pub line: usize,
    pub reason: String,
}

impl Script {
    /// Reads a script for so many workers.
    pub fn read(text: &str, workers: usize) -> Result<Script, ScriptError> {
        let mut lines = Vec::new();
        for (text, line) in text.lines().zip(1..) {
            let words: Vec<&str> = text.split('#').next().unwrap_or_default().split_whitespace().collect();
            if !words.is_empty() {
                lines.push(read_line(&words, workers).map_err(|reason| ScriptError { line, reason })?);
            }
        }
        Ok(Script(lines))
    }
}

fn read_line(words: &[&str], workers: usize) -> Result<Line, String> {
    let mut words = words.iter().copied();
    let mut next = |what: &str| words.next().ok_or_else(|| format!("{what} is missing"));
    match next("\"at\"")? {
        "at" => {}
        other => return Err(format!("it begins with {other:?} instead of \"at\"")),
    }
    let at = duration(next("the time")?)?;
    let fault = match next("what happens (crash, hang or slow)")? {
        "crash" => Fault::Crash,
        "hang" => Fault::Hang,
        "slow" => Fault::Slow(duration(next("how late its answers come")?)?),
        other => return Err(format!("{other:?} is neither crash nor hang nor slow")),
    };
    let who = who(next("to which workers (a number, 4..8, 10% or all)")?, workers)?;
    let lasts = match words.next() {
        None => None,
        Some("for") => Some(duration(words.next().ok_or("how long it lasts is missing")?)?),
        Some(other) => return Err(format!("{other:?} stands where \"for\" or nothing was expected")),
    };
    match words.next() {
        None => Ok(Line { at, fault, who, lasts }),
        Some(other) => Err(format!("{other:?} is too much")),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| format!("{text:?} is no time such as 500ms, 10s or 2m"))
}

fn who(text: &str, workers: usize) -> Result<Who, String> {
    if text == "all" {
        return Ok(Who::All);
    }
    if let Some(share) = text.strip_suffix('%') {
        return match share.parse::<f64>() {
            Ok(share) if (0.0..=100.0).contains(&share) => Ok(Who::Share(share / 100.0)),
            _ => Err(format!("{text:?} is no share from 0% to 100%")),
        };
    }
    let number = |text: &str| text.parse::<usize>().map_err(|_| format!("{text:?} is no worker's number"));
    let (first, last) = match text.split_once("..") {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    if first < 1 || last < first || last > workers {
        return Err(format!("{text:?} is not within the workers 1..{workers}"));
    }
    Ok(Who::Numbers(first..=last))
}

/// Something that happens to one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    Begins {
        worker: usize,
        fault: Fault,
        lasts: Option<Duration>,
    },
    /// It behaves again. After a crash this is a new process.
    Ends {
        worker: usize,
        fault: Fault,
    },
}

/// What comes, by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Coming {
    Line(usize),
    Chaos,
    /// The end of a fault, unless another one has begun since.
    End {
        worker: usize,
        fault: Fault,
        number: u64,
    },
}

/// Chaos troubles a worker for at least and at most so long.
const CHAOS_LASTS: RangeInclusive<u64> = 5_000..=30_000;
const CHAOS_SLOW: RangeInclusive<u64> = 500..=6_000;

/// Unrolls a script, and chaos, into what happens next.
pub struct Timeline {
    script: Vec<Line>,
    workers: usize,
    /// Faults a second over the whole swarm.
    chaos: f64,
    dice: Xoshiro256PlusPlus,
    coming: BinaryHeap<Reverse<(Duration, u64, Coming)>>,
    /// Decided and not told yet, all of the same moment.
    ready: Vec<(Duration, Happening)>,
    /// The workers in trouble, with the number of their fault.
    troubled: BTreeMap<usize, u64>,
    count: u64,
}

impl Timeline {
    /// `chaos` is the share of the workers that something happens to each minute.
    pub fn new(script: Script, chaos: f64, workers: usize, seed: u64) -> Timeline {
        let mut timeline = Timeline {
            script: script.0,
            workers,
            chaos: chaos * workers as f64 / 60.0,
            dice: Xoshiro256PlusPlus::seed_from_u64(seed),
            coming: BinaryHeap::new(),
            ready: Vec::new(),
            troubled: BTreeMap::new(),
            count: 0,
        };
        for line in 0..timeline.script.len() {
            timeline.put(timeline.script[line].at, Coming::Line(line));
        }
        timeline.put_chaos(Duration::ZERO);
        timeline
    }

    /// What happens next, and when. `None`: nothing any more.
    #[expect(clippy::should_implement_trait, reason = "a timeline is asked, not iterated")]
    pub fn next(&mut self) -> Option<(Duration, Happening)> {
        loop {
            if let Some(happening) = self.ready.pop() {
                return Some(happening);
            }
            let Reverse((at, _, coming)) = self.coming.pop()?;
            match coming {
                Coming::Line(line) => {
                    let Line { fault, who, lasts, .. } = self.script[line].clone();
                    let whom = self.choose(&who);
                    whom.into_iter().for_each(|worker| self.begin(at, worker, fault, lasts));
                    self.ready.reverse();
                }
                Coming::Chaos => {
                    self.put_chaos(at);
                    let worker = 1 + self.below(self.workers as u64) as usize;
                    let fault = match self.below(4) {
                        0 | 1 => Fault::Crash,
                        2 => Fault::Hang,
                        _ => Fault::Slow(Duration::from_millis(self.within(CHAOS_SLOW))),
                    };
                    let lasts = Duration::from_millis(self.within(CHAOS_LASTS));
                    if !self.troubled.contains_key(&worker) {
                        self.begin(at, worker, fault, Some(lasts));
                    }
                }
                Coming::End { worker, fault, number } => {
                    if self.troubled.get(&worker) == Some(&number) {
                        self.troubled.remove(&worker);
                        return Some((at, Happening::Ends { worker, fault }));
                    }
                }
            }
        }
    }

    fn begin(&mut self, at: Duration, worker: usize, fault: Fault, lasts: Option<Duration>) {
        self.ready.push((at, Happening::Begins { worker, fault, lasts }));
        let number = self.count;
        self.troubled.insert(worker, number);
        if let Some(lasts) = lasts {
            self.put(at + lasts, Coming::End { worker, fault, number });
        } else {
            self.count += 1;
        }
    }

    fn put(&mut self, at: Duration, coming: Coming) {
        // The count keeps what is due at the same time in order, and tells faults apart.
        self.coming.push(Reverse((at, self.count, coming)));
        self.count += 1;
    }

    /// The next accident: they come independently of each other, so the time between two is exponential.
    fn put_chaos(&mut self, after: Duration) {
        if self.chaos > 0.0 {
            let uniform = 1.0 - (self.dice.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
            let wait = (-uniform.ln() / self.chaos).min(1e6);
            self.put(after + Duration::from_secs_f64(wait), Coming::Chaos);
        }
    }

    fn choose(&mut self, who: &Who) -> Vec<usize> {
        match who {
            Who::All => (1..=self.workers).collect(),
            Who::Numbers(numbers) => numbers.clone().collect(),
            Who::Share(share) => {
                let wanted = (self.workers as f64 * share).round() as usize;
                let mut all: Vec<usize> = (1..=self.workers).collect();
                for place in 0..wanted {
                    let other = place + self.below((self.workers - place) as u64) as usize;
                    all.swap(place, other);
                }
                all.truncate(wanted);
                all.sort_unstable();
                all
            }
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.dice.next_u64() % bound.max(1)
    }

    fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.below(range.end() - range.start() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn all(text: &str, chaos: f64, workers: usize, seed: u64, most: usize) -> Vec<(Duration, Happening)> {
        let mut timeline = Timeline::new(Script::read(text, workers).unwrap(), chaos, workers, seed);
        std::iter::from_fn(|| timeline.next()).take(most).collect()
    }

    #[test]
    fn a_script_happens_in_the_order_of_its_times() {
        let text = "at 20s hang 2..3 for 5s # two of them\n\nat 10s crash 1 for 30s\nat 22s slow 2s 3";
        let begins = |worker, fault, lasts| Happening::Begins { worker, fault, lasts };
        assert_eq!(
            all(text, 0.0, 5, 1, 100),
            [
                (S(10), begins(1, Fault::Crash, Some(S(30)))),
                (S(20), begins(2, Fault::Hang, Some(S(5)))),
                (S(20), begins(3, Fault::Hang, Some(S(5)))),
                (S(22), begins(3, Fault::Slow(S(2)), None)),
                (S(25), Happening::Ends { worker: 2, fault: Fault::Hang }),
                // Worker 3 is slow by now: the end of its hanging is not its recovery.
                (S(40), Happening::Ends { worker: 1, fault: Fault::Crash }),
            ]
        );
    }

    #[test]
    fn a_share_is_drawn_by_the_seed() {
        let drawn = |seed| all("at 1s crash 10%", 0.0, 200, seed, 1000);
        assert_eq!(drawn(7).len(), 20);
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn chaos_is_as_frequent_as_asked_and_the_same_for_the_same_seed() {
        let hour = |seed| {
            let mut happenings = all("", 0.01, 1000, seed, 2000);
            happenings.retain(|(at, what)| *at < S(3600) && matches!(what, Happening::Begins { .. }));
            happenings
        };
        let count = hour(3).len();
        // Ten a minute.
        assert!((500..=700).contains(&count), "{count}");
        assert_eq!(hour(3), hour(3));
        assert!(all("", 0.0, 1000, 3, 10).is_empty());
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        for (text, reason) in [
            ("crash 3", "begins with \"crash\""),
            ("at ten crash 3", "\"ten\" is no time"),
            ("at 1s explode 3", "\"explode\" is neither"),
            ("at 1s slow 3", "\"3\" is no time"),
            ("at 1s crash", "to which workers"),
            ("at 1s crash 0", "not within the workers 1..9"),
            ("at 1s crash 8..10", "not within the workers 1..9"),
            ("at 1s crash 120%", "no share"),
            ("at 1s crash 3 5s", "where \"for\""),
            ("at 1s crash 3 for", "how long"),
            ("at 1s crash 3 for 5s now", "too much"),
        ] {
            let error = Script::read(&format!("# one\n{text}"), 9).unwrap_err();
            assert_eq!(error.line, 2);
            assert!(error.reason.contains(reason), "{text}: {error}");
        }
    }
}
