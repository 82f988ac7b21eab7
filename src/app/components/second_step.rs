//! Where no script can ask, a second step does: a deed that loses something is opened first and confirmed then.

use leptos::prelude::*;

/// Shows `children` (the button that asks through a dialog) where scripts run, and else a disclosure that names the loss beside a button
/// of its own. `name` and `value` are the button's, of the form that this is in.
#[component]
pub fn SecondStep(
    label: &'static str,
    name: &'static str,
    #[prop(into)] value: String,
    /// What is lost.
    #[prop(into)]
    loss: String,
    children: Children,
) -> impl IntoView {
    view! {
        <span class="needs-script second-step">{children()}</span>
        <details class="without-script second-step">
            <summary class="button danger">{format!("{label}…")}</summary>
            <p>{loss}</p>
            <button class="button danger" name=name value=value>
                {format!("{label} now")}
            </button>
        </details>
    }
    .into_any()
}
