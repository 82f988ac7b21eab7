//! The event log as people and programs ask for it: its history, its figures, its export, and how much of it is kept.
//!
//! [`history`] and [`statistics`] are the room behind both doors, the server functions of the events page and the routes in
//! [`crate::server::api::events`]. What happens now is told by the streams in [`crate::server::sse`].

mod ask;
mod entry;
pub mod export;
pub mod retention;
#[cfg(test)]
mod tests;
pub mod tickets;

pub use ask::{Asked, time};
pub use entry::Entry;

use super::{
    App,
    api::error::internal,
    auth::Who,
    storage::events::{self, read_cursor},
};
use crate::{
    app::error::ApiError,
    model::{
        EventPage, EventQuery, EventStatistics, StatisticsBy,
        event_query::{MOST_PER_PAGE, MOST_TYPES, MOST_WORDS},
    },
};

/// One page of what `who` may see, newest first. `cursor` is the last page's `next`.
pub async fn history(
    app: &App,
    who: &Who,
    query: &EventQuery,
    cursor: Option<&str>,
    limit: u32,
) -> Result<EventPage, ApiError> {
    check(query)?;
    if !(1..=MOST_PER_PAGE).contains(&limit) {
        return Err(bad(format!("limit must be a whole number from 1 to {MOST_PER_PAGE}; it is {limit}.")));
    }
    let before = match cursor {
        None => None,
        Some(cursor) => Some(read_cursor(cursor).ok_or_else(|| {
            bad("This cursor is not one that the console gave out. Begin again without one.".to_owned())
        })?),
    };
    let page = events::page(app.store().pool(), &who.scope, query, before, limit);
    page.await.map_err(|error| internal(&error))
}

/// How many events there are that `who` may see, by kind of `by`.
pub async fn statistics(
    app: &App,
    who: &Who,
    query: &EventQuery,
    by: StatisticsBy,
) -> Result<EventStatistics, ApiError> {
    check(query)?;
    let counted = events::statistics(app.store().pool(), &who.scope, query, by);
    counted.await.map_err(|error| internal(&error))
}

/// Refuses what can hold for no event, or is no filter.
fn check(query: &EventQuery) -> Result<(), ApiError> {
    if let (Some(since), Some(until)) = (query.since, query.until)
        && since >= until
    {
        return Err(bad("until must be later than since.".to_owned()));
    }
    if query.types.len() > MOST_TYPES {
        return Err(bad(format!("Give {MOST_TYPES} types at most.")));
    }
    for kind in &query.types {
        let body = kind.strip_suffix('*').unwrap_or(kind);
        let right = |sign: char| sign.is_ascii_lowercase() || matches!(sign, '.' | '_');
        if kind.is_empty() || body.len() > 100 || !body.chars().all(right) {
            let given: String = kind.chars().take(60).collect();
            let detail = format!(
                "{given:?} is no type of event. It looks like worker.deleted, or worker.* for all that begin so."
            );
            return Err(bad(detail));
        }
    }
    let words = query.words();
    if words.len() > MOST_WORDS || query.q.len() > 1_000 {
        return Err(bad(format!("Search for {MOST_WORDS} words at most.")));
    }
    Ok(())
}

fn bad(detail: String) -> ApiError {
    ApiError::BadRequest { detail }
}
