//! Files that mean it ill: bombs, floods, and bytes that are no file at all.

use super::{file, read, refused};
use crate::petri::pnml::{self, Limits, PnmlErrorKind as Kind};
use crate::petri::samples::SAMPLES;

#[test]
fn document_types_and_entities_are_refused() {
    let bomb = "<?xml version='1.0'?>\n<!DOCTYPE pnml [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]>\n<pnml/>";
    assert!(matches!(refused(bomb), (2, 1, Kind::Doctype)));
    let named = file("<place id='p'><name><text>\n&bomb;</text></name></place>");
    assert!(matches!(refused(&named), (3, 1, Kind::Entity { name }) if name == "bomb"));
    assert!(matches!(refused(&file("<place id='&bomb;'/>")), (2, 1, Kind::Entity { .. })));
    assert!(matches!(refused(&file("<toolspecific>&bomb;</toolspecific>")), (2, _, Kind::Entity { .. })));
}

/// A file as bombs are made: each entity ten times the one before, and one from outside.
#[test]
fn bombs_and_entities_from_outside_are_refused_where_they_are_declared() {
    let lol: String =
        (1..10).map(|n| format!("<!ENTITY lol{n} '{}'>", format!("&lol{};", n - 1).repeat(10))).collect();
    let bomb = format!("<!DOCTYPE pnml [<!ENTITY lol0 'lol'>{lol}]>\n<pnml>&lol9;</pnml>");
    assert!(matches!(refused(&bomb), (1, 1, Kind::Doctype)));
    let outside =
        "<?xml version='1.0'?>\n<!DOCTYPE pnml [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><pnml>&x;</pnml>";
    assert!(matches!(refused(outside), (2, 1, Kind::Doctype)));
    let dtd = "<!DOCTYPE pnml SYSTEM 'http://example.org/pnml.dtd'><pnml/>";
    assert!(matches!(refused(dtd).2, Kind::Doctype));
}

#[test]
fn what_is_too_large_or_too_deep_is_refused_before_it_costs_anything() {
    let mut large = file("").into_bytes();
    large.resize(100_000_000, b' ');
    let error = pnml::read(&large, &Limits::default()).unwrap_err();
    assert!(matches!(error.kind, Kind::TooLarge { bytes: 100_000_000, limit: 33_554_432 }));
    let deep = format!("<pnml>{}", "<page>".repeat(3_000_000));
    assert!(matches!(refused(&deep), (1, _, Kind::TooDeep { limit: 64 })));
    // Ignored elements are no way around it.
    let ignored = file(&format!("<toolspecific>{}", "<a>".repeat(1_000_000)));
    assert!(matches!(refused(&ignored).2, Kind::TooDeep { .. }));
}

#[test]
fn an_error_is_never_as_long_as_the_file_that_has_it() {
    let long = "x".repeat(1_000_000);
    for text in [
        format!("<{long}>"),
        format!("<pnml></{long}>"),
        format!("<pnml><{long}></y>"),
        format!("<pnml>&{long};</pnml>"),
        format!("<?xml version='1.0' encoding='{long}'?><pnml>é</pnml>"),
        format!("<pnml><net type='{long}'/></pnml>"),
        file(&format!("<place id='{long}'/>")),
        file(&format!("<place id='p'/><arc id='a' source='p' target='{long}'/>")),
        file(&format!("<arc id='a' source='{long}' target='{long}'/>")),
        file(&format!("<referencePlace id='r' ref='{long}'/>")),
        file(&format!("<place id='p'><initialMarking><text>{long}</text></initialMarking></place>")),
        file(&format!(
            "<place id='p'/><transition id='t'/><arc source='p' target='t'><type value='{long}'/></arc>"
        )),
    ] {
        let error = read(&text).expect_err("must be refused").to_string();
        assert!(error.len() < 2_000, "{} bytes: {}", error.len(), &error[..200]);
    }
}

#[test]
fn characters_that_xml_has_not_are_refused_where_they_would_be_kept() {
    for body in [
        "\n<place id='a\u{1}'/>",
        "\n<place id='&#1;'/>",
        "\n<place id='p'><name><text>\u{FFFE}</text></name></place>",
    ] {
        let (line, _, kind) = refused(&file(body));
        assert!(line == 3 && matches!(kind, Kind::NotXml { .. }), "{body:?}: {kind:?}");
    }
    assert!(read(&file("<place id='p'><name><text>&#0;</text></name></place>")).is_err());
}

#[test]
fn line_ends_and_tabs_are_what_xml_makes_of_them() {
    let net =
        read(&file("<place id='a\tb'><name><text>one\r\ntwo\rthree\r\r\n&#13;four</text></name></place>"))
            .unwrap();
    assert_eq!(net.places[0].id, "a b");
    assert_eq!(net.places[0].name, "one\ntwo\nthree\n\n\rfour");
}

#[test]
fn a_long_chain_of_references_is_followed_and_a_long_circle_refused() {
    let chain = |ends: &str| {
        let links: String =
            (0..20_000).map(|n| format!("<referencePlace id='r{n}' ref='r{}'/>", n + 1)).collect();
        file(&format!("{links}<referencePlace id='r20000' ref='{ends}'/><place id='p'/>"))
    };
    assert_eq!(read(&chain("p")).unwrap().places.len(), 1);
    let circle = refused(&chain("r0")).2;
    assert!(
        matches!(&circle, Kind::CircularReference { path, .. } if path.contains("(19993 more)")),
        "{circle}"
    );
}

#[test]
fn limits_are_kept() {
    let limits = Limits { bytes: 2_000, depth: 6, nodes: 2, arcs: 1, name_chars: 5, count: 10 };
    let refused = |body: &str| pnml::read(file(body).as_bytes(), &limits).expect_err("must be refused").kind;
    assert!(matches!(refused(&" ".repeat(2_000)), Kind::TooLarge { limit: 2_000, .. }));
    assert!(matches!(refused(&"<x>".repeat(4)), Kind::TooDeep { limit: 6 }));
    assert!(matches!(
        refused("<place id='a'/><place id='b'/><referencePlace id='c' ref='a'/>"),
        Kind::TooManyNodes { .. }
    ));
    assert!(matches!(
        refused("<arc id='a' source='x' target='y'/><arc id='b' source='x' target='y'/>"),
        Kind::TooManyArcs { limit: 1 }
    ));
    assert!(matches!(refused("<place id='abcdef'/>"), Kind::NameTooLong { limit: 5 }));
    assert!(matches!(
        refused("<place id='a'><name><text>abcdef</text></name></place>"),
        Kind::NameTooLong { .. }
    ));
    assert!(
        pnml::read(file("<place id='a'><name><text>äöüßé</text></name></place>").as_bytes(), &limits).is_ok()
    );
    let marked = "<place id='a'><initialMarking><text>11</text></initialMarking></place>";
    assert!(matches!(refused(marked), Kind::TooBig { limit: 10, .. }));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = pnml::read(&bytes, &Limits::default());
    }

    #[test]
    fn no_broken_file_makes_the_reader_panic(at in 0usize..4000, cut in 0usize..40, with in "[<>/&;'\"a-z0-9 =!\\[\\]-]{0,12}") {
        let text = SAMPLES[1].pnml;
        let at = at.min(text.len());
        let broken = format!("{}{with}{}", &text[..at], &text[(at + cut).min(text.len())..]);
        let _ = read(&broken);
    }
}
