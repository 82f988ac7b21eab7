//! What has to be said of the marking that is drawn: over the drawing, so that nothing moves when it comes and goes.

use super::marking::Source;
use crate::model::Net;
use leptos::prelude::*;
use std::sync::Arc;

#[component]
pub fn DrawingNote(
    net: ArcRwSignal<Arc<Net>>,
    source: ArcRwSignal<Source>,
    loaded: Memo<bool>,
    /// For how many seconds its worker has said nothing, once that is too long.
    silent: Memo<Option<u64>>,
) -> impl IntoView {
    let said = Memo::new(move |_| {
        if let Some(seconds) = silent.get() {
            return format!("No word from its worker for {seconds} s. This is the last marking known.");
        }
        let said = match source.get() {
            Source::Initial if loaded.get() => "Marking not known yet.",
            Source::Initial => "Not loaded: this is its initial marking.",
            Source::Opening => "Waiting for its marking…",
            Source::Page => "As it was when this page was made.",
            Source::Live => "",
            Source::Lost => "The last marking known; connecting again…",
        };
        said.to_owned()
    });
    let error = Memo::new(move |_| net.with(|net| net.load_error.clone()));
    view! {
        <div class="drawing-notes">
            {move || error.get().map(|error| view! { <p class="drawing-note tone-bad" data-load-error="">{error}</p> })}
            {move || {
                (!said.with(String::is_empty))
                    .then(|| {
                        let tone = move || if silent.with(Option::is_some) { "warn" } else { "quiet" };
                        view! { <p class=move || format!("drawing-note tone-{}", tone())>{move || said.get()}</p> }
                    })
            }}
        </div>
    }
    .into_any()
}
