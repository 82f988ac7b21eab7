//! What is selected in the drawing, and putting tokens into a place.

use super::{
    super::parts::{NetHidden, permitted_at_rest, submit},
    Node,
    bench::Bench,
    find::FindNode,
    marking::Marking,
};
use crate::{
    app::{actions::ActOnNet, components::format, guard::use_desk, store::use_store},
    model::{Net, NetAction},
    petri::graph::{GraphArc, NetGraph},
};
use leptos::{ev, html, prelude::*};
use server_fn::ServerFn;
use std::sync::Arc;

/// More than this is a number.
const SHOWN: usize = 12;

#[component]
pub fn Inspector(net: ArcRwSignal<Arc<Net>>, bench: Bench) -> impl IntoView {
    let (selected, replay) = (bench.selected, bench.replay);
    let shown = {
        let bench = bench.clone();
        move || {
            let (marking, bench) = (bench.shown(), bench.clone());
            match selected.get() {
                None => view! { <Whole marking/> }.into_any(),
                Some(Node::Place(i)) => view! { <Place marking i bench/> }.into_any(),
                Some(Node::Transition(i)) => view! { <Transition marking i bench/> }.into_any(),
            }
        }
    };
    let live = Memo::new(move |_| replay.with(Option::is_none));
    let (marking, large) = (bench.live.clone(), bench.large);
    view! {
        <section class="panel inspector" aria-label="Inspector">
            <FindNode graph=bench.graph.clone() selected pan_zoom=bench.pan_zoom large=bench.large/>
            {shown}
            // Not into what is replayed: that is no net of anybody's.
            {move || {
                let (net, marking) = (net.clone(), marking.clone());
                live.get().then(|| view! { <Inject net marking selected large/> })
            }}
        </section>
    }
    .into_any()
}

#[component]
fn Whole(marking: Marking) -> impl IntoView {
    let graph = marking.graph.clone();
    let (frame, tokens) = (marking.frame.clone(), marking.tokens.clone());
    let total = Memo::new(move |_| {
        frame.track();
        tokens.iter().map(|tokens| tokens.get_untracked()).fold(0_u64, u64::saturating_add)
    });
    let (frame, enabled) = (marking.frame.clone(), marking.enabled.clone());
    let enabled = Memo::new(move |_| {
        frame.track();
        enabled.iter().filter(|enabled| enabled.get_untracked()).count()
    });
    view! {
        <h2>"Net"</h2>
        <dl class="facts">
            <dt>"Places"</dt>
            <dd class="figure-left">{format::count(graph.places.len() as u64)}</dd>
            <dt>"Transitions"</dt>
            <dd class="figure-left">{format::count(graph.transitions.len() as u64)}</dd>
            <dt>"Arcs"</dt>
            <dd class="figure-left">{format::count((graph.inputs.len() + graph.outputs.len()) as u64)}</dd>
            <dt>"Tokens"</dt>
            <dd class="figure-left">{move || format::count(total.get())}</dd>
            <dt>"Enabled"</dt>
            <dd class="figure-left">{move || format::count(enabled.get() as u64)}</dd>
        </dl>
        <p class="quiet-text needs-script">"Select a place or a transition in the drawing to see it here."</p>
    }
    .into_any()
}

#[component]
fn Place(marking: Marking, i: usize, bench: Bench) -> impl IntoView {
    let graph = marking.graph.clone();
    let place = graph.places.get(i)?.clone();
    let tokens = marking.tokens.get(i)?.clone();
    let touching = |arcs: &[GraphArc]| {
        let arcs = arcs.iter().filter(|arc| arc.place.index() == i);
        arcs.map(|arc| (Node::Transition(arc.transition.index()), arc.weight)).collect::<Vec<_>>()
    };
    let (fed_by, feeds) = (touching(&graph.outputs), touching(&graph.inputs));
    let built = bench.built;
    let endless = Memo::new(move |_| {
        built.with(|built| {
            let report = built.as_ref().and_then(|built| built.report.report.as_ref());
            report.is_some_and(|report| report.unbounded_place == u32::try_from(i).ok())
        })
    });
    Some(
        view! {
        <h2>{place.name.clone()}</h2>
        <dl class="facts">
            <dt>"Place"</dt>
            <dd class="mono">{place.id.clone()}</dd>
            <dt>"Tokens"</dt>
            <dd class="figure-left">{move || format::count(tokens.get())}</dd>
            <dt>"At first"</dt>
            <dd class="figure-left">{format::count(place.initial)}</dd>
        </dl>
        {move || endless.get().then(|| view! { <p class="notice tone-warn">"It can grow without bound: its build found a run that can be repeated and leaves more on it each time."</p> })}
        <Neighbours title="Filled by" nodes=fed_by bench=bench.clone()/>
        <Neighbours title="Emptied by" nodes=feeds bench=bench.clone()/>
        <Deselect selected=bench.selected/>
        }
        .into_any(),
    )
}

