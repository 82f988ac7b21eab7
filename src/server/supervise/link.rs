//! The stream of one ready worker: what it tells becomes transactions and telemetry; its end or its silence, and a probe that fails, is a
//! crash.

use super::{
    check::{Look, Tools, Verdict, is_same},
    reconcile::{Picture, Sight, Stray},
};
use crate::{
    model::{
        Actor, Event, Gone, LabFigures, Machine, NetId, NetMetrics, Severity, Telemetry, Timestamp, WorkerId,
        WorkerMetrics,
    },
    server::{clock::now, labs::Reach, workers::client::sentence},
    worker::protocol::{HostedNet, LogLevel, WorkerEvent},
};
use futures::{
    FutureExt, StreamExt,
    future::{BoxFuture, OptionFuture},
};
use std::{collections::VecDeque, ops::ControlFlow, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout_at},
};

/// A worker that claims to hold more nets than this is not one of ours.
const MOST_NETS: usize = 100_000;

pub(super) struct Link {
    pub tools: Arc<Tools>,
    pub worker: WorkerId,
    pub machine: Machine,
    /// Changes when the row of this worker, or of a net on it, does.
    pub rows: watch::Receiver<()>,
}

/// What is followed while one stream is open.
struct Following {
    picture: Option<Picture>,
    /// When the rows are to be compared with the picture next.
    due: Option<Instant>,
    /// When the rows changed last. The stream gets a moment to tell of the same thing before they are judged by it.
    rows_changed: Instant,
    last_frame: Instant,
    /// Strays being unloaded; one round at a time.
    unloading: Option<BoxFuture<'static, ()>>,
    told: Told,
}

impl Following {
    fn compare_by(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }
}

impl Link {
    /// Follows the worker until it is lost or the row is about something else. The supervisor starts a link again when there is reason to.
    pub async fn run(self) {
        let pace = self.tools.pace;
        let mut pause = pace.reopen;
        loop {
            let opened = Instant::now();
            let why = self.follow().await;
            self.tools.live().remove(&self.worker);
            tracing::debug!(worker = %self.worker, why, "the stream of a worker broke");
            if let ControlFlow::Break(()) = self.probe().await {
                return;
            }
            // A stream that breaks as soon as it is open, of a worker that answers otherwise, is opened less and less often.
            pause = if opened.elapsed() > pace.steady { pace.reopen } else { (pause * 2).min(pace.steady) };
            sleep(pause).await;
        }
    }

    /// After a stream broke: does the worker still answer?
    async fn probe(&self) -> ControlFlow<()> {
        let Some(row) = self.tools.store.fleet().worker(self.worker).cloned() else {
            return ControlFlow::Break(());
        };
        if !row.is_ready() || !is_same(row.machine.as_ref(), Some(&self.machine)) {
            return ControlFlow::Break(());
        }
        let probe = self.tools.client.timing().probe;
        // Where many streams break at once, the workers must not be found silent for want of our own time.
        let turn = self.tools.turn().await;
        let look = match self.tools.look(&row, probe).await {
            Ok(look) => look,
            Err(error) => {
                tracing::error!(worker = %self.worker, %error, "a provider could not be asked");
                return ControlFlow::Continue(());
            }
        };
        drop(turn);
        let answered = matches!(look.sight, Sight::Answer { .. });
        match self.tools.write(self.worker, look, Vec::new()).await {
            Ok(Verdict::Written(strays)) if answered => {
                self.tools.unload(self.worker, &self.machine, &strays).await;
                ControlFlow::Continue(())
            }
            Ok(Verdict::Written(_) | Verdict::MovedOn) => ControlFlow::Break(()),
            // An action is ending it. If that fails, the worker stays ready and is looked at again.
            Ok(Verdict::Busy) => ControlFlow::Continue(()),
            Err(error) => {
                tracing::error!(worker = %self.worker, %error, "what was seen of a worker could not be written");
                ControlFlow::Continue(())
            }
        }
    }

