//! Finding a place or a transition by its name or id.

use super::{Node, pan_zoom::PanZoom};
use crate::petri::graph::NetGraph;
use leptos::prelude::*;
use std::sync::{Arc, OnceLock};

/// So many are listed.
const SHOWN: usize = 8;
/// Between two names. XML has no such character, and so no name and nothing that is looked for in one.
const END: char = '\0';

/// All that nodes are called, in lower case and in one text, so that a key is one pass over it and nothing is made anew.
struct Names {
    text: String,
    /// Where each begins in `text`, and whose it is. The names of a node come one after the other.
    starts: Vec<(usize, Node)>,
}

impl Names {
    fn of(graph: &NetGraph) -> Names {
        let nodes = graph.places.len() + graph.transitions.len();
        let mut names = Names { text: String::new(), starts: Vec::with_capacity(nodes) };
        for (i, it) in graph.places.iter().enumerate() {
            names.add(Node::Place(i), &it.name, &it.id);
        }
        for (i, it) in graph.transitions.iter().enumerate() {
            names.add(Node::Transition(i), &it.name, &it.id);
        }
        names
    }

    fn add(&mut self, node: Node, name: &str, id: &str) {
        for called in [Some(name), (id != name).then_some(id)].into_iter().flatten() {
            self.starts.push((self.text.len(), node));
            if called.is_ascii() {
                let from = self.text.len();
                self.text.push_str(called);
                self.text[from..].make_ascii_lowercase();
            } else {
                self.text.push_str(&called.to_lowercase());
            }
            self.text.push(END);
        }
    }

    /// The nodes whose name or id contains `text`: what is called just that first, then what begins so, each in the order of the net; and
    /// whether there are more.
    fn find(&self, text: &str) -> (Vec<Node>, bool) {
        let wanted = text.trim().to_lowercase();
        if wanted.is_empty() || wanted.contains(END) {
            return (Vec::new(), false);
        }
        // Named just so, beginning so, containing it. Of each no more is kept than tells that there are more.
        let mut found: [Vec<Node>; 3] = Default::default();
        let mut keep = |(node, distance): (Node, usize)| {
            if found[distance].len() <= SHOWN {
                found[distance].push(node);
            }
        };
        let mut best: Option<(Node, usize)> = None;
        let mut at = 0;
        for (hit, _) in self.text.match_indices(wanted.as_str()) {
            while self.starts.get(at + 1).is_some_and(|(start, _)| *start <= hit) {
                at += 1;
            }
            let (start, node) = self.starts[at];
            let whole = self.text.as_bytes().get(hit + wanted.len()) == Some(&(END as u8));
            let distance = match (hit == start, whole) {
                (true, true) => 0,
                (true, false) => 1,
                (false, _) => 2,
            };
            best = match best.take() {
                Some((before, nearest)) if before == node => Some((node, nearest.min(distance))),
                before => {
                    before.into_iter().for_each(&mut keep);
                    Some((node, distance))
                }
            };
        }
        best.into_iter().for_each(&mut keep);
        let mut found = found.concat();
        let more = found.len() > SHOWN;
        found.truncate(SHOWN);
        (found, more)
    }
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

fn name_of(graph: &NetGraph, node: Node) -> String {
    let name = match node {
        Node::Place(i) => graph.places.get(i).map(|it| &it.name),
        Node::Transition(i) => graph.transitions.get(i).map(|it| &it.name),
    };
    name.cloned().unwrap_or_default()
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
    let names = Arc::new(OnceLock::new());
    let ready = {
        let (names, graph) = (names.clone(), graph.clone());
        move |_| _ = names.get_or_init(|| Names::of(&graph))
    };
    let found = Memo::new({
        let graph = graph.clone();
        move |_| text.with(|text| names.get_or_init(|| Names::of(&graph)).find(text))
    });
    let first = graph.clone();
    view! {
        <form
            class="find-node needs-script"
            role="search"
            on:submit=move |event| {
                event.prevent_default();
                if let Some(node) = found.with_untracked(|(found, _)| found.first().copied()) {
                    show(&first, node, selected, pan_zoom, large);
                }
            }
        >
            <input
                type="search"
                class="input"
                placeholder="Find a place or transition…"
                aria-label="Find a place or transition"
                on:focus=ready
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
                                    .map(|node| {
                                        let graph = graph.clone();
                                        let name = name_of(&graph, node);
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
    use crate::petri::graph::{GraphPlace, GraphTransition};

    fn graph(places: &[(&str, &str)], transitions: &[(&str, &str)]) -> NetGraph {
        let place = |(id, name): &(&str, &str)| GraphPlace {
            id: (*id).into(),
            name: (*name).into(),
            x: 0.0,
            y: 0.0,
            initial: 0,
        };
        let transition = |(id, name): &(&str, &str)| GraphTransition {
            id: (*id).into(),
            name: (*name).into(),
            x: 0.0,
            y: 0.0,
        };
        NetGraph {
            id: "n".into(),
            name: "n".into(),
            width: 1.0,
            height: 1.0,
            places: places.iter().map(place).collect(),
            transitions: transitions.iter().map(transition).collect(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    #[test]
    fn a_node_is_found_by_name_and_by_id() {
        let called: Vec<_> = (0..20).map(|i| (format!("p{i}"), format!("Fork {i}"))).collect();
        let places: Vec<_> = called.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
        let names = Names::of(&graph(&places, &[]));
        assert_eq!(names.find("fork 17").0, [Node::Place(17)]);
        assert_eq!(names.find("P3").0, [Node::Place(3)]);
        let (found, more) = names.find("fork");
        assert!(found.len() == SHOWN && more);
        assert_eq!(names.find("p1").0[0], Node::Place(1), "before p10");
        assert!(names.find(" ").0.is_empty());
        assert!(names.find("\0").0.is_empty() && names.find("0\0p").0.is_empty());
    }

    #[test]
    fn what_is_called_just_so_comes_first_then_what_begins_so_each_in_the_order_of_the_net() {
        let names = Names::of(&graph(
            &[("a", "the fork"), ("b", "Forks"), ("c", "c"), ("fork", "left fork"), ("d", "fork of forks")],
            &[("t", "take fork"), ("u", "FORK"), ("v", "Étape")],
        ));
        let (found, more) = names.find("fork");
        let wanted = [
            Node::Place(3),
            Node::Transition(1),
            Node::Place(1),
            Node::Place(4),
            Node::Place(0),
            Node::Transition(0),
        ];
        assert_eq!(
            (found.as_slice(), more),
            (wanted.as_slice(), false),
            "each once, and none that is not so called"
        );
        assert_eq!(names.find("éTAPE").0, [Node::Transition(2)]);
    }

    #[test]
    fn of_more_than_are_listed_the_nearest_are() {
        let called: Vec<String> = (0..40).map(|i| format!("my fork {i}")).collect();
        let mut places: Vec<_> = called.iter().map(|name| (name.as_str(), name.as_str())).collect();
        places.push(("last", "fork"));
        let (found, more) = Names::of(&graph(&places, &[])).find("fork");
        assert_eq!(found, std::iter::once(40).chain(0..7).map(Node::Place).collect::<Vec<_>>());
        assert!(more);
        let (found, more) = Names::of(&graph(&places[..SHOWN], &[])).find("fork");
        assert!(found.len() == SHOWN && !more);
    }
}
