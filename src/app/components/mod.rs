//! The design kit: what every page is made of. It knows nothing of workers and nets, reaches no server, and never uses a `style=`
//! attribute (the content security policy forbids them): looks are classes, sizes that follow data are SVG attributes.

pub mod clock;
pub mod confirm;
pub mod copyable;
pub mod disclose;
pub mod field;
pub mod format;
pub mod icon;
pub mod keyboard;
pub mod list;
pub mod menu;
pub mod meter;
pub mod second_step;
pub mod share;
pub mod sparkline;
pub mod state;
pub mod toast;

pub use clock::{Ago, Clock, Moment, TimeOfDay, use_clock};
pub use confirm::{Confirm, ConfirmDialog, Question};
pub use copyable::Copyable;
pub use disclose::Disclose;
pub use field::Field;
pub use icon::Icon;
pub use menu::Menu;
pub use meter::Meter;
pub use second_step::SecondStep;
pub use share::{Part, ShareBar};
pub use sparkline::Sparkline;
pub use state::{Glyph, State, StateBadge, Tone};
pub use toast::{Matter, ToastHistory, ToastRegion, Toasts, use_toasts};
