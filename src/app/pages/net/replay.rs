//! A run told by a build, fired again step by step in the browser: no worker takes part, and nothing that is live changes.

use super::{bench::Bench, marking::Marking};
use crate::{
    app::components::{
        format,
        keyboard::{in_dialog, typing},
    },
    petri::{
        Engine, NetBuilder, NetGraph, PetriNet, Place, Transition, TransitionIx,
        net::{ArcSpec, Direction},
    },
};
use leptos::{ev, html, prelude::*};
use std::sync::Arc;

#[derive(Clone)]
pub struct Replay {
    pub marking: Marking,
    /// How many firings of the path are done.
    pub at: ArcRwSignal<usize>,
    path: Arc<[u32]>,
    engine: ArcStoredValue<Engine>,
}

/// The net that is drawn, to be run.
fn net_of(graph: &NetGraph) -> Option<PetriNet> {
    let places = graph.places.iter().map(|place| Place {
        id: place.id.clone(),
        name: String::new(),
        initial: place.initial,
        position: None,
    });
    let transitions = graph.transitions.iter();
    let transitions =
        transitions.map(|it| Transition { id: it.id.clone(), name: String::new(), position: None });
    let inputs = graph.inputs.iter().map(|arc| (Direction::Input, arc));
    let outputs = graph.outputs.iter().map(|arc| (Direction::Output, arc));
    let arcs = inputs.chain(outputs).map(|(direction, arc)| ArcSpec {
        direction,
        place: arc.place,
        transition: arc.transition,
        weight: arc.weight,
    });
    let builder = NetBuilder {
        places: places.collect(),
        transitions: transitions.collect(),
        arcs: arcs.collect(),
        ..NetBuilder::new(graph.id.clone())
    };
    builder.build().ok()
}

impl Replay {
    /// `None` where the path is not one of this net.
    pub fn of(graph: &Arc<NetGraph>, path: &[u32]) -> Option<Replay> {
        let mut engine = Engine::new(Arc::new(net_of(graph)?), 0);
        for transition in path {
            if (*transition as usize) >= graph.transitions.len() {
                return None;
            }
            engine.fire(TransitionIx(*transition)).ok()?;
        }
        engine.reset();
        let next = path.first().map(|t| *t as usize);
        let mut marking = Marking::new(graph.clone());
        marking.around = Some(ArcRwSignal::new((None, next)));
        let (at, engine) = (ArcRwSignal::new(0), ArcStoredValue::new(engine));
        Some(Replay { marking, at, path: path.into(), engine })
    }

    pub fn len(&self) -> usize {
        self.path.len()
    }

    /// Shows the marking after `wanted` firings.
    pub fn seek(&self, wanted: usize) {
        let wanted = wanted.min(self.path.len());
        let now = self.at.get_untracked();
        self.engine.update_value(|engine| {
            let from = if wanted < now {
                engine.reset();
                0
            } else {
                now
            };
            for transition in self.path.get(from..wanted).unwrap_or_default() {
                // Fired once already when the replay began.
                _ = engine.fire(TransitionIx(*transition));
            }
            let enabled = engine.enabled().map(|t| t.0).collect::<Vec<_>>();
            self.marking.show(engine.marking().as_slice(), &enabled);
        });
        if let Some(around) = &self.marking.around {
            around.set(self.around(wanted));
        }
        self.at.set(wanted);
    }

    /// The transition that was fired last, and the one that comes next.
    pub fn around(&self, at: usize) -> (Option<usize>, Option<usize>) {
        let of = |n: Option<usize>| n.and_then(|n| self.path.get(n)).map(|t| *t as usize);
        (of(at.checked_sub(1)), of(Some(at)))
    }
}

