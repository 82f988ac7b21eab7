//! Labs: the lists of them on the pages of workers and nets, the form that makes one, and a lab's own page with what it found.
//!
//! What comes in: rows and figures from the store, results asked for while somebody looks. What must not: arithmetic on results; means and
//! intervals are the server's, [`plot`] only draws them.

mod buttons;
mod detail;
mod known;
mod list;
mod make;
mod plot;
mod rates;
mod refresh;
mod results;
mod sync_field;
mod words;

pub use detail::LabPage;
pub use list::{NetLabs, WorkerLabs};
pub use sync_field::LabSyncField;
pub use words::{count_words, counts_title};
