//! The guard for labs: ask where something is lost, look again, ask the lifecycle, only then send.

use super::{Desk, Outcome, cannot, fresh_key, until_heard, with_known};
use crate::{
    app::{
        components::Question,
        error::ApiError,
        lab_actions::{ActOnLab, SetLabSync, act_on_lab, set_lab_sync},
        live::http,
        store::Store,
    },
    model::{
        Lab, LabAction, LabId,
        lifecycle::{self, Verb},
    },
};
use leptos::prelude::*;

impl Desk {
    /// Does it, and says how it ended. Whether it was done.
    pub async fn lab(self, ask: ActOnLab) -> bool {
        let goes = ask.action == LabAction::Delete;
        let outcome = guard_lab(self, ask).await;
        let done = matches!(outcome, Outcome::Done(_));
        self.tell(outcome, goes);
        done
    }

    /// Changes how often the labs of a cluster's workers are asked for. Whether it was done.
    pub async fn lab_sync(self, ask: SetLabSync) -> bool {
        let key = fresh_key();
        let answer = until_heard(|| set_lab_sync(ask.id, ask.minutes.clone(), Some(key.clone()))).await;
        let outcome = match answer {
            Ok(done) => Outcome::Done(done),
            Err(error) => Outcome::Failed(with_known(&error, String::new())),
        };
        let done = matches!(outcome, Outcome::Done(_));
        self.tell(outcome, true);
        done
    }
}

async fn guard_lab(desk: Desk, ask: ActOnLab) -> Outcome {
    let ActOnLab { id, action, .. } = ask;
    if loses(action) && !desk.confirm.ask_live(move || words(desk.store, id, action)).await {
        return Outcome::Called;
    }
    let lab = match http::get_json::<Lab>(&format!("/api/labs/{id}")).await {
        Ok(lab) => lab,
        Err(error) => {
            let name = desk.store.lab_row(id).map(|row| row.get_untracked().name.to_string());
            return Outcome::Failed(cannot(action, name.as_deref().unwrap_or("the lab"), &error));
        }
    };
    let worker = lab.worker_id.and_then(|id| desk.store.worker_row(id)).map(|row| row.get_untracked());
    if let Err(refusal) = lifecycle::lab_action(&lab, worker.as_deref(), action) {
        return Outcome::Changed(refusal.tell(desk.store.now.get_untracked()));
    }
    let key = fresh_key();
    match until_heard(|| act_on_lab(id, action, Some(key.clone()))).await {
        Ok(done) => Outcome::Done(done),
        Err(error) => {
            let known = match http::get_json::<Lab>(&format!("/api/labs/{id}")).await {
                Ok(now) => format!(" {} is now {}.", now.name, now.state),
                Err(ApiError::Gone { .. } | ApiError::Deleted { .. }) => {
                    " The lab no longer exists.".to_owned()
                }
                Err(_) => String::new(),
            };
            Outcome::Failed(with_known(&error, known))
        }
    }
}

/// Whether something is lost by it, so that it is asked for first.
pub fn loses(action: LabAction) -> bool {
    matches!(action, LabAction::Wipe | LabAction::Delete)
}

/// The question as it stands now, tracked; or why it does not arise any more.
fn words(store: Store, id: LabId, action: LabAction) -> Result<Question, String> {
    let lab = store.lab(id).ok_or("The lab no longer exists.")?;
    let worker = lab.worker_id.and_then(|id| store.worker(id));
    lifecycle::lab_action(&lab, worker.as_deref(), action)
        .map_err(|refusal| refusal.tell(store.now.get_untracked()))?;
    let mut losses = vec![match action {
        LabAction::Wipe => "All that it has counted and found is forgotten. Its plan stays.".to_owned(),
        _ => "Its plan, its history and all that it has found will be gone. It cannot be undone.".to_owned(),
    }];
    if lab.state.is_active() {
        losses.insert(0, "It is at work, and will be stopped.".to_owned());
    }
    Ok(Question { title: format!("{} {}?", action.label(), lab.name), losses, verb: action.label() })
}
