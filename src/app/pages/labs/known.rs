//! How far a lab is, by whichever word is newer: its row, or what its worker said since.

use super::words::{done_share, lab_state, progress_words};
use crate::{
    app::{
        components::{Ago, StateBadge, format},
        store::{Dated, Store},
    },
    model::{Lab, LabFigures, LabProgress, LabState, Timestamp},
};
use leptos::prelude::*;
use std::sync::Arc;

/// What is known, and of when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub state: LabState,
    pub progress: LabProgress,
    pub at: Timestamp,
}

/// The row says how a lab ended; while it works its worker's figures are ahead of the row.
pub fn known(lab: &Lab, figures: Option<&Dated<LabFigures>>) -> Known {
    match figures {
        Some(Dated { at, value })
            if lab.state.is_active() && value.state.is_active() && *at > lab.synced_at =>
        {
            Known { state: value.state, progress: value.progress, at: *at }
        }
        _ => Known { state: lab.state, progress: lab.progress, at: lab.synced_at },
    }
}

/// The same, followed.
pub fn follow(store: Store, lab: Memo<Arc<Lab>>) -> Memo<Known> {
    let figures = store.lab_figures(lab.with_untracked(|lab| lab.id));
    Memo::new(move |_| lab.with(|lab| figures.with(|figures| known(lab, figures.as_ref()))))
}

#[component]
pub fn LabBadge(known: Memo<Known>) -> impl IntoView {
    let state = Memo::new(move |_| lab_state(known.with(|known| known.state)));
    view! { <StateBadge state/> }
}

/// A bar where the whole is known, what is done in words, and of when that is.
#[component]
pub fn LabProgressBar(lab: Memo<Arc<Lab>>, known: Memo<Known>) -> impl IntoView {
    let plan = lab.with_untracked(|lab| lab.plan.clone());
    let measured = done_share(&plan, LabProgress::default()).is_some();
    let words = Memo::new({
        let plan = plan.clone();
        move |_| known.with(|known| progress_words(&plan, known.progress))
    });
    let share = Memo::new(move |_| known.with(|known| done_share(&plan, known.progress)).unwrap_or_default());
    let firings = Memo::new(move |_| known.with(|known| known.progress.firings));
    let at = Signal::derive(move || known.with(|known| known.at));
    let name = lab.with_untracked(|lab| lab.name.to_string());
    view! {
        <span class="lab-progress" title=move || (firings.get() > 0).then(|| format!("{} firings in all", format::count(firings.get())))>
            {measured
                .then(|| view! {
                    <progress
                        class="lab-bar"
                        max="1"
                        value=move || format!("{:.4}", share.get())
                        aria-label=format!("How much of {name} is done")
                    ></progress>
                })}
            <span class="lab-progress-words">{move || words.get()}</span>
        </span>
        <span class="lab-at quiet-text">"as of " <Ago at/> " ago"</span>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DefinitionHash, LabId, LabPlan, Name, NetId, ProjectId};
    use uuid::Uuid;

    fn lab(state: LabState, runs: u64, synced_at: u64) -> Lab {
        Lab {
            id: LabId(Uuid::from_u128(1)),
            project_id: ProjectId(Uuid::from_u128(2)),
            net_id: NetId(Uuid::from_u128(3)),
            version: 1,
            definition: DefinitionHash::of(b"<pnml/>"),
            worker_id: None,
            name: Name::new("a lab").unwrap(),
            plan: LabPlan::Explore { seconds: 1, memory_mb: 1 },
            state,
            error: None,
            progress: LabProgress { runs, ..LabProgress::default() },
            incarnation: None,
            synced_at: Timestamp(synced_at),
            history: Vec::new(),
            revision: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn told(state: LabState, runs: u64, at: u64) -> Dated<LabFigures> {
        let progress = LabProgress { runs, ..LabProgress::default() };
        let value = LabFigures { id: LabId(Uuid::from_u128(1)), state, progress };
        Dated { at: Timestamp(at), value }
    }

    #[test]
    fn while_it_works_the_newer_word_counts() {
        let newer = known(&lab(LabState::Queued, 3, 10), Some(&told(LabState::Running, 9, 20)));
        assert_eq!((newer.state, newer.progress.runs, newer.at), (LabState::Running, 9, Timestamp(20)));
        let older = known(&lab(LabState::Running, 12, 30), Some(&told(LabState::Running, 9, 20)));
        assert_eq!((older.progress.runs, older.at), (12, Timestamp(30)));
    }

    #[test]
    fn how_it_ended_is_said_by_its_row_alone() {
        for state in [LabState::Done, LabState::Lost, LabState::Idle, LabState::Failed] {
            let ended = known(&lab(state, 5, 10), Some(&told(LabState::Running, 9, 20)));
            assert_eq!((ended.state, ended.progress.runs), (state, 5));
        }
    }
}
