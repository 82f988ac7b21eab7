//! Layout and drawing.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::{file, read};
use crate::petri::generate::Family;
use crate::petri::graph::NetGraph;
use crate::petri::layout::layout;
use crate::petri::samples::SAMPLES;

/// A ring of `n` places and `n` transitions without positions.
fn ring(n: usize, position: &str) -> String {
    let graphics =
        if position.is_empty() { String::new() } else { format!("<graphics>{position}</graphics>") };
    let body: String = (0..n)
        .map(|i| {
            let next = (i + 1) % n;
            format!(
                "<place id='p{i}'>{graphics}</place><transition id='t{i}'>{graphics}</transition><arc id='a{i}' source='p{i}' target='t{i}'/><arc id='b{i}' source='t{i}' target='p{next}'/>"
            )
        })
        .collect();
    file(&body)
}

fn spots(graph: &NetGraph) -> HashSet<(u32, u32)> {
    let places = graph.places.iter().map(|p| (p.x.to_bits(), p.y.to_bits()));
    places.chain(graph.transitions.iter().map(|t| (t.x.to_bits(), t.y.to_bits()))).collect()
}

#[test]
fn positions_of_the_file_are_kept_but_for_the_margin() {
    for sample in SAMPLES {
        let net = read(sample.pnml).expect("reads");
        let drawn = layout(&net);
        let (dx, dy) = {
            let (x, y) = net.places[0].position.expect("given");
            (drawn.places[0].0 - x, drawn.places[0].1 - y)
        };
        for (place, at) in net.places.iter().zip(&drawn.places) {
            assert_eq!(place.position, Some((at.0 - dx, at.1 - dy)), "{}", place.id);
        }
    }
}

#[test]
fn without_useful_positions_no_two_nodes_share_a_spot() {
    for position in ["", "<position x='100' y='100'/>"] {
        let graph = NetGraph::of(&read(&ring(300, position)).expect("reads"));
        assert_eq!(spots(&graph).len(), 600);
        assert!(
            graph
                .places
                .iter()
                .all(|p| p.x >= 0.0 && p.x <= graph.width && p.y >= 0.0 && p.y <= graph.height)
        );
        assert!(
            graph.width < 4.0 * graph.height && graph.height < 4.0 * graph.width,
            "{} x {}",
            graph.width,
            graph.height
        );
    }
}

/// The bound holds for unoptimised code on a busy machine; optimised it takes some tens of milliseconds.
#[test]
fn fifteen_thousand_nodes_are_drawn_within_five_seconds_and_none_covers_another() {
    for family in Family::ALL {
        let net = family.of_nodes(15_000);
        let started = Instant::now();
        let graph = NetGraph::of(&net);
        let took = started.elapsed();
        println!("{}: {took:?}, {} x {}", family.name(), graph.width, graph.height);
        assert!(took < Duration::from_secs(5), "{}: {took:?}", family.name());
        assert_eq!(spots(&graph).len(), net.places.len() + net.transitions.len(), "{}", family.name());
    }
}

#[test]
fn a_layout_is_the_same_every_time() {
    let net = read(&ring(50, "")).expect("reads");
    assert_eq!(layout(&net), layout(&net));
}

#[test]
fn a_node_without_a_position_goes_between_its_neighbours() {
    let text = SAMPLES[1].pnml.replace(r#"<graphics><position x="210" y="60"/></graphics>"#, "");
    let net = read(&text).expect("reads");
    assert_eq!(net.transitions.iter().filter(|t| t.position.is_none()).count(), 1);
    let graph = NetGraph::of(&net);
    // One of twelve is more than one in twenty, so here the file's positions give way to layers.
    assert_eq!(spots(&graph).len(), net.places.len() + net.transitions.len());
}

#[test]
fn an_empty_net_can_be_drawn() {
    let graph = NetGraph::of(&read(&file("")).expect("reads"));
    assert!(graph.width.is_finite() && graph.height.is_finite());
}

#[test]
fn a_drawing_survives_json_and_is_written_in_rows() {
    let graph = NetGraph::of(&read(SAMPLES[1].pnml).expect("reads"));
    let json = serde_json::to_value(&graph).expect("writes");
    assert_eq!(json["places"][0], serde_json::json!(["idle", "producer idle", 60.0, 120.0, 1]));
    assert_eq!(json["inputs"][0], serde_json::json!([0, 0, 1]));
    assert_eq!(serde_json::from_value::<NetGraph>(json).expect("reads"), graph);
}