#[component]
fn Transition(marking: Marking, i: usize, bench: Bench) -> impl IntoView {
    let graph = marking.graph.clone();
    let transition = graph.transitions.get(i)?.clone();
    let enabled = marking.enabled.get(i)?.clone();
    let seen = marking.seen.get(i)?.clone();
    let touching = |arcs: &[GraphArc]| {
        let arcs = arcs.iter().filter(|arc| arc.transition.index() == i);
        arcs.map(|arc| (Node::Place(arc.place.index()), arc.weight)).collect::<Vec<_>>()
    };
    let (takes, gives) = (touching(&graph.inputs), touching(&graph.outputs));
    let built = bench.built;
    let never = Memo::new(move |_| {
        built.with(|built| {
            let report = built.as_ref().and_then(|built| built.report.report.as_ref());
            let dead = report.and_then(|report| report.dead_transitions.as_ref());
            dead.is_some_and(|dead| u32::try_from(i).is_ok_and(|i| dead.contains(&i)))
        })
    });
    let needs: Vec<_> = (takes.iter())
        .filter_map(|(node, weight)| match node {
            Node::Place(place) => Some((*place, *weight, marking.tokens.get(*place)?.clone())),
            Node::Transition(_) => None,
        })
        .collect();
    let lacks = Memo::new(move |_| {
        let lacking = needs.iter().map(|(place, needs, tokens)| Lack {
            place: *place,
            needs: *needs,
            has: tokens.get(),
        });
        lacking.filter(|lack| lack.has < lack.needs).collect::<Vec<_>>()
    });
    Some(
        view! {
        <h2>{transition.name.clone()}</h2>
        <dl class="facts">
            <dt>"Transition"</dt>
            <dd class="mono">{transition.id.clone()}</dd>
            <dt>"Enabled"</dt>
            <dd>{move || if enabled.get() { "yes" } else { "no" }}</dd>
            <dt>"Fired"</dt>
            <dd class="figure-left" title="Firings listed since this page was opened">
                {move || format!("{} seen", format::count(seen.get()))}
            </dd>
        </dl>
        <Lacks lacks bench=bench.clone()/>
        {move || never.get().then(|| view! { <p class="notice tone-warn">"It can never fire: its build found no reachable marking that enables it."</p> })}
        <Neighbours title="Takes from" nodes=takes bench=bench.clone()/>
        <Neighbours title="Gives to" nodes=gives bench=bench.clone()/>
        <Deselect selected=bench.selected/>
        }
        .into_any(),
    )
}

/// A place that keeps a transition from firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lack {
    place: usize,
    needs: u64,
    has: u64,
}

/// Why the transition is not enabled.
#[component]
fn Lacks(lacks: Memo<Vec<Lack>>, bench: Bench) -> impl IntoView {
    move || {
        let lacks = lacks.get();
        let more = lacks.len().saturating_sub(SHOWN);
        (!lacks.is_empty()).then(|| {
            let line = |lack: Lack| {
                let name = bench.graph.places.get(lack.place).map(|place| place.name.clone()).unwrap_or_default();
                let bench = bench.clone();
                view! {
                    <li>
                        {format!("needs {} on ", format::count(lack.needs))}
                        <button type="button" class="link" on:click=move |_| bench.select(Node::Place(lack.place))>
                            {name}
                        </button>
                        {format!(", has {}", format::count(lack.has))}
                    </li>
                }
            };
            view! {
                <h3>"Why it is not enabled"</h3>
                <ul class="lacks">
                    {lacks.into_iter().take(SHOWN).map(line).collect_view()}
                    {(more > 0).then(|| view! { <li class="quiet-text">{format!("and {more} more places")}</li> })}
                </ul>
            }
        })
    }
}

