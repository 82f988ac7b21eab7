//! The rules the nets hold, as tests: reading, writing, running, stepping back, drawing, nets of any size, and the real nets of the contest.

mod attacks;
mod drawing;
mod generated;
mod reading;
mod running;
mod shared;
mod stepping_back;
mod writing;

use super::net::PetriNet;
use super::pnml::{self, Limits, PnmlError, PnmlErrorKind};

/// A net file around the given body, which begins in line 2.
pub(super) fn file(body: &str) -> String {
    format!(
        "<pnml xmlns=\"http://www.pnml.org/version-2009/grammar/pnml\"><net id=\"n\" type=\"http://www.pnml.org/version-2009/grammar/ptnet\"><page id=\"g\">\n{body}\n</page></net></pnml>"
    )
}

pub(super) fn read(text: &str) -> Result<PetriNet, PnmlError> {
    pnml::read(text.as_bytes(), &Limits::default())
}

/// The error of a file and its line and column.
#[track_caller]
pub(super) fn refused(text: &str) -> (u32, u32, PnmlErrorKind) {
    let error = read(text).expect_err("must be refused");
    (error.line, error.column, error.kind)
}
