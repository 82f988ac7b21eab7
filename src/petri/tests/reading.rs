//! What the reader takes and what it refuses, with the line it names.

use super::{file, read, refused};
use crate::petri::net::{PlaceIx, TransitionIx};
use crate::petri::pnml::{self, Limits, PnmlErrorKind as Kind};
use crate::petri::samples::SAMPLES;

#[test]
fn arcs_may_come_before_their_nodes_and_pages_may_nest() {
    let net = read(&file(
        r#"<arc id="a" source="p" target="t"><inscription><text> 3 </text></inscription></arc>
           <page id="inner"><page id="innermost"><place id="p"><initialMarking><text>7</text></initialMarking></place></page></page>
           <transition id="t"/><arc id="b" source="t" target="p"/>"#,
    ))
    .unwrap();
    assert_eq!(net.places[0].initial, 7);
    assert_eq!(net.inputs(TransitionIx(0))[0].weight, 3);
    assert_eq!(net.outputs(TransitionIx(0))[0].weight, 1, "the default of the standard");
    assert_eq!(net.consumers(PlaceIx(0)).len(), 1);
}

#[test]
fn missing_marking_and_name_take_their_defaults() {
    let net =
        read(&file(r#"<place id="p"><initialMarking/></place><place id="q"><name><text/></name></place>"#));
    let net = net.unwrap();
    assert_eq!((net.places[0].initial, net.places[0].name.as_str()), (0, "p"));
    assert_eq!(net.places[1].name, "q");
}

#[test]
fn names_keep_their_characters_and_positions_their_numbers() {
    let net = read(&file(
        r#"<place id="p&amp;1"><name><graphics><offset x="1" y="2"/></graphics><text>a &lt; b &#x2264; <![CDATA[<c>]]></text></name>
           <graphics><position x="12.5" y="-3"/></graphics></place>"#,
    ))
    .unwrap();
    assert_eq!(net.places[0].id, "p&1");
    assert_eq!(net.places[0].name, "a < b ≤ <c>");
    assert_eq!(net.places[0].position, Some((12.5, -3.0)));
}

#[test]
fn toolspecific_is_passed_over_wherever_it_stands() {
    let tool = r#"<toolspecific tool="x" version="1"><place id="no"/><name><text>no</text></name><initialMarking><text>-9</text></initialMarking></toolspecific>"#;
    let net = read(&file(&format!(
        r#"{tool}<place id="p">{tool}<name>{tool}<text>yes</text></name></place><transition id="t"/><arc id="a" source="p" target="t">{tool}</arc>"#
    )))
    .unwrap();
    assert_eq!((net.places.len(), net.places[0].name.as_str(), net.places[0].initial), (1, "yes", 0));
}

#[test]
fn references_stand_for_the_nodes_at_the_end_of_their_chain() {
    let net = read(&file(
        r#"<referencePlace id="r1" ref="r2"/><page id="x"><referencePlace id="r2" ref="p"/><place id="p"/></page>
           <referenceTransition id="rt" ref="t"/><transition id="t"/><arc id="a" source="r1" target="rt"/>"#,
    ))
    .unwrap();
    assert_eq!((net.places.len(), net.arc_count()), (1, 1));
    assert_eq!(net.inputs(TransitionIx(0))[0].place, PlaceIx(0));
}

#[test]
fn every_default_of_the_standard_is_filled_in() {
    let net = read(&file(
        r#"<place id="p"><initialMarking><text> </text></initialMarking><graphics/></place><transition id="t"><name/></transition>
           <arc id="a" source="p" target="t"><inscription><graphics><offset x="1" y="1"/></graphics></inscription><graphics><position x="3" y="4"/></graphics></arc>
           <arc source="t" target="p"><inscription><text/></inscription></arc>"#,
    ))
    .unwrap();
    assert_eq!((net.places[0].initial, net.places[0].position), (0, None));
    assert_eq!(net.transitions[0].name, "t");
    assert_eq!((net.inputs(TransitionIx(0))[0].weight, net.outputs(TransitionIx(0))[0].weight), (1, 1));
    let bare = read("<pnml><net type='ptnet'><place id='p'/></net></pnml>").unwrap();
    assert_eq!((bare.id.as_str(), bare.name.as_str(), bare.places.len()), ("", "", 1));
    let prefixed = "<x:pnml xmlns:x='http://www.pnml.org/version-2009/grammar/pnml'><x:net id='n' type='http://www.pnml.org/version-2009/grammar/ptnet'><x:page id='g'><x:place id='p'><x:initialMarking><x:text>2</x:text></x:initialMarking></x:place></x:page></x:net></x:pnml>";
    assert_eq!(read(prefixed).unwrap().places[0].initial, 2);
}

#[test]
fn arcs_to_references_weigh_together_with_those_to_their_node() {
    let weigh = |n| format!("<inscription><text>{n}</text></inscription>");
    let net = read(&file(&format!(
        "<place id='p'/><page id='inner'><referencePlace id='r' ref='p'/><transition id='t'/><page id='deep'><referenceTransition id='s' ref='t'/>\
         <arc id='a' source='r' target='s'>{}</arc></page></page><arc id='b' source='p' target='t'>{}</arc><arc id='c' source='s' target='r'/>",
        weigh(2),
        weigh(3)
    )))
    .unwrap();
    assert_eq!(net.inputs(TransitionIx(0)).iter().map(|arc| arc.weight).collect::<Vec<_>>(), [5]);
    assert_eq!(net.outputs(TransitionIx(0)).len(), 1);
}

#[test]
fn references_that_lead_nowhere_are_refused() {
    for body in [
        "\n<referencePlace id=\"r\" ref=\"gone\"/>",
        "\n<referencePlace id=\"r\" ref=\"t\"/><transition id=\"t\"/>",
    ] {
        let (line, _, kind) = refused(&file(body));
        assert!(line == 3 && matches!(kind, Kind::DanglingReference { .. }), "{body}: {kind:?}");
    }
}

#[test]
fn references_that_lead_in_a_circle_are_refused_with_the_way_round_it() {
    let told = |body: &str| {
        let (line, _, kind) = refused(&file(body));
        assert!(line == 3 && matches!(kind, Kind::CircularReference { .. }), "{body}: {kind:?}");
        kind.to_string()
    };
    assert_eq!(
        told("\n<referencePlace id=\"r\" ref=\"s\"/><referencePlace id=\"s\" ref=\"r\"/>"),
        "the references lead in a circle: s → r → s; one of them must lead to a place"
    );
    let itself = told("\n<referenceTransition id=\"r\" ref=\"r\"/>");
    assert_eq!(itself, "the references lead in a circle: r → r; one of them must lead to a transition");
    // One that leads into it is not part of it.
    let into = told(
        "\n<referencePlace id=\"q\" ref=\"r\"/><referencePlace id=\"r\" ref=\"s\"/><referencePlace id=\"s\" ref=\"r\"/>",
    );
    assert!(into.contains("r → s → r") || into.contains("s → r → s"), "{into}");
}

#[test]
fn parallel_arcs_are_one_arc_with_their_summed_weight() {
    let arc = |id, w| {
        format!(
            "<arc id=\"{id}\" source=\"p\" target=\"t\"><inscription><text>{w}</text></inscription></arc>"
        )
    };
    let nodes = "<place id=\"p\"/><transition id=\"t\"/>";
    let net = read(&file(&format!("{nodes}{}{}", arc("a", 2), arc("b", 3)))).unwrap();
    assert_eq!(net.inputs(TransitionIx(0)).iter().map(|arc| arc.weight).collect::<Vec<_>>(), [5]);
    let (line, _, kind) = refused(&file(&format!("{nodes}{}\n{}", arc("a", 1u64 << 53), arc("b", 1))));
    assert!(line == 3 && matches!(kind, Kind::ParallelWeight { .. }));
}

#[test]
fn what_is_not_xml_is_refused() {
    for text in [
        "",
        "hello",
        "<pnml",
        "<pnml><net type='ptnet'>",
        "<pnml></net>",
        "<pnml><net id='n' type='ptnet'></pnml>",
        "\u{0}",
    ] {
        let (_, _, kind) = refused(text);
        assert!(matches!(kind, Kind::NotXml { .. } | Kind::NoNet), "{text:?}: {kind:?}");
    }
    let (line, _, kind) = refused("<pnml>\n<net id='n' type='ptnet'>\n</page></net></pnml>");
    assert!(line == 3 && matches!(kind, Kind::NotXml { .. }), "line {line}: {kind:?}");
    let (line, column, kind) = refused(&format!("{}\n  after", file("")));
    assert!((line, column) == (4, 3) && matches!(kind, Kind::NotXml { .. }));
    let (_, _, kind) = refused(&format!("{}<pnml/>", file("")));
    assert!(matches!(kind, Kind::NotXml { .. }));
}

#[test]
fn other_documents_and_other_net_types_are_refused() {
    assert!(matches!(refused("\n<html/>"), (2, 1, Kind::NotPnml { root }) if root == "html"));
    assert!(matches!(refused("<pnml/>").2, Kind::NoNet));
    let symmetric =
        "<pnml>\n <net id='n' type='http://www.pnml.org/version-2009/grammar/symmetricnet'/></pnml>";
    assert!(matches!(refused(symmetric), (2, 2, Kind::NetType { found }) if found.ends_with("symmetricnet")));
    assert!(
        matches!(refused("<pnml><net id='n'/></pnml>").2, Kind::MissingAttribute { attribute, .. } if attribute == "type")
    );
    let two = "<pnml><net id='n' type='ptnet'/>\n<net id='m' type='ptnet'/></pnml>";
    assert!(matches!(refused(two), (2, 1, Kind::SeveralNets)));
}

#[test]
fn arcs_must_join_a_place_and_a_transition() {
    let nodes = "<place id='p'/><place id='q'/>\n<transition id='t'/><transition id='u'/>\n";
    let arc = |source: &str, target: &str| {
        file(&format!("{nodes}   <arc id='a' source='{source}' target='{target}'/>"))
    };
    assert!(
        matches!(refused(&arc("p", "gone")), (4, 4, Kind::DanglingArc { end, id }) if end == "target" && id == "gone")
    );
    assert!(matches!(refused(&arc("gone", "p")), (4, 4, Kind::DanglingArc { end, .. }) if end == "source"));
    assert!(matches!(refused(&arc("g", "t")), (4, 4, Kind::DanglingArc { .. })), "a page is no node");
    assert!(matches!(refused(&arc("p", "q")), (4, 4, Kind::ArcBetweenEquals { what }) if what == "places"));
    assert!(
        matches!(refused(&arc("t", "u")), (4, 4, Kind::ArcBetweenEquals { what }) if what == "transitions")
    );
}

#[test]
fn inhibitor_and_reset_arcs_are_not_run_as_plain_ones() {
    let arc = |kind: &str| {
        file(&format!("<place id='p'/><transition id='t'/>\n<arc id='a' source='p' target='t'>{kind}</arc>"))
    };
    for kind in ["<type value='inhibitor'/>", "<type><text>reset</text></type>"] {
        assert!(matches!(refused(&arc(kind)), (3, _, Kind::ArcType { .. })), "{kind}");
    }
    assert!(read(&arc("<type value='normal'/>")).is_ok());
}

#[test]
fn markings_and_weights_must_be_counts() {
    let marking = |text: &str| {
        file(&format!("<place id='p'>\n<initialMarking><text>\n  {text}</text></initialMarking></place>"))
    };
    assert!(matches!(refused(&marking("-1")), (4, 3, Kind::Negative { .. })));
    assert!(matches!(refused(&marking("many")), (4, 3, Kind::NotANumber { found, .. }) if found == "many"));
    assert!(matches!(refused(&marking("1.5")), (4, 3, Kind::NotANumber { .. })));
    assert!(matches!(
        refused(&marking("9007199254740993")),
        (4, 3, Kind::TooBig { limit: 9007199254740992, .. })
    ));
    assert!(
        matches!(refused(&marking(&"9".repeat(5000))), (4, 3, Kind::TooBig { found, .. }) if found.len() <= 80)
    );
    assert_eq!(read(&marking("9007199254740992")).unwrap().places[0].initial, 1 << 53);
    let weight = |text: &str| {
        file(&format!(
            "<place id='p'/><transition id='t'/><arc id='a' source='p' target='t'>\n<inscription><text>{text}</text></inscription></arc>"
        ))
    };
    assert!(matches!(refused(&weight("0")), (3, 20, Kind::ZeroWeight)));
    assert!(matches!(refused(&weight("-2")), (3, 20, Kind::Negative { what, .. }) if what == "weight"));
    assert!(matches!(refused(&weight("x")), (3, 20, Kind::NotANumber { .. })));
    assert!(matches!(refused(&weight("99999999999999999999")), (3, 20, Kind::TooBig { .. })));
}

#[test]
fn an_id_is_used_once() {
    let (line, _, kind) = refused(&file("<place id='p'/>\n<transition id='t'/>\n<transition id='p'/>"));
    assert!(matches!(kind, Kind::DuplicateId { id, first_line: 2 } if id == "p") && line == 4);
    let arcs = "<place id='p'/><transition id='t'/>\n<arc id='a' source='p' target='t'/>\n<arc id='a' source='t' target='p'/>";
    assert!(matches!(refused(&file(arcs)), (4, _, Kind::DuplicateId { first_line: 3, .. })));
    assert!(matches!(refused(&file("\n<place/>")), (3, 1, Kind::MissingAttribute { .. })));
    assert!(
        matches!(refused(&file("\n<arc id='a' source='p'/>")), (3, 1, Kind::MissingAttribute { attribute, .. }) if attribute == "target")
    );
}

#[test]
fn only_utf8_is_read() {
    let error = pnml::read(b"<pnml>\n<\xFFx/></pnml>", &Limits::default()).unwrap_err();
    assert_eq!((error.line, error.column, error.kind), (2, 2, Kind::NotUtf8));
    for begin in [&b"\xFF\xFE<\0p\0"[..], b"\xFE\xFF\0<\0p", b"<\0p\0", b"\0<\0p"] {
        let error = pnml::read(begin, &Limits::default()).unwrap_err();
        assert_eq!((error.line, error.column, &error.kind), (1, 1, &Kind::Utf16));
        assert!(error.to_string().contains("iconv -f UTF-16 -t UTF-8"), "{error}");
    }
    let declared = |name| {
        format!("<?xml version='1.0' encoding='iso-8859-1'?>{}", file(&format!("<place id='{name}'/>")))
    };
    assert!(matches!(refused(&declared("é")).2, Kind::Encoding { .. }));
    assert!(read(&declared("e")).is_ok());
    assert!(read(&format!("\u{FEFF}{}", file("<place id='é'/>"))).is_ok());
}

#[test]
fn a_column_counts_characters() {
    let (line, column, _) = refused(&file("éé<arc id='a'/>"));
    assert_eq!((line, column), (2, 3));
}

#[test]
fn an_error_reads_as_a_sentence_with_its_place() {
    let error =
        read(&file("<place id='p'>\n <initialMarking><text>-1</text></initialMarking></place>")).unwrap_err();
    assert_eq!(error.to_string(), "line 3, column 24: the initial marking is \"-1\"; it cannot be negative");
}

#[test]
fn our_own_nets_are_read_and_have_positions() {
    for sample in SAMPLES {
        let net = read(sample.pnml).unwrap_or_else(|e| panic!("{}: {e}", sample.id));
        assert_eq!((net.id.as_str(), net.name.as_str()), (sample.id, sample.name));
        assert!(net.places.iter().all(|place| place.position.is_some()));
        assert!(net.transitions.iter().all(|transition| transition.position.is_some()));
    }
}
