//! Where to draw each node.
//!
//! The author's positions are kept where the file has them and they mean something. Otherwise nodes are laid in layers
//! along the way the tokens take: the marked places first, then what they feed, breadth first, each layer ordered by
//! where its neighbours lie. Deterministic, and linear in the net but for the sorting.

use super::net::{PetriNet, PlaceIx, TransitionIx};

/// Distance between layers and between nodes of a layer, and the margin around the drawing, in drawing units.
const LAYER_GAP: f32 = 110.0;
const NODE_GAP: f32 = 80.0;
const MARGIN: f32 = 60.0;
/// What an arc should measure at least, half of the time, in the units of the drawing.
const ARC_LENGTH: f32 = 70.0;
/// Ordering passes; more change little.
const PASSES: usize = 6;

/// Positions in drawing units, y downwards, all within `0..=width` and `0..=height`.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    pub places: Vec<(f32, f32)>,
    pub transitions: Vec<(f32, f32)>,
    pub width: f32,
    pub height: f32,
}

/// Lays out a net. The same net gives the same layout.
pub fn layout(net: &PetriNet) -> Layout {
    let graph = Neighbours::of(net);
    let mut points = from_file(net, &graph).unwrap_or_else(|| layered(net, &graph));
    let (width, height) = normalise(&mut points);
    let transitions = points.split_off(net.places.len());
    Layout { places: points, transitions, width, height }
}

/// The net as an undirected graph; nodes are places, then transitions.
struct Neighbours {
    /// Successors in the direction of the arcs.
    next: Vec<Vec<u32>>,
    /// Neighbours in either direction.
    all: Vec<Vec<u32>>,
}

impl Neighbours {
    fn of(net: &PetriNet) -> Self {
        let places = net.places.len();
        let nodes = places + net.transitions.len();
        let (mut next, mut all) = (vec![Vec::new(); nodes], vec![Vec::new(); nodes]);
        let mut join = |from: usize, to: usize| {
            next[from].push(to as u32);
            all[from].push(to as u32);
            all[to].push(from as u32);
        };
        for t in net.transition_indexes() {
            let node = places + t.index();
            net.inputs(t).iter().for_each(|arc| join(arc.place.index(), node));
            net.outputs(t).iter().for_each(|arc| join(node, arc.place.index()));
        }
        Self { next, all }
    }
}

/// The file's positions, if nineteen of twenty nodes have one and they do not all lie in a few spots (tools write the
/// same position everywhere when they have none). Nodes without one go between their neighbours.
fn from_file(net: &PetriNet, graph: &Neighbours) -> Option<Vec<(f32, f32)>> {
    let given: Vec<Option<(f32, f32)>> =
        net.places.iter().map(|p| p.position).chain(net.transitions.iter().map(|t| t.position)).collect();
    let known = given.iter().flatten().count();
    if known == 0 || known * 20 < given.len() * 19 {
        return None;
    }
    let mut spots: Vec<(u32, u32)> =
        given.iter().flatten().map(|(x, y)| (x.to_bits(), y.to_bits())).collect();
    spots.sort_unstable();
    spots.dedup();
    if spots.len() * 10 < known * 9 {
        return None;
    }
    let mut points: Vec<(f32, f32)> = Vec::with_capacity(given.len());
    for (node, position) in given.iter().enumerate() {
        points.push(position.unwrap_or_else(|| {
            let around: Vec<(f32, f32)> = graph.all[node].iter().filter_map(|&n| given[n as usize]).collect();
            let (x, y) = around.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
            let n = around.len().max(1) as f32;
            // A little aside, so that it does not cover an arc between them.
            (x / n + 20.0, y / n + 20.0)
        }));
    }
    let mut lengths: Vec<f32> = Vec::new();
    for (from, nexts) in graph.next.iter().enumerate() {
        for &to in nexts {
            let (a, b) = (points[from], points[to as usize]);
            lengths.push((a.0 - b.0).hypot(a.1 - b.1));
        }
    }
    lengths.sort_unstable_by(f32::total_cmp);
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or(ARC_LENGTH);
    if median > 0.0 && median < ARC_LENGTH {
        let scale = (ARC_LENGTH / median).min(50.0);
        points.iter_mut().for_each(|point| *point = (point.0 * scale, point.1 * scale));
    }
    Some(points)
}

fn layered(net: &PetriNet, graph: &Neighbours) -> Vec<(f32, f32)> {
    let mut layers = layers(net, graph);
    order(&mut layers, graph);
    let mut points = vec![(0.0, 0.0); graph.all.len()];
    let shapes: Vec<Shape> = {
        let tallest = ((graph.all.len() as f32).sqrt() * 1.2).ceil().max(8.0) as usize;
        layers.iter().map(|layer| Shape::of(layer.len(), tallest)).collect()
    };
    let (mut top, mut backwards) = (0.0, false);
    for band in bands(&shapes) {
        let width: f32 = shapes[band.clone()].iter().map(Shape::width).sum();
        let height = shapes[band.clone()].iter().map(Shape::height).fold(0.0, f32::max);
        let mut x = 0.0;
        for ix in band {
            let Shape { columns, rows } = shapes[ix];
            for (at, &node) in layers[ix].iter().enumerate() {
                // Neighbours in order stay neighbours on the page: row by row, not column by column.
                let (row, column) = (at / columns, at % columns);
                let across = x + column as f32 * NODE_GAP;
                let down = (row as f32 - (rows as f32 - 1.0) / 2.0) * NODE_GAP;
                points[node as usize] =
                    (if backwards { width - LAYER_GAP - across } else { across }, top + height / 2.0 + down);
            }
            x += shapes[ix].width();
        }
        top += height + LAYER_GAP;
        backwards = !backwards;
    }
    points
}

