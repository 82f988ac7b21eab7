//! The marking of the net on the page: a signal a place and a signal a transition, so that a firing touches what it moved and nothing else.

use crate::{
    app::live::watch::{Watch, Watched},
    model::{Net, NetId},
    petri::graph::NetGraph,
    worker::protocol::NetEvent,
};
use leptos::prelude::*;
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// Lines of the firing log.
const LINES: usize = 40;
/// The log is for reading: it is brought up to date no more often than this.
const LOG_EVERY: Duration = Duration::from_millis(250);

/// Whether the marking shown is the net's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The net is not loaded: the marking it would start from.
    Initial,
    /// Asked for, not here yet.
    Opening,
    /// As it was when the page was made.
    Page,
    Live,
    /// The last one known; the stream is being opened again.
    Lost,
}

/// A line of the firing log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Line {
    /// Firing number `n` was of this transition.
    Fired { n: u64, transition: u32 },
    /// So many firings before number `n` are not listed.
    Skipped { n: u64, count: u64 },
}

#[derive(Clone)]
pub struct Marking {
    pub graph: Arc<NetGraph>,
    pub tokens: Arc<[ArcRwSignal<u64>]>,
    pub enabled: Arc<[ArcRwSignal<bool>]>,
    /// Firings of each transition that this page saw listed.
    pub seen: Arc<[ArcRwSignal<u64>]>,
    pub source: ArcRwSignal<Source>,
    /// Firings since the net was loaded or reset.
    pub firings: ArcRwSignal<u64>,
    pub log: ArcRwSignal<Vec<Line>>,
    /// Whether the log is of a loading that is over.
    pub ended: ArcRwSignal<bool>,
    /// Of a replay: the transition fired last, and the one that comes next.
    pub around: Option<ArcRwSignal<(Option<usize>, Option<usize>)>>,
    /// Counts the frames that changed anything; for a drawing that is painted as a whole.
    pub frame: ArcRwSignal<u64>,
    /// Lines not shown yet, newest last, and whether showing them is due.
    fresh: ArcStoredValue<(VecDeque<Line>, bool)>,
}

impl Marking {
    /// The initial marking of `graph`.
    pub fn new(graph: Arc<NetGraph>) -> Marking {
        let signals = |n: usize| (0..n).map(|_| ArcRwSignal::new(0)).collect();
        Marking {
            tokens: graph.places.iter().map(|place| ArcRwSignal::new(place.initial)).collect(),
            enabled: graph.initially_enabled().into_iter().map(ArcRwSignal::new).collect(),
            seen: signals(graph.transitions.len()),
            source: ArcRwSignal::new(Source::Initial),
            firings: ArcRwSignal::new(0),
            log: ArcRwSignal::new(Vec::new()),
            ended: ArcRwSignal::new(false),
            around: None,
            frame: ArcRwSignal::new(0),
            fresh: ArcStoredValue::new((VecDeque::new(), false)),
            graph,
        }
    }

    /// The marking that came with the page.
    pub fn came_with_page(&self, marking: NetEvent) {
        self.event(marking);
        set(&self.source, Source::Page);
    }

    /// Puts `tokens` on the places, with `enabled` of the transitions enabled.
    pub fn show(&self, tokens: &[u64], enabled: &[u32]) {
        for (signal, tokens) in self.tokens.iter().zip(tokens) {
            set(signal, *tokens);
        }
        let mut now = vec![false; self.enabled.len()];
        enabled.iter().filter_map(|t| usize::try_from(*t).ok()).for_each(|t| {
            if let Some(now) = now.get_mut(t) {
                *now = true;
            }
        });
        for (signal, enabled) in self.enabled.iter().zip(now) {
            set(signal, enabled);
        }
        self.frame.update(|frame| *frame += 1);
    }

    /// Back to the marking that the net starts from. What it fired last stays to be read.
    fn reset(&self) {
        for (signal, place) in self.tokens.iter().zip(&self.graph.places) {
            set(signal, place.initial);
        }
        for (signal, enabled) in self.enabled.iter().zip(self.graph.initially_enabled()) {
            set(signal, enabled);
        }
        set(&self.firings, 0);
        self.show_log();
        set(&self.ended, self.log.with_untracked(|log| !log.is_empty()));
        set(&self.source, Source::Initial);
        self.frame.update(|frame| *frame += 1);
    }

    fn forget_log(&self) {
        self.seen.iter().for_each(|signal| set(signal, 0));
        self.fresh.update_value(|(lines, _)| lines.clear());
        set(&self.log, Vec::new());
    }

    fn watched(&self, what: Vec<Watched>) {
        for what in what {
            match what {
                Watched::Event(event) => self.event(event),
                Watched::Lost if self.source.get_untracked() == Source::Live => {
                    set(&self.source, Source::Lost)
                }
                Watched::Lost => {}
            }
        }
        self.frame.update(|frame| *frame += 1);
    }

