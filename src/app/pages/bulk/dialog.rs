//! What a bulk action would do, is doing, and did.

use super::{
    Bulk,
    job::{Item, Job, Phase, Step, Tally},
};
use crate::app::components::format::count;
use leptos::{ev, html, prelude::*};

/// So many rows of a kind are named; the others are counted.
const MOST_NAMED: usize = 50;

#[component]
pub fn BulkDialog(bulk: Bulk) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let there = Memo::new(move |_| bulk.job.with(Option::is_some));
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if there.get() && !dialog.open() {
            _ = dialog.show_modal();
        } else if !there.get() && dialog.open() {
            dialog.close();
        }
    });
    let running =
        move || bulk.job.with_untracked(|job| job.as_ref().is_some_and(|job| job.phase == Phase::Running));
    view! {
        <dialog
            class="dialog bulk"
            // Each phase has other buttons: the next key is not to press one that was not read.
            tabindex="-1"
            node_ref=dialog
            aria-labelledby="bulk-title"
            on:cancel=move |event: ev::Event| if running() { event.prevent_default() }
            on:close=move |_| bulk.close()
        >
            {move || there.get().then(|| view! { <Contents bulk/> })}
        </dialog>
    }
    .into_any()
}

#[component]
fn Contents(bulk: Bulk) -> impl IntoView {
    fn read<T: PartialEq + Send + Sync + 'static>(bulk: Bulk, of: fn(&Job) -> T) -> Memo<Option<T>> {
        Memo::new(move |_| bulk.job.with(|job| job.as_ref().map(of)))
    }
    let phase = read(bulk, |job| job.phase.clone());
    let tally = read(bulk, Job::tally);
    let counts = move || tally.get().unwrap_or_default();
    let deed = read(bulk, |job| job.deed.clone());
    let title = move || {
        let (deed, asked) = (deed.get()?, bulk.job.with(|job| job.as_ref().map(|job| job.asked))?);
        let mark = if phase.get() == Some(Phase::Planned) { "?" } else { "" };
        Some(format!("{} {}{mark}", deed.label(), deed.counted(asked)))
    };
    let summary = move || {
        let (deed, Tally { refused, waiting, in_flight, done, failed }) = (deed.get()?, counts());
        let sent = waiting + in_flight + done + failed;
        Some(match phase.get()? {
            Phase::Looking => "Looking at how they are now…".to_owned(),
            Phase::Blind(why) => format!("They could not be looked at, so nothing was sent. {why}"),
            Phase::Planned if refused == 0 => format!("All {} permit it now.", deed.counted(waiting)),
            Phase::Planned if waiting == 0 => {
                format!("None of them permits it now; nothing will be sent to {}.", deed.counted(refused))
            }
            Phase::Planned => format!(
                "{} of them permit it now; {} will be left as they are.",
                count(waiting as u64),
                deed.counted(refused)
            ),
            Phase::Running => {
                format!("{} of {} answered.", count((done + failed) as u64), count(sent as u64))
            }
            Phase::Over => bulk.job.with(|job| job.as_ref().map(Job::outcome))?,
        })
    };
    let losses = read(bulk, |job| job.losses.clone());
    let planned = move || phase.get() == Some(Phase::Planned);
    let button =
        move || deed.get().map(|deed| format!("{} {}", deed.label(), deed.counted(counts().waiting)));
    view! {
        <h2 id="bulk-title">{title}</h2>
        <p aria-live="polite">{summary}</p>
        {move || {
            (phase.get() == Some(Phase::Running) || phase.get() == Some(Phase::Over))
                .then(|| {
                    view! {
                        <progress
                            class="bulk-progress"
                            aria-label="Progress"
                            max=move || (counts().waiting + counts().in_flight + counts().done + counts().failed).max(1).to_string()
                            prop:value=move || (counts().done + counts().failed) as f64
                        ></progress>
                    }
                })
        }}
        {move || {
            planned()
                .then(|| losses.get().unwrap_or_default().into_iter().map(|loss| view! { <p>{loss}</p> }).collect_view())
        }}
        <Named bulk title="Failed" of=|item| matches!(item.step, Step::Failed { .. })/>
        <Named bulk title="Refused" of=|item| matches!(item.step, Step::Refused(_))/>
        <Named bulk title="Done" of=|item| item.step == Step::Done/>
        <div class="dialog-actions">
            {move || match phase.get()? {
                Phase::Running => Some(view! {
                    <button type="button" class="button" on:click=move |_| bulk.halt()>
                        "Send no more"
                    </button>
                }.into_any()),
                Phase::Planned if counts().waiting > 0 => {
                    let loses = deed.get().is_some_and(|deed| deed.loses());
                    Some(view! {
                        <button type="button" class="button" on:click=move |_| bulk.close()>
                            "Cancel"
                        </button>
                        <button type="button" class="button" class:danger=loses class:primary=!loses on:click=move |_| bulk.run()>
                            {button}
                        </button>
                    }.into_any())
                }
                Phase::Over if counts().failed > 0 => Some(view! {
                    <button type="button" class="button" on:click=move |_| bulk.retry()>
                        {move || format!("Try {} again", deed.get().map(|deed| deed.counted(counts().failed)).unwrap_or_default())}
                    </button>
                    <button type="button" class="button primary" on:click=move |_| bulk.close()>
                        "Close"
                    </button>
                }.into_any()),
                _ => Some(view! {
                    <button type="button" class="button" on:click=move |_| bulk.close()>
                        "Close"
                    </button>
                }.into_any()),
            }}
        </div>
    }
    .into_any()
}

/// The items of a kind, by name, with why.
#[component]
fn Named(bulk: Bulk, title: &'static str, of: fn(&Item) -> bool) -> impl IntoView {
    let items = Memo::new(move |_| {
        bulk.job.with(|job| {
            let items = job.iter().flat_map(|job| &job.items).filter(|item| of(item));
            let all = items.clone().count();
            (items.take(MOST_NAMED).cloned().collect::<Vec<_>>(), all)
        })
    });
    let all = Memo::new(move |_| items.with(|(_, all)| *all));
    move || {
        (all.get() > 0).then(|| {
            view! {
                <details class="bulk-items" open=title != "Done" data-bulk=title.to_lowercase()>
                    <summary>{move || format!("{title}: {}", count(all.get() as u64))}</summary>
                    <ul>
                        <For each=move || items.with(|(items, _)| items.clone()) key=|item| (item.id, format!("{:?}", item.step)) let:item>
                            <li>
                                {match &item.step {
                                    Step::Refused(why) | Step::Failed { why, .. } => {
                                        view! { <strong>{item.name.clone()}</strong> " " <span class="quiet-text">{why.clone()}</span> }.into_any()
                                    }
                                    _ => item.name.clone().into_any(),
                                }}
                            </li>
                        </For>
                    </ul>
                    {move || {
                        let more = all.get().saturating_sub(MOST_NAMED);
                        (more > 0).then(|| view! { <p class="quiet-text">{format!("and {} more", count(more as u64))}</p> })
                    }}
                </details>
            }
        })
    }
}
