//! What became of a net from one version to the next: a list of differences, and both versions in one drawing.
//!
//! Places and transitions are told by their ids: one with another id is another one. Where they are drawn is no difference.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

use super::graph::{GraphArc, NetGraph};
use super::net::{Direction, NetBuilder, PetriNet, Place, PlaceIx, Transition, TransitionIx};

/// What became of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change<T> {
    Added(T),
    Removed(T),
    Changed { before: T, after: T },
}

impl<T: PartialEq> Change<T> {
    fn between(before: Option<T>, after: Option<T>) -> Option<Change<T>> {
        match (before, after) {
            (None, Some(after)) => Some(Change::Added(after)),
            (Some(before), None) => Some(Change::Removed(before)),
            (Some(before), Some(after)) if before != after => Some(Change::Changed { before, after }),
            _ => None,
        }
    }
}

impl<T> Change<T> {
    pub fn mark(&self) -> Mark {
        match self {
            Change::Added(_) => Mark::Added,
            Change::Removed(_) => Mark::Removed,
            Change::Changed { .. } => Mark::Changed,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    #[default]
    Same,
    Added,
    Removed,
    Changed,
}

impl Mark {
    pub fn word(self) -> &'static str {
        match self {
            Mark::Same => "same",
            Mark::Added => "added",
            Mark::Removed => "removed",
            Mark::Changed => "changed",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceFacts {
    pub name: String,
    /// Tokens at first.
    pub initial: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Difference {
    Place {
        id: String,
        change: Change<PlaceFacts>,
    },
    Transition {
        id: String,
        /// Its name.
        change: Change<String>,
    },
    /// Of the arcs between a place and a transition in one direction; parallel ones are one.
    Arc {
        direction: Direction,
        /// As they are called, the newer name where that changed.
        place: String,
        transition: String,
        /// Its weight.
        change: Change<u64>,
    },
}

impl Difference {
    pub fn mark(&self) -> Mark {
        match self {
            Difference::Place { change, .. } => change.mark(),
            Difference::Transition { change, .. } => change.mark(),
            Difference::Arc { change, .. } => change.mark(),
        }
    }

    /// What changed, without saying whether it was added or removed: that stands beside it.
    pub fn words(&self) -> String {
        match self {
            Difference::Place { id, change } => match change {
                Change::Added(place) | Change::Removed(place) => {
                    format!("Place {} with {}", called(&place.name, id), tokens(place.initial))
                }
                Change::Changed { before, after } => {
                    let mut said = Vec::new();
                    if before.name != after.name {
                        said.push(format!("was called {}", before.name));
                    }
                    if before.initial != after.initial {
                        said.push(format!("starts with {}, was {}", tokens(after.initial), before.initial));
                    }
                    format!("Place {}: {}", called(&after.name, id), said.join("; "))
                }
            },
            Difference::Transition { id, change } => match change {
                Change::Added(name) | Change::Removed(name) => format!("Transition {}", called(name, id)),
                Change::Changed { before, after } => {
                    format!("Transition {}: was called {before}", called(after, id))
                }
            },
            Difference::Arc { direction, place, transition, change } => {
                let way = match direction {
                    Direction::Input => format!("Arc from {place} to {transition}"),
                    Direction::Output => format!("Arc from {transition} to {place}"),
                };
                match change {
                    Change::Added(1) | Change::Removed(1) => way,
                    Change::Added(weight) | Change::Removed(weight) => format!("{way} of weight {weight}"),
                    Change::Changed { before, after } => format!("{way}: weight {after}, was {before}"),
                }
            }
        }
    }
}

fn called(name: &str, id: &str) -> String {
    if name == id { id.to_owned() } else { format!("{name} ({id})") }
}

fn tokens(n: u64) -> String {
    if n == 1 { "1 token".to_owned() } else { format!("{n} tokens") }
}

/// A thing of the drawing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marked {
    pub mark: Mark,
    /// Its tokens or its weight before, where that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<u64>,
}

/// Both versions in one drawing. The lists go with those of the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiffDrawing {
    pub graph: NetGraph,
    pub places: Vec<Marked>,
    pub transitions: Vec<Marked>,
    pub inputs: Vec<Marked>,
    pub outputs: Vec<Marked>,
    /// Only what changed is drawn, and what it is joined to.
    pub partial: bool,
}

/// Differences by what became of each thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub added: usize,
    pub removed: usize,
    pub changed: usize,
}

/// Places and transitions: of each version, and those that are in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nodes {
    pub before: usize,
    pub after: usize,
    pub common: usize,
}

impl Nodes {
    /// Whether less than a tenth of the smaller version is in the other one: they are two nets, and nothing became of anything.
    pub fn are_of_two_nets(self) -> bool {
        self.common * 10 < self.before.min(self.after)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetDiff {
    /// Places, then transitions, then arcs; in the order of the newer version, what was removed behind. None where the versions are of
    /// two nets.
    pub differences: Vec<Difference>,
    /// How many there are, also those that `differences` leaves out.
    pub counts: Counts,
    pub nodes: Nodes,
    /// `None` where what changed is too much to be drawn, and of two nets.
    pub drawing: Option<DiffDrawing>,
}

impl NetDiff {
    pub fn found(&self) -> usize {
        let Counts { added, removed, changed } = self.counts;
        added + removed + changed
    }
}

type ArcKey<'a> = (Direction, &'a str, &'a str);

struct Sides<'a> {
    places: Vec<(&'a str, Option<&'a Place>, Option<&'a Place>)>,
    transitions: Vec<(&'a str, Option<&'a Transition>, Option<&'a Transition>)>,
    /// Weight before and after, by the ids of place and transition.
    arcs: BTreeMap<ArcKey<'a>, (Option<u64>, Option<u64>)>,
}

fn paired<'a, T>(
    before: &'a [T],
    after: &'a [T],
    id: fn(&T) -> &str,
) -> Vec<(&'a str, Option<&'a T>, Option<&'a T>)> {
    let old: HashMap<&str, &T> = before.iter().map(|it| (id(it), it)).collect();
    let new: HashSet<&str> = after.iter().map(id).collect();
    let kept = after.iter().map(|it| (id(it), old.get(id(it)).copied(), Some(it)));
    let gone = before.iter().filter(|it| !new.contains(id(it))).map(|it| (id(it), Some(it), None));
    kept.chain(gone).collect()
}

impl<'a> Sides<'a> {
    fn of(before: &'a PetriNet, after: &'a PetriNet) -> Sides<'a> {
        let mut arcs: BTreeMap<ArcKey<'a>, (Option<u64>, Option<u64>)> = BTreeMap::new();
        for (net, is_after) in [(before, false), (after, true)] {
            for t in net.transition_indexes() {
                let both = [(Direction::Input, net.inputs(t)), (Direction::Output, net.outputs(t))];
                for (direction, list) in both {
                    for arc in list {
                        let place = net.places[arc.place.index()].id.as_str();
                        let key = (direction, place, net.transitions[t.index()].id.as_str());
                        let weights = arcs.entry(key).or_default();
                        *(if is_after { &mut weights.1 } else { &mut weights.0 }) = Some(arc.weight);
                    }
                }
            }
        }
        Sides {
            places: paired(&before.places, &after.places, |place| &place.id),
            transitions: paired(&before.transitions, &after.transitions, |transition| &transition.id),
            arcs,
        }
    }

    fn differences(&self) -> Vec<Difference> {
        let facts = |place: &Place| PlaceFacts { name: place.name.clone(), initial: place.initial };
        let places = self.places.iter().filter_map(|(id, before, after)| {
            let change = Change::between(before.map(facts), after.map(facts))?;
            Some(Difference::Place { id: (*id).to_owned(), change })
        });
        let name = |transition: &Transition| transition.name.clone();
        let transitions = self.transitions.iter().filter_map(|(id, before, after)| {
            let change = Change::between(before.map(name), after.map(name))?;
            Some(Difference::Transition { id: (*id).to_owned(), change })
        });
        let place_names: HashMap<&str, &str> = (self.places.iter())
            .filter_map(|(id, before, after)| Some((*id, after.or(*before)?.name.as_str())))
            .collect();
        let transition_names: HashMap<&str, &str> = (self.transitions.iter())
            .filter_map(|(id, before, after)| Some((*id, after.or(*before)?.name.as_str())))
            .collect();
        let arcs = self.arcs.iter().filter_map(|(&(direction, place, transition), &(before, after))| {
            let change = Change::between(before, after)?;
            let named = |names: &HashMap<&str, &str>, id| names.get(id).copied().unwrap_or(id).to_owned();
            Some(Difference::Arc {
                direction,
                place: named(&place_names, place),
                transition: named(&transition_names, transition),
                change,
            })
        });
        places.chain(transitions).chain(arcs).collect()
    }

    fn nodes(&self) -> Nodes {
        let there = self.places.iter().map(|(_, before, after)| (before.is_some(), after.is_some()));
        let there = there
            .chain(self.transitions.iter().map(|(_, before, after)| (before.is_some(), after.is_some())));
        there.fold(Nodes::default(), |nodes, (before, after)| Nodes {
            before: nodes.before + usize::from(before),
            after: nodes.after + usize::from(after),
            common: nodes.common + usize::from(before && after),
        })
    }

    /// Both in one net, or of a net larger than `most` what changed with what it is joined to.
    fn drawing(&self, name: &str, most: usize) -> Option<DiffDrawing> {
        let partial = self.places.len() + self.transitions.len() > most;
        let place_mark = |before: Option<&Place>, after: Option<&Place>| {
            let facts = |place: &Place| (place.name.clone(), place.initial);
            let change = Change::between(before.map(facts), after.map(facts));
            let was = before.zip(after).map(|(before, after)| (before.initial, after.initial));
            marked(change, was)
        };
        let transition_mark = |before: Option<&Transition>, after: Option<&Transition>| {
            let name = |transition: &Transition| transition.name.clone();
            marked(Change::between(before.map(name), after.map(name)), None)
        };
        let mut touched: (HashSet<&str>, HashSet<&str>) = Default::default();
        for (&(_, place, transition), (before, after)) in &self.arcs {
            if before != after {
                touched.0.insert(place);
                touched.1.insert(transition);
            }
        }
        let mut builder = NetBuilder::new(name);
        let (mut places, mut transitions) = (Vec::new(), Vec::new());
        let (mut place_ix, mut transition_ix) = (HashMap::new(), HashMap::new());
        for &(id, before, after) in &self.places {
            let mark = place_mark(before, after);
            if partial && mark.mark == Mark::Same && !touched.0.contains(id) {
                continue;
            }
            place_ix.insert(id, PlaceIx(places.len() as u32));
            builder.places.push(after.or(before)?.clone());
            places.push(mark);
        }
        for &(id, before, after) in &self.transitions {
            let mark = transition_mark(before, after);
            if partial && mark.mark == Mark::Same && !touched.1.contains(id) {
                continue;
            }
            transition_ix.insert(id, TransitionIx(transitions.len() as u32));
            builder.transitions.push(after.or(before)?.clone());
            transitions.push(mark);
        }
        if places.len() + transitions.len() > most {
            return None;
        }
        let mut arcs = HashMap::new();
        for (&(direction, place, transition), &(before, after)) in &self.arcs {
            let (Some(&p), Some(&t), Some(weight)) =
                (place_ix.get(place), transition_ix.get(transition), after.or(before))
            else {
                continue;
            };
            arcs.insert((direction, p, t), marked(Change::between(before, after), before.zip(after)));
            match direction {
                Direction::Input => builder.input(p, t, weight),
                Direction::Output => builder.output(t, p, weight),
            }
        }
        // An id that was a place's and is a transition's now is there twice, and that is right here.
        let graph = NetGraph::of(&builder.build_unique().ok()?);
        let marks = |direction: Direction, list: &[GraphArc]| -> Vec<Marked> {
            let mark = |arc: &GraphArc| arcs.get(&(direction, arc.place, arc.transition)).copied();
            list.iter().map(|arc| mark(arc).unwrap_or_default()).collect()
        };
        let (inputs, outputs) =
            (marks(Direction::Input, &graph.inputs), marks(Direction::Output, &graph.outputs));
        Some(DiffDrawing { graph, places, transitions, inputs, outputs, partial })
    }
}

fn marked<T>(change: Option<Change<T>>, numbers: Option<(u64, u64)>) -> Marked {
    Marked {
        mark: change.as_ref().map_or(Mark::Same, Change::mark),
        was: numbers.filter(|(before, after)| before != after).map(|(before, _)| before),
    }
}

/// What is different in `after`: at most `listed` differences, drawn with at most `drawn` places and transitions.
pub fn diff(before: &PetriNet, after: &PetriNet, listed: usize, drawn: usize) -> NetDiff {
    let sides = Sides::of(before, after);
    let mut differences = sides.differences();
    let count = |mark: Mark| differences.iter().filter(|difference| difference.mark() == mark).count();
    let counts =
        Counts { added: count(Mark::Added), removed: count(Mark::Removed), changed: count(Mark::Changed) };
    let nodes = sides.nodes();
    if nodes.are_of_two_nets() {
        return NetDiff { differences: Vec::new(), counts, nodes, drawing: None };
    }
    differences.truncate(listed);
    NetDiff { differences, counts, nodes, drawing: sides.drawing(&after.name, drawn) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a -> t -> b`, with a token on `a`.
    fn net() -> NetBuilder {
        let mut net = NetBuilder::new("n");
        let (a, b) = (net.place("a", 1), net.place("b", 0));
        let t = net.transition("t");
        net.input(a, t, 1);
        net.output(t, b, 1);
        net
    }

    fn built(net: NetBuilder) -> PetriNet {
        net.build().expect("a net")
    }

    fn words(before: &PetriNet, after: &PetriNet) -> Vec<String> {
        let told = |it: &Difference| format!("{}: {}", it.mark().word(), it.words());
        diff(before, after, 100, 100).differences.iter().map(told).collect()
    }

    #[test]
    fn a_net_does_not_differ_from_itself_wherever_it_is_drawn() {
        let mut moved = net();
        moved.places[0].position = Some((7.0, 9.0));
        let same = diff(&built(net()), &built(moved), 100, 100);
        assert_eq!((same.differences.len(), same.found()), (0, 0));
        let drawing = same.drawing.expect("it is small");
        assert!(drawing.places.iter().all(|place| place.mark == Mark::Same));
        assert!(!drawing.partial);
    }

    #[test]
    fn each_kind_of_difference_is_told() {
        let mut after = net();
        after.places[0].initial = 3;
        after.places[1].name = "full".into();
        after.transitions[0].name = "work".into();
        after.arcs[1].weight = 2;
        let c = after.place("c", 0);
        after.input(c, TransitionIx(0), 5);
        assert_eq!(
            words(&built(net()), &built(after)),
            [
                "changed: Place a: starts with 3 tokens, was 1",
                "changed: Place full (b): was called b",
                "added: Place c with 0 tokens",
                "changed: Transition work (t): was called t",
                "added: Arc from c to work of weight 5",
                "changed: Arc from work to full: weight 2, was 1",
            ]
        );
    }

    #[test]
    fn the_way_back_takes_away_what_was_added() {
        let mut after = net();
        let u = after.transition("u");
        after.input(PlaceIx(1), u, 1);
        let (before, after) = (built(net()), built(after));
        assert_eq!(words(&before, &after), ["added: Transition u", "added: Arc from b to u"]);
        assert_eq!(words(&after, &before), ["removed: Transition u", "removed: Arc from b to u"]);
        let drawing = diff(&after, &before, 100, 100).drawing.expect("it is small");
        assert_eq!(drawing.graph.transitions.len(), 2, "what was removed is drawn too");
        assert_eq!(drawing.transitions[1].mark, Mark::Removed);
        assert_eq!(drawing.inputs.iter().filter(|arc| arc.mark == Mark::Removed).count(), 1);
    }

    #[test]
    fn an_id_that_is_now_a_transition_is_two_things() {
        let mut before = NetBuilder::new("n");
        before.place("x", 0);
        before.place("stays", 0);
        let mut after = NetBuilder::new("n");
        after.transition("x");
        after.place("stays", 0);
        let told = diff(&built(before), &built(after), 100, 100);
        assert_eq!(told.found(), 2);
        let drawing = told.drawing.expect("it is small");
        assert_eq!((drawing.places.len(), drawing.transitions.len()), (2, 1));
    }

    #[test]
    fn of_a_large_net_what_changed_is_drawn_with_its_neighbours() {
        let mut before = net();
        for i in 0..50 {
            before.place(&format!("p{i}"), 0);
        }
        let mut after = before.clone();
        after.arcs[0].weight = 4;
        let (before, after) = (built(before), built(after));
        let told = diff(&before, &after, 100, 10);
        let drawing = told.drawing.expect("one arc is little");
        assert!(drawing.partial);
        assert_eq!((drawing.places.len(), drawing.transitions.len()), (1, 1));
        assert_eq!(drawing.inputs, [Marked { mark: Mark::Changed, was: Some(1) }]);
        assert!(diff(&before, &after, 100, 1).drawing.is_none());
    }

    #[test]
    fn of_two_nets_that_have_next_to_nothing_in_common_only_the_numbers_are_told() {
        let net = |name: &str, places: usize| {
            let mut net = NetBuilder::new("n");
            net.place("shared", 0);
            (0..places).for_each(|n| _ = net.place(&format!("{name}{n}"), 0));
            built(net)
        };
        let told = diff(&net("a", 30), &net("b", 20), 100, 100);
        assert_eq!(told.nodes, Nodes { before: 31, after: 21, common: 1 });
        assert_eq!(told.counts, Counts { added: 20, removed: 30, changed: 0 });
        assert!(told.nodes.are_of_two_nets() && told.differences.is_empty() && told.drawing.is_none());
        // What only grew is still the same net.
        assert!(!diff(&net("a", 0), &net("b", 90), 100, 100).nodes.are_of_two_nets());
    }

    #[test]
    fn of_many_differences_some_are_listed_and_all_are_counted() {
        let mut after = net();
        for i in 0..9 {
            after.place(&format!("p{i}"), 0);
        }
        let told = diff(&built(net()), &built(after), 4, 100);
        assert_eq!((told.differences.len(), told.found()), (4, 9));
    }
}
