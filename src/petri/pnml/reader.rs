//! XML to nodes and arcs: one pass, no recursion, a stack of what the open elements are.

use quick_xml::events::{BytesRef, BytesStart, Event};

use super::error::{PnmlError, PnmlErrorKind as Kind, line_and_column};
use super::ids::{Id, Ids, Meaning};
use super::join::{RawArc, join};
use super::limits::Limits;
use super::value::{Fault, attribute, check_name, count, not_xml, plain_arc, required, shown};
use crate::petri::net::{NetBuilder, PetriNet, Place, Transition};

/// What an open element is to us, which depends on where it stands: a `text` counts within a `name`, and both are
/// nothing within a `toolspecific`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Pnml,
    Net,
    Page,
    Place,
    Transition,
    Arc,
    Name,
    Marking,
    Inscription,
    Text,
    Graphics,
    ArcType,
    Ignored,
}

pub(super) struct Reader<'l> {
    limits: &'l Limits,
    stack: Vec<Element>,
    net: NetBuilder,
    net_seen: bool,
    ids: Ids,
    arcs: Vec<RawArc>,
    references: usize,
    /// The character data of the open [`Element::Text`], and where it began.
    text: String,
    text_at: usize,
}

impl<'l> Reader<'l> {
    pub fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            stack: Vec::new(),
            net: NetBuilder::default(),
            net_seen: false,
            ids: Ids::default(),
            arcs: Vec::new(),
            references: 0,
            text: String::new(),
            text_at: 0,
        }
    }

    pub fn read(self, bytes: &[u8]) -> Result<PetriNet, PnmlError> {
        if bytes.len() > self.limits.bytes {
            return Err(Kind::TooLarge { bytes: bytes.len(), limit: self.limits.bytes }.at(b"", 0));
        }
        // With its mark, or by the first character, which is never another.
        if [&b"\xFF\xFE"[..], b"\xFE\xFF", b"<\0", b"\0<"].iter().any(|begin| bytes.starts_with(begin)) {
            return Err(Kind::Utf16.at(b"", 0));
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|e| Kind::NotUtf8.at(bytes, e.valid_up_to()))?;
        self.read_text(text).map_err(|(at, kind)| match kind {
            // The first use is known by its offset until somebody wants to know.
            Kind::DuplicateId { id, first_line } => {
                let (first_line, _) = line_and_column(bytes, first_line as usize);
                Kind::DuplicateId { id, first_line }.at(bytes, at)
            }
            kind => kind.at(bytes, at),
        })
    }

    fn read_text(mut self, text: &str) -> Result<PetriNet, Fault> {
        let mut xml = quick_xml::Reader::from_str(text);
        xml.config_mut().expand_empty_elements = true;
        loop {
            let at = xml.buffer_position() as usize;
            let event = xml.read_event().map_err(|e| (xml.error_position() as usize, not_xml(e)))?;
            match event {
                Event::Start(tag) => self.open(&tag, at)?,
                Event::End(_) => self.close()?,
                Event::Text(chars) => self.characters(&chars, at)?,
                Event::CData(chars) => self.characters(&chars, at)?,
                Event::GeneralRef(entity) => self.entity(&entity, at)?,
                Event::DocType(_) => return Err((at, Kind::Doctype)),
                Event::Decl(declaration) => {
                    if let Some(Ok(declared)) = declaration.encoding() {
                        let utf8 = [&b"utf-8"[..], b"utf8", b"us-ascii", b"ascii"];
                        // What is all ASCII reads the same in every encoding that gets this far.
                        if !utf8.iter().any(|name| declared.eq_ignore_ascii_case(name)) && !text.is_ascii() {
                            let declared = shown(&declared);
                            return Err((at, Kind::Encoding { declared }));
                        }
                    }
                }
                Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
                Event::Eof => break,
            }
        }
        if !self.stack.is_empty() {
            return Err((text.len(), not_xml("the file ends before its elements do")));
        }
        if !self.net_seen {
            return Err((text.len(), Kind::NoNet));
        }
        join(self.net, self.ids, &self.arcs)
    }

    fn open(&mut self, tag: &BytesStart<'_>, at: usize) -> Result<(), Fault> {
        use Element::*;
        if self.stack.len() >= self.limits.depth {
            return Err((at, Kind::TooDeep { limit: self.limits.depth }));
        }
        let local = tag.local_name();
        let element = match (self.stack.last(), local.as_ref()) {
            (None, _) if self.net_seen => return Err((at, not_xml("there is more than one root element"))),
            (None, b"pnml") => Pnml,
            (None, root) => return Err((at, Kind::NotPnml { root: shown(root) })),
            (Some(Pnml), b"net") => self.open_net(tag, at)?,
            (Some(Net | Page), b"page") => self.define(tag, Meaning::Other, at).map(|()| Page)?,
            // Older files have no pages, hence also within a net.
            (Some(Net | Page), b"place") => self.open_place(tag, at)?,
            (Some(Net | Page), b"transition") => self.open_transition(tag, at)?,
            (Some(Net | Page), b"arc") => self.open_arc(tag, at)?,
            (Some(Net | Page), b"referencePlace") => {
                self.open_reference(tag, "referencePlace", Meaning::PlaceReference, at)?
            }
            (Some(Net | Page), b"referenceTransition") => {
                self.open_reference(tag, "referenceTransition", Meaning::TransitionReference, at)?
            }
            (Some(Net | Place | Transition), b"name") => Name,
            (Some(Place), b"initialMarking") => Marking,
            (Some(Arc), b"inscription") => Inscription,
            (Some(Arc), b"type") => {
                // Of a dialect: how inhibitor and reset arcs are written. To run them as plain ones would be a lie.
                if let Some(value) = attribute(tag, "value", at)? {
                    plain_arc(&value).map_err(|kind| (at, kind))?;
                }
                ArcType
            }
            (Some(Place | Transition), b"graphics") => Graphics,
            (Some(Graphics), b"position") => {
                self.position(tag, at)?;
                Ignored
            }
            (Some(Name | Marking | Inscription | ArcType), b"text") => {
                self.text.clear();
                self.text_at = usize::MAX;
                Text
            }
            _ => Ignored,
        };
        self.stack.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        let closed = self.stack.pop();
        if closed != Some(Element::Text) {
            return Ok(());
        }
        let at = if self.text_at == usize::MAX { 0 } else { self.text_at };
        let mut above = self.stack.iter().rev();
        let (label, owner) = (above.next(), above.next());
        let text = self.text.trim();
        match label {
            Some(Element::Name) => {
                check_name(text, self.limits).map_err(|kind| (at, kind))?;
                let name = match owner {
                    Some(Element::Net) => Some(&mut self.net.name),
                    Some(Element::Place) => self.net.places.last_mut().map(|place| &mut place.name),
                    Some(Element::Transition) => self.net.transitions.last_mut().map(|t| &mut t.name),
                    _ => None,
                };
                if let (Some(name), false) = (name, text.is_empty()) {
                    *name = text.to_string();
                }
            }
            Some(Element::Marking) if !text.is_empty() => {
                let tokens = count(text, "initial marking", self.limits).map_err(|kind| (at, kind))?;
                if let Some(place) = self.net.places.last_mut() {
                    place.initial = tokens;
                }
            }
            Some(Element::Inscription) if !text.is_empty() => {
                let weight = count(text, "weight", self.limits).map_err(|kind| (at, kind))?;
                if weight == 0 {
                    return Err((at, Kind::ZeroWeight));
                }
                if let Some(arc) = self.arcs.last_mut() {
                    arc.weight = weight;
                }
            }
            Some(Element::ArcType) => plain_arc(text).map_err(|kind| (at, kind))?,
            _ => {}
        }
        Ok(())
    }

    fn characters(&mut self, chars: &[u8], at: usize) -> Result<(), Fault> {
        match self.stack.last() {
            Some(Element::Text) => {
                // The whole file was checked, and the parser cuts it at ASCII only.
                let chars = std::str::from_utf8(chars).map_err(|_| (at, Kind::NotUtf8))?;
                if self.text_at == usize::MAX && !chars.trim_start().is_empty() {
                    self.text_at = at + (chars.len() - chars.trim_start().len());
                }
                push_normalised(&mut self.text, chars);
            }
            None if !chars.trim_ascii().is_empty() => {
                let lead = chars.len() - chars.trim_ascii_start().len();
                return Err((at + lead, not_xml("there is text outside the root element")));
            }
            _ => {}
        }
        Ok(())
    }

    fn entity(&mut self, entity: &BytesRef<'_>, at: usize) -> Result<(), Fault> {
        let name = shown(entity);
        let char = match entity.resolve_char_ref() {
            Ok(Some(char)) => Some(char),
            Ok(None) => {
                quick_xml::escape::resolve_xml_entity(&name).and_then(|resolved| resolved.chars().next())
            }
            Err(e) => return Err((at, not_xml(e))),
        };
        let Some(char) = char else { return Err((at, Kind::Entity { name })) };
        match self.stack.last() {
            None => Err((at, not_xml("there is text outside the root element"))),
            Some(Element::Text) => {
                if self.text_at == usize::MAX {
                    self.text_at = at;
                }
                self.text.push(char);
                Ok(())
            }
            Some(_) => Ok(()),
        }
    }

    fn open_net(&mut self, tag: &BytesStart<'_>, at: usize) -> Result<Element, Fault> {
        if std::mem::replace(&mut self.net_seen, true) {
            return Err((at, Kind::SeveralNets));
        }
        let net_type = required(tag, "net", "type", at)?;
        // The standard's URI ends in `ptnet`; older tools wrote `…/ptNetb` or `P/T net`.
        let last = net_type.rsplit('/').next().unwrap_or_default();
        let known = ["ptnet", "ptnetb"].iter().any(|name| last.eq_ignore_ascii_case(name));
        if !known && !net_type.eq_ignore_ascii_case("P/T net") {
            return Err((at, Kind::NetType { found: net_type.chars().take(200).collect() }));
        }
        let id = attribute(tag, "id", at)?.unwrap_or_default();
        if !id.is_empty() {
            self.define(tag, Meaning::Other, at)?;
        }
        self.net.id = id.clone();
        self.net.name = id;
        Ok(Element::Net)
    }

    fn open_place(&mut self, tag: &BytesStart<'_>, at: usize) -> Result<Element, Fault> {
        let id = required(tag, "place", "id", at)?;
        self.define_as(&id, Meaning::Place(self.net.places.len() as u32), at)?;
        self.net.places.push(Place { name: id.clone(), id, initial: 0, position: None });
        self.check_nodes(at)?;
        Ok(Element::Place)
    }

    fn open_transition(&mut self, tag: &BytesStart<'_>, at: usize) -> Result<Element, Fault> {
        let id = required(tag, "transition", "id", at)?;
        self.define_as(&id, Meaning::Transition(self.net.transitions.len() as u32), at)?;
        self.net.transitions.push(Transition { name: id.clone(), id, position: None });
        self.check_nodes(at)?;
        Ok(Element::Transition)
    }

    fn open_reference(
        &mut self,
        tag: &BytesStart<'_>,
        element: &str,
        meaning: fn(Id) -> Meaning,
        at: usize,
    ) -> Result<Element, Fault> {
        let id = required(tag, element, "id", at)?;
        let target = required(tag, element, "ref", at)?;
        let target = self.mention(&target, at)?;
        self.define_as(&id, meaning(target), at)?;
        self.references += 1;
        self.check_nodes(at)?;
        Ok(Element::Ignored)
    }

    fn open_arc(&mut self, tag: &BytesStart<'_>, at: usize) -> Result<Element, Fault> {
        self.define(tag, Meaning::Other, at)?;
        let source = required(tag, "arc", "source", at)?;
        let target = required(tag, "arc", "target", at)?;
        let (source, target) = (self.mention(&source, at)?, self.mention(&target, at)?);
        self.arcs.push(RawArc { source, target, weight: 1, at });
        if self.arcs.len() > self.limits.arcs {
            return Err((at, Kind::TooManyArcs { limit: self.limits.arcs }));
        }
        Ok(Element::Arc)
    }

    fn position(&mut self, tag: &BytesStart<'_>, at: usize) -> Result<(), Fault> {
        let number = |name| -> Result<Option<f32>, Fault> {
            let value = attribute(tag, name, at)?.and_then(|value| value.trim().parse::<f32>().ok());
            // Beyond a million nothing is drawn any more; such a position is as good as none.
            Ok(value.filter(|value| value.abs() <= 1e6))
        };
        let position = number("x")?.zip(number("y")?);
        match self.stack.iter().rev().nth(1) {
            Some(Element::Place) => {
                if let Some(place) = self.net.places.last_mut() {
                    place.position = position;
                }
            }
            Some(Element::Transition) => {
                if let Some(transition) = self.net.transitions.last_mut() {
                    transition.position = position;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes up the id of a tag, where it has one.
    fn define(&mut self, tag: &BytesStart<'_>, meaning: Meaning, at: usize) -> Result<(), Fault> {
        match attribute(tag, "id", at)? {
            Some(id) => self.define_as(&id, meaning, at),
            None => Ok(()),
        }
    }

    /// An id that another element is said to have.
    fn mention(&mut self, id: &str, at: usize) -> Result<Id, Fault> {
        check_name(id, self.limits).map_err(|kind| (at, kind))?;
        Ok(self.ids.mention(id))
    }

    fn define_as(&mut self, id: &str, meaning: Meaning, at: usize) -> Result<(), Fault> {
        check_name(id, self.limits).map_err(|kind| (at, kind))?;
        self.ids
            .define(id, meaning, at)
            .map_err(|first| (at, Kind::DuplicateId { id: id.to_string(), first_line: first as u32 }))
    }

    fn check_nodes(&self, at: usize) -> Result<(), Fault> {
        let nodes = self.net.places.len() + self.net.transitions.len() + self.references;
        if nodes > self.limits.nodes {
            return Err((at, Kind::TooManyNodes { limit: self.limits.nodes }));
        }
        Ok(())
    }
}

/// A line end is one `\n`, however it is written (XML 1.0, 2.11).
fn push_normalised(text: &mut String, chars: &str) {
    let mut pieces = chars.split('\r');
    text.extend(pieces.next());
    for piece in pieces {
        // Of `\r\n` the second half is there already.
        if !piece.starts_with('\n') {
            text.push('\n');
        }
        text.push_str(piece);
    }
}
