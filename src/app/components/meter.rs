//! A figure against what it may reach.

use leptos::prelude::*;

/// A bar of `value` from 0 to 1, beside which the caller writes the figure. Nothing while the value is not known.
#[component]
pub fn Meter(#[prop(into)] value: Signal<Option<f64>>, #[prop(into)] label: String) -> impl IntoView {
    let percent = Memo::new(move |_| value.get().map(|value| (value.clamp(0.0, 1.0) * 100.0).round() as u32));
    let class = move || match percent.get() {
        Some(90..) => "meter high",
        Some(_) => "meter",
        None => "meter unknown",
    };
    // A meter without a value is none: the dash beside it says so.
    let known = move |text: &str| percent.get().is_some().then(|| text.to_owned());
    view! {
        <svg
            class=class
            viewBox="0 0 100 6"
            preserveAspectRatio="none"
            role=move || known("meter")
            aria-label=move || known(&label)
            aria-valuemin=move || known("0")
            aria-valuemax=move || known("100")
            aria-valuenow=move || percent.get().map(|percent| percent.to_string())
            aria-hidden=move || percent.get().is_none().then_some("true")
        >
            <rect class="meter-track" width="100" height="6" rx="1"></rect>
            <rect class="meter-value" width=move || percent.get().unwrap_or(0).to_string() height="6" rx="1"></rect>
        </svg>
    }
    .into_any()
}
