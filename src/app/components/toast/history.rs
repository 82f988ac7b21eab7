//! The last messages with their times, behind a button.

use super::{
    super::{Icon, TimeOfDay, format::count},
    Told, use_toasts,
};
use leptos::{ev, html, prelude::*};
use leptos_router::components::A;

#[component]
pub fn ToastHistory(
    /// What can be done about messages as such.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let toasts = use_toasts();
    let details = NodeRef::<html::Details>::new();
    let empty = Memo::new(move |_| toasts.log.with(|log| log.toasts.is_empty()));
    let close = move || {
        if let Some(details) = details.get_untracked() {
            details.set_open(false);
        }
    };
    // The palette opens it too.
    Effect::new(move |_| {
        let open = toasts.reading.get();
        if let Some(details) = details.get()
            && details.open() != open
        {
            details.set_open(open);
        }
    });
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" && toasts.reading.get_untracked() {
            event.stop_propagation();
            close();
        }
    };
    // What had the focus may go together with all of this: then there is nothing to ask any more.
    let on_blur = move |event: ev::FocusEvent| {
        use leptos::wasm_bindgen::JsCast;
        let into = event.related_target().and_then(|to| to.dyn_into::<leptos::web_sys::Node>().ok());
        if let (Some(into), Some(details)) = (into, details.try_get_untracked().flatten())
            && !details.contains(Some(&into))
        {
            close();
        }
    };
    let label = move || match toasts.unseen.get() {
        0 => "Messages".to_owned(),
        n => format!("Messages, {n} new"),
    };
    view! {
        <details
            class="menu messages needs-script"
            node_ref=details
            on:toggle=move |_| {
                if let Some(details) = details.get_untracked() {
                    toasts.read_history(details.open());
                }
            }
            on:keydown=on_key
            on:focusout=on_blur
        >
            <summary class="button quiet" aria-label=label title="Messages">
                <Icon name="bell"/>
                {move || match toasts.unseen.get() {
                    0 => None,
                    n => Some(view! { <span class="messages-new" aria-hidden="true">{count(n.into())}</span> }),
                }}
            </summary>
            <div class="menu-items" role="group" aria-label="The last messages">
                {move || empty.get().then(|| view! { <p class="menu-text">"No messages yet."</p> })}
                {children.map(|children| children())}
                <ol class="messages-list" tabindex="0" aria-label="Newest first">
                    {move || {
                        toasts
                            .reading
                            .get()
                            .then(|| {
                                toasts
                                    .log
                                    .get()
                                    .toasts
                                    .into_iter()
                                    .map(|toast| {
                                        let settled = toast.settled();
                                        let tone = if settled.is_some() { "quiet" } else { toast.tone.class() };
                                        let times = if toast.times() > 1 { format!(" × {}", toast.times()) } else { String::new() };
                                        let words = if toast.told.is_empty() {
                                            toast.text.into_any()
                                        } else {
                                            let line = |told: Told| {
                                                view! { <span class="toast-line"><A href=told.matter.href>{told.text}</A></span> }
                                            };
                                            toast.told.into_iter().map(line).collect_view().into_any()
                                        };
                                        view! {
                                            <li class="event">
                                                <span class=format!("event-mark tone-{tone}")></span>
                                                <span class="event-text">
                                                    {words} {times}
                                                    {settled.map(|words| view! { <span class="toast-settled">{words}</span> })}
                                                </span>
                                                <span class="event-when">
                                                    <TimeOfDay at=toast.at/>
                                                </span>
                                            </li>
                                        }
                                    })
                                    .collect_view()
                            })
                    }}
                </ol>
            </div>
        </details>
    }
    .into_any()
}