    fn event(&self, event: NetEvent) {
        match event {
            NetEvent::Marking { firings, tokens, enabled, .. } => {
                self.show(&tokens, &enabled);
                if firings < self.firings.get_untracked() || self.ended.get_untracked() {
                    self.forget_log();
                    set(&self.ended, false);
                }
                set(&self.firings, firings);
                set(&self.source, Source::Live);
            }
            NetEvent::Changed { firings, tokens, enabled, disabled, fired, skipped } => {
                for (place, tokens) in tokens {
                    if let Some(signal) = self.tokens.get(place as usize) {
                        set(signal, tokens);
                    }
                }
                for (transitions, now) in [(enabled, true), (disabled, false)] {
                    for transition in transitions {
                        if let Some(signal) = self.enabled.get(transition as usize) {
                            set(signal, now);
                        }
                    }
                }
                set(&self.firings, firings);
                self.fired(firings, &fired, skipped);
            }
            NetEvent::RunState { .. } => {}
            NetEvent::Gone => set(&self.source, Source::Lost),
        }
    }

    fn fired(&self, firings: u64, fired: &[u32], skipped: u64) {
        let first = firings.saturating_sub(fired.len() as u64) + 1;
        for transition in fired {
            if let Some(signal) = self.seen.get(*transition as usize) {
                signal.update(|seen| *seen += 1);
            }
        }
        let was_due = self.fresh.try_update_value(|(lines, due)| {
            if skipped > 0 {
                lines.push_back(Line::Skipped { n: first, count: skipped });
            }
            lines.extend((first..).zip(fired).map(|(n, &transition)| Line::Fired { n, transition }));
            let surplus = lines.len().saturating_sub(LINES);
            lines.drain(..surplus);
            std::mem::replace(due, true)
        });
        if was_due == Some(false) {
            let marking = self.clone();
            set_timeout(move || marking.show_log(), LOG_EVERY);
        }
    }

    fn show_log(&self) {
        let mut lines = Vec::new();
        self.fresh.update_value(|(fresh, due)| {
            lines = std::mem::take(fresh).into_iter().rev().collect();
            *due = false;
        });
        self.log.update(|log| {
            lines.append(log);
            lines.truncate(LINES);
            *log = lines;
        });
    }
}

fn set<T: PartialEq + Send + Sync + 'static>(signal: &ArcRwSignal<T>, value: T) {
    if signal.with_untracked(|before| *before != value) {
        signal.set(value);
    }
}

/// Keeps `marking` as the net's own while the net is loaded, until the current owner ends.
pub fn follow(id: NetId, net: ArcRwSignal<Arc<Net>>, marking: Marking) {
    let loading = Memo::new(move |_| net.with(|net| net.load_id.filter(|_| net.is_loaded())));
    Effect::new(move |_| {
        if loading.get().is_none() {
            marking.reset();
            return;
        }
        if marking.source.get_untracked() != Source::Page {
            set(&marking.source, Source::Opening);
        }
        let watch = Watch::net(id, {
            let marking = marking.clone();
            move |what| marking.watched(what)
        });
        // The watch ends when the net is unloaded or loaded anew, and with the page.
        let watch = send_wrapper::SendWrapper::new(watch);
        on_cleanup(move || drop(watch));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::petri::{
        graph::{GraphArc, GraphPlace, GraphTransition},
        net::{PlaceIx, TransitionIx},
    };

    fn marking() -> Marking {
        let place =
            |id: &str, initial| GraphPlace { id: id.into(), name: id.into(), x: 0.0, y: 0.0, initial };
        let transition = |id: &str| GraphTransition { id: id.into(), name: id.into(), x: 0.0, y: 0.0 };
        Marking::new(Arc::new(NetGraph {
            id: "n".into(),
            name: "n".into(),
            width: 1.0,
            height: 1.0,
            places: vec![place("p", 1), place("q", 0)],
            transitions: vec![transition("t")],
            inputs: Vec::new(),
            outputs: Vec::new(),
        }))
    }

    #[test]
    fn the_initial_marking_shows_what_it_enables() {
        let owner = Owner::new();
        owner.set();
        let mut graph = NetGraph::clone(&marking().graph);
        graph.inputs = vec![GraphArc { place: PlaceIx(0), transition: TransitionIx(0), weight: 1 }];
        assert_eq!(graph.initially_enabled(), [true]);
        graph.inputs[0].weight = 2;
        assert_eq!(graph.initially_enabled(), [false]);
        assert!(!Marking::new(Arc::new(graph)).enabled[0].get_untracked());
    }

    #[test]
    fn a_frame_from_another_net_is_harmless() {
        let owner = Owner::new();
        owner.set();
        let marking = marking();
        marking.event(NetEvent::Marking {
            load_id: crate::model::LoadId(uuid::Uuid::nil()),
            firings: 7,
            tokens: vec![0, 3, 9],
            enabled: vec![0, 99],
        });
        assert_eq!(marking.tokens[1].get_untracked(), 3);
        assert!(marking.enabled[0].get_untracked());
        marking.log.set(vec![Line::Fired { n: 7, transition: 0 }]);
        marking.reset();
        assert!(marking.ended.get_untracked(), "what was seen stays, and is said to be over");
        assert_eq!(marking.log.with_untracked(Vec::len), 1);
        assert_eq!(marking.tokens[0].get_untracked(), 1);
        assert_eq!(marking.source.get_untracked(), Source::Initial);
    }
}
