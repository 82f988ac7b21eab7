//! The browser's side: what a message does, what is shown, and the way around the stream.

use super::{Failure, OLDEST, PATIENCE, World};
use crate::{
    sim::{
        check::{Guarantee, violated},
        client::{By, Fetch},
        plant::Break,
    },
    sync::{Effect, FullState, Message, Position, Unanswered, sse::SseEvent},
};
use std::time::Duration;

impl World {
    pub(super) fn message(&mut self, index: usize, event: &SseEvent) -> Result<(), Box<Failure>> {
        let now = self.now;
        let message = match Message::parse(&event.event, &event.data) {
            None => {
                let checked = violated(Guarantee::Ordered, format!("a frame called {:?}", event.event));
                return self.hold(checked, Some(index));
            }
            Some(Err(error)) => {
                let checked = violated(Guarantee::Ordered, format!("a frame that cannot be read: {error}"));
                return self.hold(checked, Some(index));
            }
            Some(Ok(message)) => message,
        };
        self.tell(Some(index), || brief(&message));
        let restored = self.last_restore.is_some_and(|at| at + OLDEST > now);
        let resumable = self.clients[index].connection.as_ref().is_some_and(|connection| {
            let since = connection.since.as_ref().and_then(|since| since.0.parse::<Position>().ok());
            since.is_some_and(|since| {
                since.scope == connection.scope.revision()
                    && self
                        .disk
                        .content()
                        .chain_at(since.version)
                        .is_some_and(|chain| chain.short() == since.chain)
            })
        });
        let checked = self.clients[index].check_message(&message, restored, resumable);
        self.hold(checked, Some(index))?;
        let by = match &message {
            Message::Init(_) => By::Init,
            Message::Delta(_) => By::Delta,
            _ => By::Sync,
        };
        self.figures.inits += u64::from(by == By::Init);
        let sync = match &message {
            Message::Sync(sync) => Some(sync.position.clone()),
            _ => None,
        };
        let before = self.clients[index].replica.position().cloned();
        let effects = self.clients[index].replica.on_message(message, now);
        let client = &mut self.clients[index];
        if sync.is_some_and(|position| client.replica.position() == Some(&position)) {
            client.proven_at = now;
        }
        let news = self.clients[index].replica.position() != before.as_ref() || shows(&effects);
        if news {
            self.shown(index, by)?;
        }
        self.run_effects(index, effects)
    }

    pub(super) fn shown(&mut self, index: usize, by: By) -> Result<(), Box<Failure>> {
        self.figures.shown += 1;
        let current = self.disk.content().head.chain;
        let checked = self.clients[index].check_shown(by, &self.history, current);
        self.hold(checked, Some(index))
    }

    pub(super) fn run_effects(&mut self, index: usize, effects: Vec<Effect>) -> Result<(), Box<Failure>> {
        let checked = self.clients[index].check_fetch(&effects);
        self.hold(checked, Some(index))?;
        for effect in effects {
            match effect {
                Effect::Connect => self.connect(index),
                Effect::Disconnect => self.clients[index].connection = None,
                Effect::FetchFullState { request, at_least } => {
                    let checked = self.clients[index].check_asks(self.now);
                    self.hold(checked, Some(index))?;
                    self.figures.fetches += 1;
                    let at = self.now + self.dice.between(1, 300);
                    let process = self.dice.below(2);
                    let client = &mut self.clients[index];
                    let since = client.replica.position().cloned();
                    client.fetches.push(Fetch { request, process, at_least, since, at, answer: None });
                    self.tell(Some(index), || {
                        format!("asks process {process} for at least version {at_least}")
                    });
                }
                Effect::Status => {
                    let status = self.clients[index].replica.status().clone();
                    self.tell(Some(index), || format!("says {status:?}"));
                }
                Effect::Changed(_) | Effect::Replaced | Effect::Telemetry(_) => {}
            }
        }
        Ok(())
    }

    /// `GET /api/state`: asked, answered, and the answer under way.
    pub(super) fn fetch(&mut self, index: usize) -> Result<(), Box<Failure>> {
        let now = self.now;
        let Some(at) = self.clients[index].fetches.iter().position(|fetch| match &fetch.answer {
            None => fetch.at <= now,
            Some((arrives, _)) => *arrives <= now,
        }) else {
            return Ok(());
        };
        let mut fetch = self.clients[index].fetches.remove(at);
        match fetch.answer.take() {
            Some((_, answer)) => {
                let mut answer = answer;
                if self.plan.plant == Some(Break::ApplyOldState)
                    && let (Ok(new), Some(version)) = (answer.clone(), self.clients[index].replica.version())
                {
                    let old = self.clients[index].first_answer.get_or_insert(new);
                    answer = Ok(FullState { version: old.version.max(version), ..old.clone() });
                }
                if self.clients[index].asleep_until.is_some() {
                    answer = Err(Unanswered::Failed);
                }
                let told = answer.as_ref().map(|answer: &FullState| answer.version).map_err(|why| *why);
                self.tell(Some(index), || format!("the answer comes: {told:?}"));
                if let Err(Unanswered::TooSoon(wait)) = answer {
                    self.clients[index].asks_not_before = now + wait.as_millis() as u64;
                    if self.plan.plant == Some(Break::IgnoreRetryAfter) {
                        answer = Err(Unanswered::Failed);
                    }
                }
                let effects = self.clients[index].replica.on_full_state(fetch.request, answer, now);
                if shows(&effects) {
                    self.shown(index, By::FullState)?;
                }
                self.run_effects(index, effects)
            }
            None => {
                let scope = match self.plan.plant {
                    Some(Break::StateOfAnotherScope) => self.clients[index].former_scope.clone(),
                    _ => self.clients[index].scope.clone(),
                };
                let luck = self.dice.between(0, 999);
                let answer = match &self.processes[fetch.process] {
                    Some(process)
                        if process.hub.head().version < fetch.at_least && fetch.at + PATIENCE > now =>
                    {
                        self.clients[index].fetches.push(fetch);
                        return Ok(());
                    }
                    // Lost on the way, or nobody there.
                    None => Err(Unanswered::Failed),
                    Some(_) if luck < 100 => Err(Unanswered::Failed),
                    // Too many tabs asked.
                    Some(_) if luck < 130 => {
                        Err(Unanswered::TooSoon(Duration::from_millis((luck - 99) * 100)))
                    }
                    Some(process) => {
                        let since = fetch.since.as_ref().and_then(|token| token.0.parse().ok());
                        process.full_state(&self.disk, &scope, since)
                    }
                };
                let slow = if self.dice.per_mille(200) { 8_000 } else { 200 };
                fetch.answer = Some((now + self.dice.between(1, slow), answer));
                self.clients[index].fetches.push(fetch);
                Ok(())
            }
        }
    }
}

/// Whether the effects of an input alter what is on the screen.
fn shows(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Changed(_) | Effect::Replaced))
}

/// A message in a line.
fn brief(message: &Message) -> String {
    match message {
        Message::Connected(connected) => format!("connected to {}", connected.instance),
        Message::Init(full) => format!("init {}", full.version),
        Message::Delta(delta) => {
            format!("delta {}→{}, {} changes", delta.prev, delta.version, delta.changes.len())
        }
        Message::Sync(sync) => {
            let digest = if sync.digest.is_some() { " with digest" } else { "" };
            format!("sync {}→{}{digest}", sync.prev, sync.version)
        }
        Message::Telemetry(_) => "telemetry".to_owned(),
        Message::Shutdown(_) => "shutdown".to_owned(),
    }
}
