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
    let (ended, dimmed) = (marking.ended.clone(), marking.ended.clone());
    // One line, whatever it says: the list below must not move.
    let said = move || match (ended.get(), empty.get()) {
        (true, false) => "It is not loaded any more: these were its last.",
        (true, true) => "It is not loaded any more.",
        (false, true) => "None seen since this page was opened.",
        (false, false) => "Newest first.",
    };
    view! {
        <section class="panel log" aria-labelledby="log-title">
            <h2 id="log-title">"Firings"</h2>
            <p class="quiet-text log-said">{said}</p>
            <ol class="log-lines" class:ended=move || dimmed.get() aria-label="Firings" tabindex="0">
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