/// In place of the controls while a path is replayed: those would act on the net that is live.
#[component]
pub fn ReplayBar(bench: Bench, replay: Replay) -> impl IntoView {
    let total = replay.len();
    let at = replay.at.clone();
    let at = Memo::new(move |_| at.get());
    let next = NodeRef::<html::Button>::new();
    let name = {
        let graph = bench.graph.clone();
        move |t: Option<usize>| t.and_then(|t| graph.transitions.get(t)).map(|t| t.name.clone())
    };
    let said = {
        let replay = replay.clone();
        let name = name.clone();
        move || {
            let at = at.get();
            let (last, _) = replay.around(at);
            let end = if at == total { ". Nothing is enabled any more" } else { "" };
            match name(last) {
                Some(name) => {
                    format!(
                        "Step {} of {}: {name} fired{end}.",
                        format::count(at as u64),
                        format::count(total as u64)
                    )
                }
                None => format!("Step 0 of {}: the initial marking{end}.", format::count(total as u64)),
            }
        }
    };
    let coming = {
        let replay = replay.clone();
        move || name(replay.around(at.get()).1).map(|name| format!("Next: {name}"))
    };
    let go = {
        let replay = replay.clone();
        Callback::new(move |to: usize| replay.seek(to))
    };
    let leave = bench.clone();
    let leave = Callback::new(move |()| leave.stop_replay());
    Effect::new(move |_| {
        if let Some(next) = next.get() {
            _ = next.focus();
        }
        let keys = window_event_listener(ev::keydown, move |event| {
            if typing()
                || in_dialog()
                || event.default_prevented()
                || event.ctrl_key()
                || event.meta_key()
                || event.alt_key()
            {
                return;
            }
            let now = at.get_untracked();
            match event.key().as_str() {
                "ArrowRight" => go.run(now + 1),
                "ArrowLeft" => go.run(now.saturating_sub(1)),
                "Home" => go.run(0),
                "End" => go.run(total),
                "Escape" => leave.run(()),
                _ => return,
            }
            event.prevent_default();
        });
        on_cleanup(move || keys.remove());
    });
    let button = move |label: &'static str, title: &'static str, off: Memo<bool>, to: Callback<(), usize>| {
        view! {
            <button
                type="button"
                class="button"
                title=title
                aria-disabled=move || off.get().then_some("true")
                on:click=move |_| go.run(to.run(()))
            >
                {label}
            </button>
        }
    };
    let (first, last) = (Memo::new(move |_| at.get() == 0), Memo::new(move |_| at.get() == total));
    view! {
        <section class="controls replay-bar" aria-label="Replay">
            <strong class="state tone-warn">"Replaying · not live"</strong>
            <div class="actions" role="group" aria-label="Steps">
                {button("First", "First (Home)", first, Callback::new(|()| 0))}
                {button("Previous", "Previous (←)", first, Callback::new(move |()| at.get_untracked().saturating_sub(1)))}
                <button
                    type="button"
                    class="button primary"
                    title="Next (→)"
                    node_ref=next
                    aria-disabled=move || last.get().then_some("true")
                    on:click=move |_| go.run(at.get_untracked() + 1)
                >
                    "Next"
                </button>
                {button("Last", "Last (End)", last, Callback::new(move |()| total))}
            </div>
            <p class="replay-said" role="status">{said}</p>
            <p class="replay-next quiet-text">{coming}</p>
            <button type="button" class="button" title="Esc" on:click=move |_| leave.run(())>
                "Back to live"
            </button>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::petri::{NetBuilder, PlaceIx};

    /// `p -> t -> q -> u`, with two tokens on `p`.
    fn graph() -> Arc<NetGraph> {
        let mut net = NetBuilder::new("n");
        let (p, q) = (net.place("p", 2), net.place("q", 0));
        let (t, u) = (net.transition("t"), net.transition("u"));
        net.input(p, t, 1);
        net.output(t, q, 1);
        net.input(q, u, 2);
        Arc::new(NetGraph::of(&net.build().expect("a net")))
    }

    fn tokens(replay: &Replay) -> Vec<u64> {
        replay.marking.tokens.iter().map(|tokens| tokens.get_untracked()).collect()
    }

    #[test]
    fn a_path_leads_forth_and_back() {
        let owner = Owner::new();
        owner.set();
        let replay = Replay::of(&graph(), &[0, 0, 1]).expect("a path of this net");
        assert_eq!(tokens(&replay), [2, 0]);
        replay.seek(2);
        assert_eq!(tokens(&replay), [0, 2]);
        assert!(replay.marking.enabled[1].get_untracked());
        assert_eq!(replay.around(2), (Some(0), Some(1)));
        replay.seek(9);
        assert_eq!((replay.at.get_untracked(), tokens(&replay)), (3, vec![0, 0]));
        assert!(replay.marking.enabled.iter().all(|enabled| !enabled.get_untracked()));
        replay.seek(1);
        assert_eq!(tokens(&replay), [1, 1]);
    }

    #[test]
    fn a_path_of_another_net_is_none_of_this_one() {
        let owner = Owner::new();
        owner.set();
        assert!(Replay::of(&graph(), &[1]).is_none(), "not enabled");
        assert!(Replay::of(&graph(), &[7]).is_none(), "no such transition");
        let mut broken = NetGraph::clone(&graph());
        broken.inputs[0].place = PlaceIx(99);
        assert!(Replay::of(&Arc::new(broken), &[]).is_none());
    }
}