/// How a layer lies on the page. Layers taller than the drawing should be are folded into several columns.
struct Shape {
    columns: usize,
    rows: usize,
}

impl Shape {
    fn of(nodes: usize, tallest: usize) -> Self {
        let columns = nodes.div_ceil(tallest).max(1);
        Self { columns, rows: nodes.div_ceil(columns) }
    }

    /// With the gap to the next layer.
    fn width(&self) -> f32 {
        (self.columns - 1) as f32 * NODE_GAP + LAYER_GAP
    }

    fn height(&self) -> f32 {
        self.rows.saturating_sub(1) as f32 * NODE_GAP
    }
}

/// Cuts a drawing much wider than high into bands, drawn below one another and by turns to the right and to the left,
/// so that a layer stays beside the one it follows.
fn bands(shapes: &[Shape]) -> Vec<std::ops::Range<usize>> {
    let width: f32 = shapes.iter().map(Shape::width).sum();
    let height = shapes.iter().map(Shape::height).fold(0.0, f32::max) + LAYER_GAP;
    let limit = if width > 4.0 * height { (width * height * 1.6).sqrt() } else { f32::INFINITY };
    let mut bands = Vec::new();
    let (mut start, mut sum) = (0, 0.0);
    for (ix, shape) in shapes.iter().enumerate() {
        if sum > 0.0 && sum + shape.width() > limit {
            bands.push(start..ix);
            (start, sum) = (ix, 0.0);
        }
        sum += shape.width();
    }
    bands.push(start..shapes.len());
    bands
}

/// Breadth first from the marked places; from nodes that nothing feeds; then from whatever is left.
fn layers(net: &PetriNet, graph: &Neighbours) -> Vec<Vec<u32>> {
    let nodes = graph.all.len() as u32;
    let marked = net.place_indexes().filter(|p| net.places[p.index()].initial > 0).map(|p| p.0);
    let unfed_transitions =
        net.transition_indexes().filter(|&t| net.inputs(t).is_empty()).map(|t| net.places.len() as u32 + t.0);
    let mut seen = vec![false; nodes as usize];
    let mut layers: Vec<Vec<u32>> = Vec::new();
    let mut spread = |seeds: &mut dyn Iterator<Item = u32>| {
        let mut layer: Vec<u32> =
            seeds.filter(|&n| !std::mem::replace(&mut seen[n as usize], true)).collect();
        let mut depth = 0;
        while !layer.is_empty() {
            let mut after = Vec::new();
            for &node in &layer {
                for &next in &graph.next[node as usize] {
                    if !std::mem::replace(&mut seen[next as usize], true) {
                        after.push(next);
                    }
                }
            }
            if layers.len() <= depth {
                layers.push(Vec::new());
            }
            layers[depth].append(&mut layer);
            layer = after;
            depth += 1;
        }
    };
    spread(&mut marked.chain(unfed_transitions));
    for node in 0..nodes {
        spread(&mut std::iter::once(node));
    }
    layers
}

/// Orders each layer by the mean place of its neighbours in the layers around it (Sugiyama's barycentre, forwards and
/// backwards by turns).
fn order(layers: &mut [Vec<u32>], graph: &Neighbours) {
    let nodes = graph.all.len();
    let mut layer_of = vec![0usize; nodes];
    let mut rank = vec![0.0f32; nodes];
    for (ix, layer) in layers.iter().enumerate() {
        for (at, &node) in layer.iter().enumerate() {
            layer_of[node as usize] = ix;
            rank[node as usize] = relative(at, layer.len());
        }
    }
    for pass in 0..PASSES {
        for step in 0..layers.len() {
            let ix = if pass % 2 == 0 { step } else { layers.len() - 1 - step };
            let mut keyed: Vec<(f32, u32)> = layers[ix]
                .iter()
                .map(|&node| {
                    let around = &graph.all[node as usize];
                    let near = around.iter().filter(|&&n| layer_of[n as usize].abs_diff(ix) <= 1);
                    let (sum, count) = near.fold((0.0, 0), |(s, c), &n| (s + rank[n as usize], c + 1));
                    (if count == 0 { rank[node as usize] } else { sum / count as f32 }, node)
                })
                .collect();
            // Stable, so that equals keep their order and the result does not depend on the sort.
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            for (at, &(_, node)) in keyed.iter().enumerate() {
                layers[ix][at] = node;
                rank[node as usize] = relative(at, keyed.len());
            }
        }
    }
}

/// A position within a layer as a fraction, so that layers of different length compare.
fn relative(at: usize, len: usize) -> f32 {
    (at as f32 + 0.5) / len as f32
}

/// Shifts everything to the margin and rounds to a tenth; gives the size of the drawing.
fn normalise(points: &mut [(f32, f32)]) -> (f32, f32) {
    let low = points.iter().fold((f32::MAX, f32::MAX), |low, p| (low.0.min(p.0), low.1.min(p.1)));
    let mut size = (0.0f32, 0.0f32);
    for point in points.iter_mut() {
        let tenth = |value: f32| (value * 10.0).round() / 10.0;
        *point = (tenth(point.0 - low.0 + MARGIN), tenth(point.1 - low.1 + MARGIN));
        size = (size.0.max(point.0), size.1.max(point.1));
    }
    (size.0 + MARGIN, size.1 + MARGIN)
}

impl Layout {
    pub fn place(&self, p: PlaceIx) -> (f32, f32) {
        self.places[p.index()]
    }

    pub fn transition(&self, t: TransitionIx) -> (f32, f32) {
        self.transitions[t.index()]
    }
}