#[component]
fn Neighbours(title: &'static str, nodes: Vec<(Node, u64)>, bench: Bench) -> impl IntoView {
    let graph = bench.graph.clone();
    let name = move |node: Node| match node {
        Node::Place(i) => graph.places.get(i).map(|place| place.name.clone()),
        Node::Transition(i) => graph.transitions.get(i).map(|transition| transition.name.clone()),
    };
    let more = nodes.len().saturating_sub(SHOWN);
    (!nodes.is_empty()).then(|| {
        view! {
            <h3>{title}</h3>
            <ul class="neighbours">
                {nodes
                    .into_iter()
                    .take(SHOWN)
                    .map(|(node, weight)| {
                        let bench = bench.clone();
                        view! {
                            <li>
                                <button type="button" class="link" on:click=move |_| bench.select(node)>
                                    {name(node).unwrap_or_default()}
                                </button>
                                {(weight != 1).then(|| format!(" × {}", format::count(weight)))}
                            </li>
                        }
                    })
                    .collect_view()}
                {(more > 0).then(|| view! { <li class="quiet-text">{format!("and {more} more")}</li> })}
            </ul>
        }
    })
}

#[component]
fn Deselect(selected: RwSignal<Option<Node>>) -> impl IntoView {
    view! {
        <button type="button" class="link" on:click=move |_| selected.set(None)>
            "Show the whole net"
        </button>
    }
    .into_any()
}

/// Puts tokens into a place; the choice follows the selection, and works without it where the places are few enough to be listed.
#[component]
fn Inject(
    net: ArcRwSignal<Arc<Net>>,
    marking: Marking,
    selected: RwSignal<Option<Node>>,
    /// Whether there are too many places to list.
    large: bool,
) -> impl IntoView {
    let (store, desk) = (use_store(), use_desk());
    let busy = RwSignal::new(false);
    let id = net.get_untracked().id;
    let may = permitted_at_rest(store, &net, &[NetAction::Inject]);
    let shown = Memo::new(move |_| !may.with(Vec::is_empty));
    let graph = marking.graph.clone();
    let none_chosen = Memo::new(move |_| large && !matches!(selected.get(), Some(Node::Place(_))));
    move || {
        let (net, graph) = (net.clone(), graph.clone());
        shown.get().then(|| {
            let place = if large {
                view! { <ChosenPlace graph selected/> }.into_any()
            } else {
                view! { <AnyPlace graph selected/> }.into_any()
            };
            view! {
                <form id="inject" class="actions inject" method="post" action=ActOnNet::url() on:submit=submit(desk, busy)>
                    <NetHidden id net/>
                    <label for="inject-tokens">"Inject"</label>
                    <input id="inject-tokens" class="input tokens-input" name="tokens" type="number" min="1" value="1" required=true/>
                    {place}
                    <button class="button" name="action" value="inject" disabled=move || busy.get() || none_chosen.get()>
                        "Inject"
                    </button>
                </form>
            }
        })
    }
}

/// The place that is selected in the drawing.
#[component]
fn ChosenPlace(graph: Arc<NetGraph>, selected: RwSignal<Option<Node>>) -> impl IntoView {
    let chosen = move || match selected.get() {
        Some(Node::Place(i)) => graph.places.get(i).map(|place| (place.id.clone(), place.name.clone())),
        _ => None,
    };
    move || match chosen() {
        Some((id, name)) => view! {
            <span class="inject-place">"into " <strong>{name}</strong></span>
            <input type="hidden" name="place" value=id/>
        }
        .into_any(),
        None => {
            view! { <span class="inject-place quiet-text">"into the place that you select"</span> }.into_any()
        }
    }
}

/// Any of all places.
#[component]
fn AnyPlace(graph: Arc<NetGraph>, selected: RwSignal<Option<Node>>) -> impl IntoView {
    let choice = NodeRef::<html::Select>::new();
    let ids: Vec<String> = graph.places.iter().map(|place| place.id.clone()).collect();
    Effect::new({
        let ids = ids.clone();
        move |_| {
            if let (Some(Node::Place(i)), Some(choice)) = (selected.get(), choice.get())
                && let Some(id) = ids.get(i)
            {
                choice.set_value(id);
            }
        }
    });
    let on_change = move |event: ev::Event| {
        let wanted = event_target_value(&event);
        if let Some(i) = ids.iter().position(|id| *id == wanted) {
            selected.set(Some(Node::Place(i)));
        }
    };
    view! {
        <label for="inject-place">"into"</label>
        <select id="inject-place" class="select" name="place" node_ref=choice on:change=on_change>
            {graph
                .places
                .iter()
                .map(|place| view! { <option value=place.id.clone()>{place.name.clone()}</option> })
                .collect_view()}
        </select>
    }
    .into_any()
}
