//! The messages that are shown now.

use super::{
    super::{Icon, format::count},
    Toast, Toasts, use_toasts,
};
use leptos::{ev, html, prelude::*};
use leptos_router::components::A;

/// More than this and the older ones wait in the history.
const MOST: usize = 3;
/// So many of those that one message is about are named.
const NAMED: usize = 3;

/// The messages, and the two regions that read them out: the list itself is silent, or everything would be said twice.
#[component]
pub fn ToastRegion() -> impl IntoView {
    let toasts = use_toasts();
    let region = NodeRef::<html::Div>::new();
    let all = Memo::new(move |_| toasts.log.with(|log| log.shown()));
    let newest = move || all.with(|all| all[all.len().saturating_sub(MOST)..].to_vec());
    let more = Memo::new(move |_| all.with(|all| all.len().saturating_sub(MOST)));
    // What had the focus may go together with all of this: then there is nothing to ask any more.
    let on_blur = move |event: ev::FocusEvent| {
        use leptos::wasm_bindgen::JsCast;
        let into = event.related_target().and_then(|to| to.dyn_into::<leptos::web_sys::Node>().ok());
        if !region
            .try_get_untracked()
            .flatten()
            .is_some_and(|region| into.is_some() && region.contains(into.as_ref()))
        {
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
            class:elsewhere=move || toasts.reading.get()
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

/// Of one matter what is said of it; of several how many and which they are, and what was said last.
fn words(toast: Toast) -> AnyView {
    let open = toast.open();
    match open[..] {
        [] => toast.text.into_any(),
        [one] => {
            let (href, text) = (one.matter.href.clone(), one.text.clone());
            view! { <A href=href>{text}</A> }.into_any()
        }
        [newest, ..] => {
            let names = open.iter().take(NAMED).enumerate().map(|(n, told)| {
                let (href, name) = (told.matter.href.clone(), told.matter.name.clone());
                view! { {if n == 0 { ": " } else { ", " }} <A href=href>{name}</A> }
            });
            let names = names.collect_view();
            let more = open.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {} more", count(more as u64)) } else { String::new() };
            view! {
                <strong>{format!("{} {}", count(open.len() as u64), newest.matter.many)}</strong>
                {names}
                {more}
                <span class="toast-newest">{newest.text.clone()}</span>
            }
            .into_any()
        }
    }
}

#[component]
fn One(toasts: Toasts, id: u64) -> impl IntoView {
    let toast = Memo::new(move |_| toasts.log.with(|log| log.find(id).cloned()));
    let first = toast.get_untracked()?;
    let settled = Memo::new(move |_| toast.get().and_then(|toast| toast.settled()));
    let times = Memo::new(move |_| toast.get().map_or(1, |toast| toast.times()));
    let class = move || {
        let tone = if settled.with(Option::is_some) { "quiet" } else { first.tone.class() };
        format!("toast tone-{tone}")
    };
    let words = move || toast.get().map(words);
    Some(
        view! {
            <div class=class>
                <p>
                    {words}
                    {move || {
                        (times.get() > 1)
                            .then(|| view! { <span class="toast-count" title="So many times">{move || format!(" × {}", times.get())}</span> })
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
