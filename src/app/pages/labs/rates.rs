//! Rates of transitions: lines of text, which can be pasted; of a small net also a field for each.

use crate::app::{
    components::Field,
    lab_plan::{NodeNames, rate_in, with_rate},
};
use leptos::prelude::*;

/// A net of more transitions has no fields, only the text.
const FIELDS: usize = 40;

#[component]
pub fn Rates(
    text: RwSignal<String>,
    names: Resource<Option<NodeNames>>,
    error: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <Field id="lab-rates" label="Rates" hint="One a line: t1=0.5, firings a unit of time while it is enabled. 1 for all that are not named; empty: no time but firings." error>
            <textarea
                id="lab-rates"
                class="input mono"
                name="rates"
                rows="2"
                spellcheck="false"
                aria-describedby="lab-rates-note"
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                prop:value=move || text.get()
                on:input=move |event| text.set(event_target_value(&event))
            ></textarea>
        </Field>
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let transitions = names.await.map(|names| names.transitions).unwrap_or_default();
                (1..=FIELDS).contains(&transitions.len()).then(|| view! { <Fields text transitions/> })
            })}
        </Transition>
    }
    .into_any()
}

#[component]
fn Fields(text: RwSignal<String>, transitions: Vec<(String, String)>) -> impl IntoView {
    let field = move |(id, name): (String, String)| {
        let label = if id == name { name } else { format!("{name} ({id})") };
        let now = Memo::new({
            let id = id.clone();
            move |_| text.with(|text| rate_in(text, &id)).unwrap_or_default()
        });
        view! {
            <label class="lab-rate">
                <span class="lab-rate-name">{label}</span>
                <input
                    class="input"
                    inputmode="decimal"
                    placeholder="1"
                    autocomplete="off"
                    prop:value=move || now.get()
                    on:change=move |event| {
                        let rate = event_target_value(&event);
                        text.update(|text| *text = with_rate(text, &id, &rate));
                    }
                />
            </label>
        }
    };
    view! {
        <details class="lab-rates needs-script">
            <summary>"A field for each transition"</summary>
            <div class="lab-rate-fields">{transitions.into_iter().map(field).collect_view()}</div>
        </details>
    }
    .into_any()
}
