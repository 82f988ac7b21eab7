//! Nodes and arcs to XML.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::value::is_xml_char;
use crate::petri::net::{PetriNet, PlaceArc};

const NAMESPACE: &str = "http://www.pnml.org/version-2009/grammar/pnml";
const NET_TYPE: &str = "http://www.pnml.org/version-2009/grammar/ptnet";

/// See [`write`](super::write).
pub(super) fn write(net: &PetriNet) -> String {
    let mut writer = Writer::new(net);
    writer.head();
    for place in &net.places {
        writer.node("place", &place.id, &place.name, place.position);
        if place.initial > 0 {
            let _ = write!(writer.out, "<initialMarking><text>{}</text></initialMarking>", place.initial);
        }
        writer.end_node("place");
    }
    for transition in &net.transitions {
        writer.node("transition", &transition.id, &transition.name, transition.position);
        writer.end_node("transition");
    }
    for t in net.transition_indexes() {
        let transition = &net.transitions[t.index()].id;
        for arc in net.inputs(t) {
            writer.arc(&net.places[arc.place.index()].id, transition, arc);
        }
        for arc in net.outputs(t) {
            writer.arc(transition, &net.places[arc.place.index()].id, arc);
        }
    }
    writer.out.push_str("</page></net></pnml>\n");
    writer.out
}

struct Writer<'n> {
    net: &'n PetriNet,
    out: String,
    /// The ids that are taken: a page and arcs need ids too, and a net knows none for them.
    taken: HashSet<&'n str>,
    arcs: usize,
}

impl<'n> Writer<'n> {
    fn new(net: &'n PetriNet) -> Self {
        let places = net.places.iter().map(|place| place.id.as_str());
        let transitions = net.transitions.iter().map(|transition| transition.id.as_str());
        let taken = places.chain(transitions).chain([net.id.as_str()]).collect();
        Self { net, out: String::new(), taken, arcs: 0 }
    }

    fn head(&mut self) {
        let _ = write!(
            self.out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<pnml xmlns=\"{NAMESPACE}\">\n<net"
        );
        if !self.net.id.is_empty() {
            self.attribute("id", &self.net.id);
        }
        self.attribute("type", NET_TYPE);
        self.out.push('>');
        self.name(&self.net.id, &self.net.name);
        self.out.push_str("\n<page");
        let page = self.free_id("page");
        self.attribute("id", &page);
        self.out.push_str(">\n");
    }

    /// Everything of a node but its end, so that a marking may follow.
    fn node(&mut self, element: &str, id: &str, name: &str, position: Option<(f32, f32)>) {
        let _ = write!(self.out, "<{element}");
        self.attribute("id", id);
        self.out.push('>');
        self.name(id, name);
        if let Some((x, y)) = position {
            // `Display` of a float is the shortest text that reads as the same float.
            let _ = write!(self.out, "<graphics><position x=\"{x}\" y=\"{y}\"/></graphics>");
        }
    }

    fn end_node(&mut self, element: &str) {
        let _ = writeln!(self.out, "</{element}>");
    }

    /// What a reader assumes of its own accord is left out.
    fn name(&mut self, id: &str, name: &str) {
        if name != id {
            self.out.push_str("<name><text>");
            escape(name, &mut self.out);
            self.out.push_str("</text></name>");
        }
    }

    fn arc(&mut self, source: &str, target: &str, arc: &PlaceArc) {
        let id = loop {
            self.arcs += 1;
            let id = format!("a{}", self.arcs);
            if !self.taken.contains(id.as_str()) {
                break id;
            }
        };
        self.out.push_str("<arc");
        self.attribute("id", &id);
        self.attribute("source", source);
        self.attribute("target", target);
        if arc.weight == 1 {
            self.out.push_str("/>\n");
        } else {
            let _ = writeln!(self.out, "><inscription><text>{}</text></inscription></arc>", arc.weight);
        }
    }

    /// `wanted`, or that with a number, whichever no node has.
    fn free_id(&self, wanted: &str) -> String {
        let numbered = (1..).map(|n| format!("{wanted}{n}"));
        std::iter::once(wanted.to_string())
            .chain(numbered)
            // Arcs are called `a` and a number.
            .find(|id| !self.taken.contains(id.as_str()))
            .unwrap_or_default()
    }

    fn attribute(&mut self, name: &str, value: &str) {
        let _ = write!(self.out, " {name}=\"");
        escape(value, &mut self.out);
        self.out.push('"');
    }
}

/// Writes markup as references, and likewise white space that a reader of XML would make something else of: line ends are normalised
/// (XML 1.0, 2.11), attributes lose tabs and line ends (3.3.3).
fn escape(text: &str, out: &mut String) {
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(char));
            }
            char if is_xml_char(char) => out.push(char),
            // There is no way to write it, and no reader of ours gives it.
            _ => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
}
