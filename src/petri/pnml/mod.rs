//! Reads and writes P/T nets in PNML, the Petri net markup language (ISO/IEC 15909-2:2011).
//!
//! What lives here: [`limits`] (what a file may ask of us), [`error`] (what can be wrong with it, and where),
//! `reader` (XML to nodes and arcs), `ids` (names to nodes, references followed), `join` (arcs to their nodes), `value` (attributes and numbers), `writer` (the way back).
//! What may come in: bytes from anybody.
//! What must not: trust. No document makes this panic, expand entities, recurse or use more memory than its own size
//! explains.
//!
//! Read: pages within pages, arcs before the nodes they join, reference places and transitions, weights, the defaults
//! of the standard (marking 0, weight 1), names, positions. Passed over: `toolspecific` and anything else that is not
//! of the core model, wherever it stands. Refused: other net types, arcs that are not plain ones, DTDs and entities.

pub mod error;
mod ids;
mod join;
pub mod limits;
mod reader;
mod value;
mod writer;

pub use error::{PnmlError, PnmlErrorKind};
pub use limits::Limits;

use super::net::PetriNet;

/// Reads one P/T net. Time is linear in the size of the file; memory is, at the most, twenty times its size.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<PetriNet, PnmlError> {
    reader::Reader::new(limits).read(bytes)
}

/// Writes a net so that [`read`] gives the very same again: ids, names, markings, weights, positions, and all of it in the same order.
///
/// What a net does not keep is not there: pages, references, the ids of arcs, and whatever is passed over. That holds for a net as `read`
/// gives it; a name that is empty or has white space at its ends, which `read` never gives, would come back without. The text can be
/// longer than the file once was, hence also longer than [`Limits::bytes`].
pub fn write(net: &PetriNet) -> String {
    writer::write(net)
}
