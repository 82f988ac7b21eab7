//! The messages that are shown now.

use super::{super::Icon, Toasts, use_toasts};
use leptos::{ev, html, prelude::*};
use leptos_router::components::A;

/// More than this and the older ones wait in the history.
const MOST: usize = 3;

/// The messages, and the two regions that read them out: the list itself is silent, or everything would be said twice.
#[component]
pub fn ToastRegion() -> impl IntoView {
    let toasts = use_toasts();
    let region = NodeRef::<html::Div>::new();
    let all = Memo::new(move |_| toasts.log.with(|log| log.shown()));
    let newest = move || all.with(|all| all[all.len().saturating_sub(MOST)..].to_vec());
    let more = Memo::new(move |_| all.with(|all| all.len().saturating_sub(MOST)));
    let on_blur = move |event: ev::FocusEvent| {
        use leptos::wasm_bindgen::JsCast;
        let into = event.related_target().and_then(|to| to.dyn_into::<leptos::web_sys::Node>().ok());
        if !region.get_untracked().is_some_and(|region| into.is_some() && region.contains(into.as_ref())) {
            toasts.hold(false);
        }
    };
    view! {
        <p class="visually-hidden" aria-live="polite">
            {move || toasts.polite.get()}
        </p>
        <p class="visually-hidden" aria-live="assertive">
            {move || toasts.assertive.get()}
        </p>
        <div
            class="toasts"
            role="region"
            aria-label="Messages"
            node_ref=region
            on:mouseenter=move |_| toasts.hold(true)
            on:mouseleave=move |_| toasts.hold(false)
            on:focusin=move |_| toasts.hold(true)
            on:focusout=on_blur
        >
            {move || {
                (all.with(Vec::len) > 1)
                    .then(|| {
                        view! {
                            <div class="toasts-all">
                                {move || (more.get() > 0).then(|| view! { <span>{move || format!("and {} earlier", more.get())}</span> })}
                                <button type="button" class="button" on:click=move |_| toasts.dismiss_all()>
                                    "Dismiss all"
                                </button>
                            </div>
                        }
                    })
            }}
            <For each=newest key=|id| *id let:id>
                <One toasts id/>
            </For>
        </div>
    }
    .into_any()
}

#[component]
fn One(toasts: Toasts, id: u64) -> impl IntoView {
    let toast = Memo::new(move |_| toasts.log.with(|log| log.find(id).cloned()));
    let first = toast.get_untracked()?;
    let settled = Memo::new(move |_| toast.get().and_then(|toast| toast.settled));
    let count = Memo::new(move |_| toast.get().map_or(1, |toast| toast.count));
    let class = move || {
        let tone = if settled.with(Option::is_some) { "quiet" } else { first.tone.class() };
        format!("toast tone-{tone}")
    };
    let text = first.text.clone();
    let words = match first.matter {
        Some(matter) => view! { <A href=matter.href>{text}</A> }.into_any(),
        None => text.into_any(),
    };
    Some(
        view! {
            <div class=class>
                <p>
                    {words}
                    {move || {
                        (count.get() > 1)
                            .then(|| view! { <span class="toast-count" title="So many times">{move || format!(" × {}", count.get())}</span> })
                    }}
                    {move || settled.get().map(|words| view! { <span class="toast-settled">{words}</span> })}
                </p>
                <button type="button" class="button quiet" aria-label="Dismiss" on:click=move |_| toasts.dismiss(id)>
                    <Icon name="close"/>
                </button>
            </div>
        }
        .into_any(),
    )
}
