//! The pages, a folder each; [`parts`] are pieces of the domain that several pages show.

mod bulk;
mod net;
mod nets;
mod not_found;
mod overview;
mod parts;
mod setup;
mod sign_in;
mod workers;

pub use net::NetPage;
pub use nets::NetsPage;
pub use not_found::NotFound;
pub use overview::Overview;
pub use setup::SetupPage;
pub use sign_in::SignInPage;
pub use workers::{WorkerPage, WorkersPage};