    /// Follows one stream. Returns why it broke.
    async fn follow(&self) -> String {
        let pace = self.tools.pace;
        let silence = self.tools.client.timing().silence;
        let mut rows = self.rows.clone();
        let opening = {
            // A console that comes back to thousands of workers opens their streams some at a time.
            let _turn = self.tools.turn().await;
            self.tools.client.events(&self.machine, self.worker).await
        };
        let mut frames = match opening {
            Ok(frames) => frames,
            Err(error) => return error.to_string(),
        };
        let opened = Instant::now();
        let mut following = Following {
            picture: None,
            due: None,
            rows_changed: opened,
            last_frame: opened,
            unloading: None,
            told: Told::new(pace.log_lines),
        };
        loop {
            let compare_due: OptionFuture<_> = following.due.map(sleep_until).into();
            let quiet_until = following.last_frame + silence * 2;
            let unloaded: OptionFuture<_> = following.unloading.as_mut().into();
            tokio::select! {
                // Comments keep a stream from being silent, but a worker that says nothing else is not well either.
                frame = timeout_at(quiet_until, frames.next()) => match frame {
                    Ok(Some(Ok(event))) => {
                        following.last_frame = Instant::now();
                        if let Err(why) = self.take(&mut following, event).await {
                            return why;
                        }
                    }
                    Ok(Some(Err(error))) => return error.to_string(),
                    Ok(None) => return "it ended".to_owned(),
                    Err(_) => return "nothing was told on it".to_owned(),
                },
                Some(()) = compare_due => {
                    following.due = None;
                    if let ControlFlow::Break(why) = self.compare(&mut following).await {
                        return why;
                    }
                }
                changed = rows.changed() => match changed {
                    Ok(()) => {
                        following.rows_changed = Instant::now();
                        following.compare_by(following.rows_changed + pace.settle);
                    }
                    Err(_) => return "it is not followed any more".to_owned(),
                },
                Some(()) = unloaded => {
                    following.unloading = None;
                    following.compare_by(Instant::now() + pace.steady);
                }
            }
        }
    }

    /// Takes in one frame. An error ends the stream.
    async fn take(&self, following: &mut Following, event: WorkerEvent) -> Result<(), String> {
        let at = now();
        let soon = Instant::now() + self.tools.pace.gather;
        let picture = match (event, &mut following.picture) {
            (WorkerEvent::State(health), picture) => {
                if health.worker_id != self.worker {
                    return Err("it is the stream of another worker".to_owned());
                }
                self.tools.live().insert(self.worker);
                self.call_for_labs(!health.labs.is_empty());
                self.figures(at, health.metrics, None);
                *picture = Some(Picture::new(health, at));
                following.compare_by(soon);
                return Ok(());
            }
            (_, None) => return Err("it did not begin with the whole picture".to_owned()),
            (WorkerEvent::Metrics { worker, nets, labs }, Some(_)) => {
                self.figures(at, worker, Some((nets, labs)));
                return Ok(());
            }
            (WorkerEvent::Lab(_) | WorkerEvent::LabGone { .. }, Some(_)) => {
                self.tools.labs.call(self.worker, Reach::Over);
                return Ok(());
            }
            (WorkerEvent::Log { level, net, text }, Some(_)) => {
                self.tell(&mut following.told, level, net, &text).await;
                return Ok(());
            }
            (WorkerEvent::Loaded(net), Some(picture)) => {
                if picture.nets.len() >= MOST_NETS {
                    return Err(format!("it told of more than {MOST_NETS} nets"));
                }
                picture.heard.insert(net.id, at);
                picture.nets.insert(net.id, net);
                picture
            }
            (WorkerEvent::Unloaded { id, load_id }, Some(picture)) => {
                if picture.nets.get(&id).is_some_and(|held| held.load_id == load_id) {
                    picture.nets.remove(&id);
                    picture.heard.insert(id, at);
                }
                picture
            }
            (WorkerEvent::RunState { id, load_id, run_state, rate }, Some(picture)) => {
                if let Some(held) = picture.nets.get_mut(&id).filter(|held| held.load_id == load_id) {
                    *held = HostedNet { run_state, rate, ..held.clone() };
                    picture.heard.insert(id, at);
                }
                picture
            }
        };
        if picture.heard.len() > MOST_NETS {
            return Err(format!("it told of more than {MOST_NETS} nets"));
        }
        following.compare_by(soon);
        Ok(())
    }

    /// Compares the rows with the picture and writes what differs. Breaks if the row is not about this worker's machine any more.
    async fn compare(&self, following: &mut Following) -> ControlFlow<String> {
        let Some(picture) = &mut following.picture else { return ControlFlow::Continue(()) };
        // What stood for a while unanswered by the stream is as the stream left it: a row changed before that is judged by it.
        let settled = Timestamp(now().0.saturating_sub(self.tools.pace.settle.as_millis() as u64));
        picture.as_of = picture.as_of.max(settled);
        let as_of = picture.as_of;
        picture.heard.retain(|_, heard| *heard > as_of);
        let again = following.rows_changed + self.tools.pace.settle;
        if again > Instant::now() {
            following.due = Some(again);
        }

        let fleet = self.tools.store.fleet();
        let is_elsewhere = |id: &NetId| fleet.net(*id).is_some_and(|net| net.worker_id != Some(self.worker));
        if picture.nets.keys().any(is_elsewhere) {
            // Its row does not touch this worker when it changes; it may be one to unload as soon as no action on it is in flight.
            let soon = Instant::now() + self.tools.pace.steady;
            following.due = Some(following.due.map_or(soon, |due| due.min(soon)));
        }

        let sight = Sight::Answer { machine: self.machine.clone(), picture: picture.clone() };
        let look = Look { asked: Some(self.machine.clone()), sight };
        match self.tools.write(self.worker, look, Vec::new()).await {
            Ok(Verdict::Written(strays)) => {
                if !strays.is_empty() && following.unloading.is_none() {
                    following.unloading = Some(self.unload(strays));
                }
                ControlFlow::Continue(())
            }
            Ok(Verdict::Busy) => ControlFlow::Continue(()),
            Ok(Verdict::MovedOn) => ControlFlow::Break("the worker has another machine".to_owned()),
            Err(error) => {
                tracing::error!(worker = %self.worker, %error, "what a worker told could not be written");
                following.due = Some(Instant::now() + self.tools.pace.steady);
                ControlFlow::Continue(())
            }
        }
    }

