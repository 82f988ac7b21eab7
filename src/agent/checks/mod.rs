//! What the host is like against what it should be: found out by running git and the owner's programs. Costly, so only at the start, when
//! somebody asks, after a command, and on a long interval.

mod git;
mod lock;
mod system;

use super::{
    config::Config,
    protocol::{Found, FoundLock, Report},
};
use crate::model::{CommandId, CompartmentStatus, RefreshId};
use std::{sync::Arc, time::Instant};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time::{MissedTickBehavior, interval},
};

/// Those who wait for the next round. More are turned away: they would learn nothing that the others do not.
const MOST_ASKING: usize = 32;
/// A sentence of a report has so many characters at most.
const LONGEST_MESSAGE: usize = 400;

/// Why a round is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// At the start, and when nobody has looked for long.
    Time,
    /// The console wants to know now.
    Refresh(RefreshId),
    /// A command ended.
    After(CommandId),
}

/// What a round found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    git: Option<(Verdict, Instant)>,
    git_head: Option<String>,
    system: Option<(Verdict, Instant)>,
    generation: Option<String>,
    lock: Option<(Result<String, String>, Instant)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    status: CompartmentStatus,
    message: String,
}

impl Verdict {
    fn new(status: CompartmentStatus, message: impl Into<String>) -> Verdict {
        Verdict { status, message: within_bounds(message.into()) }
    }

    fn error(message: impl Into<String>) -> Verdict {
        Verdict::new(CompartmentStatus::Error, message)
    }
}

/// Programs say what they like: one line of it, and not too long.
fn within_bounds(message: String) -> String {
    let one_line = message.split(['\n', '\r']).next().unwrap_or_default();
    one_line.chars().filter(|c| !c.is_control()).take(LONGEST_MESSAGE).collect()
}

impl Findings {
    /// As it is said to the console, with ages, so that what is old is not taken for new.
    pub fn report(&self, ask: Ask) -> Report {
        let age_ms = |since: &Instant| since.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        let found = |(verdict, since): &(Verdict, Instant)| Found {
            status: verdict.status,
            message: verdict.message.clone(),
            age_ms: age_ms(since),
        };
        let (refresh_id, after) = match ask {
            Ask::Time => (None, None),
            Ask::Refresh(id) => (Some(id), None),
            Ask::After(id) => (None, Some(id)),
        };
        Report {
            refresh_id,
            after,
            git: self.git.as_ref().map(found),
            git_head: self.git_head.clone(),
            system: self.system.as_ref().map(found),
            generation: self.generation.clone(),
            lock: self.lock.as_ref().map(|(read, since)| FoundLock {
                hash: read.as_ref().ok().cloned(),
                error: read.as_ref().err().cloned(),
                age_ms: age_ms(since),
            }),
        }
    }
}

/// Everything, now.
async fn find_out(config: &Config) -> Findings {
    let repository = config.repository.as_ref();
    let git = async {
        match repository {
            Some(repository) => Some(git::look(repository).await),
            None => None,
        }
    };
    let lock = async {
        match repository {
            Some(repository) => Some((lock::hash(repository).await, Instant::now())),
            None => None,
        }
    };
    let (git, lock, system, generation) =
        tokio::join!(git, lock, system::look(config), system::generation(config));
    let (git, git_head) = git.map_or((None, None), |found| (Some((found.verdict, found.since)), found.head));
    Findings { git, git_head, system: system.map(|verdict| (verdict, Instant::now())), generation, lock }
}

/// A round that ended, and all whom it answers.
pub type Round = (Arc<Findings>, Vec<Ask>);

/// Where rounds are asked for, and where they come out.
pub struct Checks {
    pub ask: Sender<Ask>,
    pub rounds: Receiver<Round>,
}

impl Checks {
    /// Looks at the start and from then on whenever it is asked, one round at a time.
    pub fn start(config: Arc<Config>) -> Checks {
        let (ask, asked) = mpsc::channel(MOST_ASKING);
        let (tell, rounds) = mpsc::channel(4);
        tokio::spawn(go_round(config, asked, tell));
        Checks { ask, rounds }
    }
}

async fn go_round(config: Arc<Config>, mut asked: Receiver<Ask>, tell: Sender<Round>) {
    let mut interval = interval(config.check_interval);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let first = tokio::select! {
            _ = interval.tick() => Ask::Time,
            ask = asked.recv() => match ask {
                Some(ask) => ask,
                None => return,
            },
        };
        // Whoever asked by now is answered by this round; whoever asks from now on wants to know what is so then.
        let mut asks = vec![first];
        while let Ok(ask) = asked.try_recv() {
            asks.push(ask);
        }
        let findings = find_out(&config).await;
        interval.reset();
        if tell.send((Arc::new(findings), asks)).await.is_err() {
            return;
        }
    }
}
