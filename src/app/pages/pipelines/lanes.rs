//! The matrix of a pipeline: a row a host, a column a stage. Of many hosts only those that are seen are in the page.

use super::super::parts::host_states::cell_state;
use crate::{
    app::{
        components::{Glyph, State},
        guard::use_host_desk,
        live::viewport::Seen,
        store::use_store,
    },
    model::{Cell, CommandStatus, HostId, Pipeline},
};
use leptos::{html, prelude::*, task::spawn_local};
use leptos_router::components::A;
use std::{collections::HashMap, sync::Arc};

/// So many hosts are all in the page; of more only those that are seen.
const ALL: usize = 100;
/// Rows above and below those seen that are in the page, too.
const OVER: usize = 12;

#[component]
pub fn Lanes(pipeline: Memo<Arc<Pipeline>>) -> impl IntoView {
    let first = pipeline.get_untracked();
    let stages: Vec<String> = first.stages.iter().map(ToString::to_string).collect();
    let hosts: Arc<Vec<HostId>> = Arc::new(first.lanes.iter().map(|lane| lane.host_id).collect());
    let place: Arc<HashMap<HostId, usize>> =
        Arc::new(hosts.iter().enumerate().map(|(n, id)| (*id, n)).collect());
    let all = hosts.len();
    let canary = first.canary as usize;
    let space = NodeRef::<html::Div>::new();
    let seen = RwSignal::new(Seen::default());
    let (above, below) = (NodeRef::<html::Div>::new(), NodeRef::<html::Div>::new());
    // Rows that are in the page; before the page is alive the first of them.
    let window = Memo::new(move |_| {
        if all <= ALL {
            return (0, all);
        }
        let Seen { top, bottom, pitch, .. } = seen.get();
        if pitch <= 0.0 {
            return (0, ALL);
        }
        let from = ((top / pitch).floor().max(0.0) as usize).saturating_sub(OVER).min(all);
        let to = ((bottom / pitch).ceil().max(0.0) as usize + OVER).min(all);
        (from, to.max(from))
    });
    #[cfg(feature = "browser")]
    {
        use crate::app::live::viewport::{Drawn, set_height, watch};
        // Its rows are few enough to be drawn in one frame: there is never more to draw.
        watch(space, seen, Signal::stored(Drawn::Whole), RwSignal::new(0));
        Effect::new(move |_| {
            let ((from, to), pitch) = (window.get(), seen.with(|seen| seen.pitch));
            if let (Some(above), Some(below)) = (above.get(), below.get()) {
                set_height(&above, from as f64 * pitch);
                set_height(&below, (all - to) as f64 * pitch);
            }
        });
    }
    let columns = stages.len();
    let each = {
        let hosts = hosts.clone();
        move || {
            let (from, to) = window.get();
            hosts.get(from..to).map(<[HostId]>::to_vec).unwrap_or_default()
        }
    };
    view! {
        <div class="matrix-space">
        <div class=format!("matrix stages-{}", columns.min(16)) role="table" aria-label="Hosts and stages" aria-rowcount=(all + 1).to_string() aria-colcount=(columns + 1).to_string()>
            <div class="matrix-head" role="rowgroup">
                <div class="matrix-row" role="row" aria-rowindex="1">
                    <span class="matrix-name" role="columnheader">"Host"</span>
                    {stages.iter().map(|stage| view! { <span class="matrix-cell" role="columnheader">{stage.clone()}</span> }).collect_view()}
                </div>
            </div>
            <div class="matrix-rows" role="rowgroup" node_ref=space>
                <div class="matrix-room" role="none" node_ref=above></div>
                <For each key=|id| *id let:id>
                    {
                        let at = place.get(&id).copied().unwrap_or_default();
                        view! { <Row pipeline id at canary=at < canary stages=stages.clone()/> }
                    }
                </For>
                <div class="matrix-room" role="none" node_ref=below></div>
            </div>
        </div>
        </div>
    }
    .into_any()
}

#[component]
fn Row(
    pipeline: Memo<Arc<Pipeline>>,
    id: HostId,
    /// Its place among the lanes.
    at: usize,
    canary: bool,
    stages: Vec<String>,
) -> impl IntoView {
    let store = use_store();
    let name = store.host_name_now(id);
    let there = store.host_row(id).is_some();
    let cells = Memo::new(move |_| {
        pipeline.with(|row| row.lanes.get(at).map(|lane| lane.cells.clone()).unwrap_or_default())
    });
    let shown = name.clone();
    view! {
        <div class="matrix-row entry" role="row" aria-rowindex=(at + 2).to_string() data-lane=name.clone()>
            <span class="matrix-name" role="rowheader">
                {match there {
                    true => view! { <A href=format!("/hosts/{id}")>{shown}</A> }.into_any(),
                    false => shown.into_any(),
                }}
                {canary.then(|| view! { <span class="canary" title="Goes first; the others wait until it succeeded">"canary"</span> })}
            </span>
            {stages.into_iter().enumerate().map(|(stage, title)| {
                let cell = Memo::new(move |_| cells.with(|cells| cells.get(stage).cloned()));
                view! { <CellMark cell host=name.clone() stage=title/> }
            }).collect_view()}
        </div>
    }
    .into_any()
}

/// A cell: shape, colour and word, and a way to its log where there is one.
#[component]
fn CellMark(cell: Memo<Option<Cell>>, host: String, stage: String) -> impl IntoView {
    let (store, desk) = (use_store(), use_host_desk());
    let command = Memo::new(move |_| match cell.get()? {
        Cell::Active { command } => Some(command),
        Cell::Ended { command, .. } => command,
        Cell::Waiting | Cell::Skipped => None,
    });
    let state = Memo::new(move |_| {
        let running = command
            .get()
            .and_then(|id| store.command_row(id))
            .is_some_and(|row| row.with(|row| row.status == CommandStatus::Running));
        cell.get().map_or_else(
            || State::new(Glyph::Ring, crate::app::components::Tone::Quiet, "unknown"),
            |cell| cell_state(&cell, running),
        )
    });
    let class = move || {
        let turns = state.with(|state| state.glyph == Glyph::Half);
        format!(
            "cell-state tone-{}{}",
            state.with(|state| state.tone.class()),
            if turns { " turning" } else { "" }
        )
    };
    let name = StoredValue::new(format!("{stage} on {host}"));
    let words = move || format!("{}: {}", name.get_value(), state.with(|state| state.word.clone()));
    let mark = move || {
        view! {
            <svg class="glyph" viewBox="0 0 12 12" aria-hidden="true" focusable="false">
                <use href=move || state.with(|state| state.glyph.symbol())></use>
            </svg>
            <span class="cell-word">{move || state.with(|state| state.word.clone())}</span>
        }
    };
    let has_log = Memo::new(move |_| command.get().is_some());
    view! {
        <span class="matrix-cell" role="cell" data-state=move || state.with(|state| state.word.clone())>
            {move || match has_log.get() {
                true => {
                    let open = move |_| {
                        if let Some(id) = command.get_untracked() {
                            spawn_local(async move { desk.open_log(id).await });
                        }
                    };
                    view! {
                        <button type="button" class=class title=move || format!("{}; show its log", words()) on:click=open>
                            {mark()}
                        </button>
                    }.into_any()
                }
                false => view! { <span class=class title=words>{mark()}</span> }.into_any(),
            }}
        </span>
    }
    .into_any()
}
