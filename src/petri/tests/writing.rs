//! What is written reads as the same net.

use proptest::prelude::*;

use super::read;
use crate::petri::net::{
    ArcSpec, Direction, MAX_COUNT, NetBuilder, PetriNet, Place, PlaceIx, Transition, TransitionIx,
};
use crate::petri::pnml;
use crate::petri::samples::SAMPLES;

/// Ids and names as a reader may meet them: markup, white space, several scripts.
fn text() -> impl Strategy<Value = String> {
    let chars = prop_oneof![
        4 => proptest::char::range(' ', '~'),
        1 => prop::sample::select(vec!['<', '>', '&', '"', '\'', '\t', '\n', '\r', ']', ';', '#']),
        1 => prop::sample::select(vec!['é', '≤', '\u{85}', '\u{2028}', '\u{FFFD}', '𝄞', '\u{10FFFF}']),
    ];
    // No white space at the ends: a reader trims names.
    ("[a-z]?", prop::collection::vec(chars, 0..6), "[a-z&<]").prop_map(|(first, middle, last)| {
        let text: String = first.chars().chain(middle).chain(last.chars()).collect();
        text.trim().to_string()
    })
}

fn position() -> impl Strategy<Value = Option<(f32, f32)>> {
    let number = || prop_oneof![-1e6f32..1e6, Just(-0.0f32), Just(1e-30), Just(0.1), Just(1e6)];
    prop::option::of((number(), number()))
}

prop_compose! {
    fn nets()(
        (id, name) in (prop_oneof![Just(String::new()), text().prop_map(|id| id + "!")], text()),
        places in prop::collection::vec((text(), prop::option::of(text()), prop_oneof![Just(0), 0u64..9, Just(MAX_COUNT)], position()), 1..6),
        transitions in prop::collection::vec((text(), prop::option::of(text()), position()), 1..6),
        arcs in prop::collection::vec((any::<bool>(), 0usize..6, 0usize..6, prop_oneof![4 => Just(1u64), 1 => 2u64..9]), 0..20),
    ) -> PetriNet {
        // Ids that differ by their number, among them what the writer might have chosen for an arc or a page.
        let mut net = NetBuilder { name: if id.is_empty() { String::new() } else { name }, id, ..NetBuilder::default() };
        for (nth, (id, name, initial, position)) in places.into_iter().enumerate() {
            let id = if nth == 0 { "a1".to_string() } else { format!("{id}.{nth}") };
            net.places.push(Place { name: name.unwrap_or_else(|| id.clone()), id, initial, position });
        }
        for (nth, (id, name, position)) in transitions.into_iter().enumerate() {
            let id = if nth == 0 { "page".to_string() } else { format!("{id}-{nth}") };
            net.transitions.push(Transition { name: name.unwrap_or_else(|| id.clone()), id, position });
        }
        for (input, p, t, weight) in arcs {
            net.arcs.push(ArcSpec {
                direction: if input { Direction::Input } else { Direction::Output },
                place: PlaceIx((p % net.places.len()) as u32),
                transition: TransitionIx((t % net.transitions.len()) as u32),
                weight,
            });
        }
        net.build().expect("a sound net")
    }
}

proptest! {
    #[test]
    fn a_net_is_read_as_it_was_written(net in nets()) {
        let text = pnml::write(&net);
        let back = read(&text);
        prop_assert_eq!(back.as_ref(), Ok(&net), "{}", text);
        prop_assert_eq!(pnml::write(&back.expect("it reads")), text);
    }
}

#[test]
fn our_own_nets_are_read_as_they_were_written() {
    for sample in SAMPLES {
        let net = read(sample.pnml).expect("reads");
        assert_eq!(read(&pnml::write(&net)), Ok(net), "{}", sample.id);
    }
}

#[test]
fn what_is_written_is_plain_pnml() {
    let mut net = NetBuilder::new("n");
    let (p, t) = (net.place("p", 2), net.transition("t"));
    net.places[0].name = "a < b".into();
    net.places[0].position = Some((1.5, 2.0));
    net.input(p, t, 1);
    net.output(t, p, 3);
    let text = pnml::write(&net.build().expect("a sound net"));
    let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<pnml xmlns="http://www.pnml.org/version-2009/grammar/pnml">
<net id="n" type="http://www.pnml.org/version-2009/grammar/ptnet">
<page id="page">
<place id="p"><name><text>a &lt; b</text></name><graphics><position x="1.5" y="2"/></graphics><initialMarking><text>2</text></initialMarking></place>
<transition id="t"></transition>
<arc id="a1" source="p" target="t"/>
<arc id="a2" source="t" target="p"><inscription><text>3</text></inscription></arc>
</page></net></pnml>
"#;
    assert_eq!(text, expected);
}
