//! Finding a place or a transition by its name or id.

use super::{Node, pan_zoom::PanZoom};
use crate::petri::graph::NetGraph;
use leptos::prelude::*;
use std::sync::Arc;

/// So many are listed.
const SHOWN: usize = 8;

/// The nodes whose name or id contains `text`, what is called just that first, and whether there are more.
fn find(graph: &NetGraph, text: &str) -> (Vec<(Node, String)>, bool) {
    let wanted = text.trim().to_lowercase();
    if wanted.is_empty() {
        return (Vec::new(), false);
    }
    let distance = |name: &str, id: &str| {
        let both = [name.to_lowercase(), id.to_lowercase()];
        let one = |test: &dyn Fn(&String) -> bool| both.iter().any(test);
        match () {
            () if one(&|text| *text == wanted) => Some(0),
            () if one(&|text| text.starts_with(&wanted)) => Some(1),
            () if one(&|text| text.contains(&wanted)) => Some(2),
            () => None,
        }
    };
    let places = graph.places.iter().enumerate().map(|(i, it)| (Node::Place(i), &it.name, &it.id));
    let transitions = graph.transitions.iter().enumerate();
    let transitions = transitions.map(|(i, it)| (Node::Transition(i), &it.name, &it.id));
    let mut found: Vec<_> = places
        .chain(transitions)
        .filter_map(|(node, name, id)| Some((distance(name, id)?, node, name)))
        .collect();
    found.sort_by_key(|(distance, _, _)| *distance);
    let more = found.len() > SHOWN;
    (found.into_iter().take(SHOWN).map(|(_, node, name)| (node, name.clone())).collect(), more)
}

/// Selects the node, and shows it where not all of the net is seen.
pub fn show(graph: &NetGraph, node: Node, selected: RwSignal<Option<Node>>, pan_zoom: PanZoom, large: bool) {
    selected.set(Some(node));
    let at = match node {
        Node::Place(i) => graph.places.get(i).map(|it| (it.x, it.y)),
        Node::Transition(i) => graph.transitions.get(i).map(|it| (it.x, it.y)),
    };
    if let Some((x, y)) = at
        && (large || pan_zoom.camera.with_untracked(Option::is_some))
    {
        pan_zoom.look_at(x.into(), y.into());
    }
}

#[component]
pub fn FindNode(
    graph: Arc<NetGraph>,
    selected: RwSignal<Option<Node>>,
    pan_zoom: PanZoom,
    /// Whether all of it is too much to see the one.
    large: bool,
) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let found = Memo::new({
        let graph = graph.clone();
        move |_| text.with(|text| find(&graph, text))
    });
    let first = graph.clone();
    view! {
        <form
            class="find-node needs-script"
            role="search"
            on:submit=move |event| {
                event.prevent_default();
                if let Some((node, _)) = found.with_untracked(|(found, _)| found.first().cloned()) {
                    show(&first, node, selected, pan_zoom, large);
                }
            }
        >
            <input
                type="search"
                class="input"
                placeholder="Find a place or transition…"
                aria-label="Find a place or transition"
                on:input=move |event| text.set(event_target_value(&event))
            />
            {move || {
                let graph = graph.clone();
                (!text.with(|text| text.trim().is_empty()))
                    .then(|| {
                        let (found, more) = found.get();
                        let none = found.is_empty();
                        view! {
                            <ul class="neighbours">
                                {none.then(|| view! { <li class="quiet-text">"Nothing is called that."</li> })}
                                {found
                                    .into_iter()
                                    .map(|(node, name)| {
                                        let graph = graph.clone();
                                        view! {
                                            <li>
                                                <button
                                                    type="button"
                                                    class="link"
                                                    on:click=move |_| show(&graph, node, selected, pan_zoom, large)
                                                >
                                                    {name}
                                                </button>
                                            </li>
                                        }
                                    })
                                    .collect_view()}
                                {more.then(|| view! { <li class="quiet-text">"and more"</li> })}
                            </ul>
                        }
                    })
            }}
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::petri::graph::GraphPlace;

    #[test]
    fn a_node_is_found_by_name_and_by_id() {
        let place = |id: &str, name: &str| GraphPlace {
            id: id.into(),
            name: name.into(),
            x: 0.0,
            y: 0.0,
            initial: 0,
        };
        let graph = NetGraph {
            id: "n".into(),
            name: "n".into(),
            width: 1.0,
            height: 1.0,
            places: (0..20).map(|i| place(&format!("p{i}"), &format!("Fork {i}"))).collect(),
            transitions: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        assert_eq!(find(&graph, "fork 17").0, [(Node::Place(17), "Fork 17".to_owned())]);
        assert_eq!(find(&graph, "P3").0, [(Node::Place(3), "Fork 3".to_owned())]);
        let (found, more) = find(&graph, "fork");
        assert!(found.len() == SHOWN && more);
        assert_eq!(find(&graph, "p1").0[0].0, Node::Place(1), "before p10");
        assert!(find(&graph, " ").0.is_empty());
    }
}
