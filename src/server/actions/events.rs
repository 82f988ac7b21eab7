//! What people say about events: that they know of them, and which matter.

use super::outcome::{once, same_revision};
use crate::{
    app::error::ApiError,
    model::{
        Done, EventId, EventRules, Name, Role,
        rules::{MOST_RULES, Matcher},
    },
    server::{
        App,
        auth::Who,
        storage::{events, idempotency::Key},
    },
};

/// Events that can be acknowledged at once.
const MOST_AT_ONCE: usize = 500;

/// Writes down that `who` knows of these events. Those acknowledged already keep who was first.
pub async fn acknowledge(
    app: &App,
    who: &Who,
    ids: Vec<EventId>,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    if ids.is_empty() || ids.len() > MOST_AT_ONCE {
        let detail = format!("Name 1 to {MOST_AT_ONCE} events to acknowledge; these are {}.", ids.len());
        return Err(ApiError::BadRequest { detail });
    }
    // Most are in the snapshot; what is older is only in the log.
    let older = events::by_ids(app.store().pool(), &ids).await.map_err(|error| super::internal(&error))?;
    let caller = who.clone();
    once(app, who, key, move |draft| {
        let mut acknowledged = 0;
        for id in &ids {
            let kept = draft.before().event(*id).map(|event| (**event).clone());
            let event = kept.or_else(|| older.iter().find(|event| event.id == *id).cloned());
            let event = event.filter(|event| caller.scope.sees_event(event));
            let event = event.ok_or_else(|| ApiError::Gone { what: format!("event {id}") })?;
            caller.need_for(&event, Role::Operator)?;
            if event.acknowledged.is_none() {
                draft.acknowledge(&event);
                acknowledged += 1;
            }
        }
        let message = match acknowledged {
            0 => "They were acknowledged already.".to_owned(),
            1 => "1 event was acknowledged.".to_owned(),
            n => format!("{n} events were acknowledged."),
        };
        Ok((Done { message, ..Done::default() }, Vec::new()))
    })
    .await
}

/// Replaces the rules; `if_match` is their revision, 0 where there are none yet.
pub async fn set_rules(
    app: &App,
    who: &Who,
    rules: EventRules,
    if_match: Option<u64>,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    who.need(Role::Admin)?;
    let bad = |detail: String| ApiError::BadRequest { detail };
    if rules.mutes.len() > MOST_RULES || rules.priorities.len() > MOST_RULES {
        return Err(bad(format!("There can be {MOST_RULES} rules of each kind at most.")));
    }
    let matchers = rules.mutes.iter().map(|mute| &mute.matcher);
    for matcher in matchers.chain(rules.priorities.iter().map(|rule| &rule.matcher)) {
        check(matcher)?;
    }
    if rules.mutes.iter().any(|mute| mute.matcher == Matcher::default()) {
        return Err(bad("A rule that mutes every event would hide everything. Say which.".to_owned()));
    }
    for mute in rules.mutes.iter().filter(|mute| !mute.note.is_empty()) {
        Name::new(&mute.note).map_err(|error| bad(format!("A note is not usable: {error}")))?;
    }
    once(app, who, key, move |draft| {
        let before = draft.before().rules().map_or(0, |rules| rules.revision);
        same_revision("rules for events", if_match, before)?;
        draft.put_rules(rules);
        Ok((Done { message: "The rules for events were changed.".to_owned(), ..Done::default() }, Vec::new()))
    })
    .await
}

fn check(matcher: &Matcher) -> Result<(), ApiError> {
    let body = matcher.kind.strip_suffix('*').unwrap_or(&matcher.kind);
    let right =
        body.len() <= 100 && body.chars().all(|sign| sign.is_ascii_lowercase() || matches!(sign, '.' | '_'));
    if right {
        return Ok(());
    }
    let detail = format!(
        "{:?} is no type of event. It looks like worker.deleted, or worker.* for all that begin so.",
        matcher.kind.chars().take(60).collect::<String>()
    );
    Err(ApiError::BadRequest { detail })
}
