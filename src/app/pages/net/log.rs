//! The last firings, newest first.

use super::marking::{Line, Marking};
use crate::app::components::format;
use leptos::prelude::*;

#[component]
pub fn FiringLog(marking: Marking) -> impl IntoView {
    let graph = marking.graph.clone();
    let log = marking.log.clone();
    let empty = Memo::new({
        let log = log.clone();
        move |_| log.with(Vec::is_empty)
    });
    view! {
        <section class="panel log" aria-labelledby="log-title">
            <h2 id="log-title">"Firings"</h2>
            {move || empty.get().then(|| view! { <p class="quiet-text">"None seen since this page was opened."</p> })}
            <ol class="log-lines" role="log" aria-live="off">
                <For each=move || log.get() key=|line| *line let:line>
                    {match line {
                        Line::Fired { n, transition } => {
                            let name = graph.transitions.get(transition as usize).map(|t| t.name.clone()).unwrap_or_default();
                            view! {
                                <li>
                                    <span class="log-n">{format::count(n)}</span>
                                    <span class="log-name">{name}</span>
                                </li>
                            }
                            .into_any()
                        }
                        Line::Skipped { count, .. } => {
                            view! { <li class="quiet-text">{format!("{} not listed", format::counted(count as usize, "firing", "firings"))}</li> }
                            .into_any()
                        }
                    }}
                </For>
            </ol>
        </section>
    }
    .into_any()
}