    fn unload(&self, strays: Vec<Stray>) -> BoxFuture<'static, ()> {
        let (tools, worker, machine) = (self.tools.clone(), self.worker, self.machine.clone());
        async move { tools.unload(worker, &machine, &strays).await }.boxed()
    }

    /// At the beginning of a stream. Where neither side knows of any lab there is nothing to ask: in a large fleet that is most workers.
    fn call_for_labs(&self, told_of_some: bool) {
        let fleet = self.tools.store.fleet();
        let counted = fleet.worker(self.worker).and_then(|row| row.labs).is_some_and(|labs| labs.total > 0);
        if told_of_some || counted || fleet.labs_on(self.worker).next().is_some() {
            self.tools.labs.call(self.worker, Reach::Over);
        }
    }

    /// Puts up the figures, of the nets and labs that are this worker's only. Without them, those known stay.
    fn figures(
        &self,
        at: Timestamp,
        worker: WorkerMetrics,
        told: Option<(Vec<NetMetrics>, Vec<LabFigures>)>,
    ) {
        let fleet = self.tools.store.fleet();
        let (nets, labs) = match told {
            Some((nets, labs)) => {
                let ours = |net: &NetMetrics| {
                    fleet.net(net.id).is_some_and(|row| row.worker_id == Some(self.worker))
                };
                let here = |lab: &LabFigures| {
                    fleet.lab(lab.id).is_some_and(|row| row.worker_id == Some(self.worker))
                };
                (nets.into_iter().filter(ours).collect(), labs.into_iter().filter(here).collect())
            }
            None => {
                let known = self.tools.telemetry.of(self.worker);
                known.map(|known| (known.nets, known.labs)).unwrap_or_default()
            }
        };
        self.tools.telemetry.put(Telemetry { worker_id: self.worker, at, worker, nets, labs });
    }

    /// Writes what a worker wants operators to read into the event log, as long as it does not say too much.
    async fn tell(&self, told: &mut Told, level: LogLevel, net: Option<NetId>, text: &str) {
        let text = sentence(text);
        tracing::info!(worker = %self.worker, ?level, ?net, text, "a worker says");
        if level != LogLevel::Error {
            return;
        }
        let text = match told.may_say() {
            May::Say => text,
            May::SayLast => {
                format!("{text} (it says more than is kept here; the rest is in the console's log)")
            }
            May::Not => return,
        };
        let worker = self.worker;
        let written = self.tools.store.transact(Actor::System, move |draft| {
            let row = draft.worker(worker)?.clone();
            let net = net.and_then(|id| draft.net(id).ok().cloned());
            let net = net.filter(|net| net.worker_id == Some(worker));
            let text = match &net {
                Some(net) => format!("Worker {} says of net {}: {text}", row.name, net.name),
                None => format!("Worker {} says: {text}", row.name),
            };
            draft.log(Severity::Error, "error.reported", text, |event: &mut Event| {
                (event.cluster_id, event.worker_id) = (Some(row.cluster_id), Some(worker));
                event.project_id = net.as_ref().map(|net| net.project_id);
                event.net_id = net.as_ref().map(|net| net.id);
            });
            Ok::<_, Gone>(())
        });
        if let Err(error) = written.await {
            tracing::warn!(worker = %self.worker, %error, "what a worker says could not be written");
        }
    }
}

/// Keeps a worker that complains without end from filling the event log.
struct Told {
    /// When it said what was kept, at most as many as are kept a minute.
    at: VecDeque<Instant>,
    most: usize,
}

enum May {
    Say,
    SayLast,
    Not,
}

impl Told {
    fn new(most: usize) -> Told {
        Told { at: VecDeque::new(), most }
    }

    fn may_say(&mut self) -> May {
        let now = Instant::now();
        while self.at.front().is_some_and(|at| now - *at > Duration::from_secs(60)) {
            self.at.pop_front();
        }
        if self.at.len() >= self.most {
            return May::Not;
        }
        self.at.push_back(now);
        if self.at.len() == self.most { May::SayLast } else { May::Say }
    }
}
