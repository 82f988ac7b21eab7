//! What can be wrong with a net file, and where.

use serde::{Deserialize, Serialize};

/// An error and its place. Lines and columns count from 1; a column counts characters, not bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("line {line}, column {column}: {kind}")]
pub struct PnmlError {
    pub line: u32,
    pub column: u32,
    pub kind: PnmlErrorKind,
}

/// Each variant reads as a sentence that says what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum PnmlErrorKind {
    #[error("the file has {bytes} bytes; at most {limit} are accepted")]
    TooLarge { bytes: usize, limit: usize },
    #[error("the file is not UTF-8; save it in that encoding")]
    NotUtf8,
    #[error(
        "the file is UTF-16, and only UTF-8 is read; save it in that encoding, or convert it (iconv -f UTF-16 -t UTF-8 OLD > NEW) and have its first line say encoding=\"UTF-8\""
    )]
    Utf16,
    #[error("the file declares the encoding {declared} but only UTF-8 is read; save it in that encoding")]
    Encoding { declared: String },
    #[error("this is not well-formed XML: {reason}")]
    NotXml { reason: String },
    #[error("a document type declaration (DOCTYPE) is not accepted; remove it")]
    Doctype,
    #[error("the entity &{name}; is not accepted; write the characters it stands for")]
    Entity { name: String },
    #[error("elements are nested more than {limit} deep")]
    TooDeep { limit: usize },
    #[error("the document is <{root}>, not <pnml>: this is not a PNML file")]
    NotPnml { root: String },
    #[error("the file holds no net")]
    NoNet,
    #[error("the file holds several nets; split it into one file per net")]
    SeveralNets,
    #[error("the net is of type \"{found}\"; only place/transition nets (ptnet) can be run")]
    NetType { found: String },
    #[error("<{element}> has no {attribute} attribute")]
    MissingAttribute { element: String, attribute: String },
    #[error("the id \"{id}\" is already used in line {first_line}")]
    DuplicateId { id: String, first_line: u32 },
    #[error("an id or name has more than {limit} characters")]
    NameTooLong { limit: usize },
    #[error("the net has more than {limit} places and transitions")]
    TooManyNodes { limit: usize },
    #[error("the net has more than {limit} arcs")]
    TooManyArcs { limit: usize },
    #[error("the arc's {end} \"{id}\" is no place or transition of this net")]
    DanglingArc { end: String, id: String },
    #[error("the arc joins two {what}; an arc joins a place and a transition")]
    ArcBetweenEquals { what: String },
    #[error("the arc is of type \"{found}\"; only plain arcs can be run")]
    ArcType { found: String },
    #[error("the reference \"{id}\" leads to no {what} of this net")]
    DanglingReference { id: String, what: String },
    #[error("the references lead in a circle: {path}; one of them must lead to a {what}")]
    CircularReference { path: String, what: String },
    #[error("the {what} is \"{found}\", which is not a whole number")]
    NotANumber { what: String, found: String },
    #[error("the {what} is \"{found}\"; it cannot be negative")]
    Negative { what: String, found: String },
    #[error("the {what} is \"{found}\"; at most {limit} is accepted")]
    TooBig { what: String, found: String, limit: u64 },
    #[error("the weight of an arc is 0; it must be at least 1")]
    ZeroWeight,
    #[error("this arc and those parallel to it weigh more than {limit} together")]
    ParallelWeight { limit: u64 },
}

impl PnmlErrorKind {
    /// Gives the error its line and column in `text`, which is looked through only now.
    pub(super) fn at(self, text: &[u8], offset: usize) -> PnmlError {
        let (line, column) = line_and_column(text, offset);
        PnmlError { line, column, kind: self }
    }
}

/// Line and column of a byte offset, both from 1.
pub(super) fn line_and_column(text: &[u8], offset: usize) -> (u32, u32) {
    let before = &text[..offset.min(text.len())];
    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    // Every byte that does not continue a UTF-8 sequence begins a character.
    let column = 1 + before[start..].iter().filter(|&&byte| byte & 0xC0 != 0x80).count();
    (line as u32, column as u32)
}
