//! Where there is no page.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;

#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(axum::http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="No such page"/>
        <main class="lone">
            <h1>"There is no page here"</h1>
            <p>"The address may be mistyped, or what it led to was deleted."</p>
            <p>
                <A href="/">"Go to the overview"</A>
            </p>
        </main>
    }
    .into_any()
}

/// A page whose row does not exist, inside the frame.
#[component]
pub fn GoneRow(what: &'static str, list: &'static str, list_name: &'static str) -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(axum::http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text=format!("No such {what}")/>
        <h1>{format!("This {what} does not exist")}</h1>
        <p>
            "It may have been deleted. " <A href=list>{format!("See all {list_name}")}</A>
        </p>
    }
    .into_any()
}
