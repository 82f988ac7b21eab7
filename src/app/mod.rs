//! The console's user interface.

pub mod error;
pub mod snapshot;

// TEMP
#[leptos::component]
pub fn App() -> impl leptos::IntoView {
    use leptos::prelude::*;
    view! { <p>"x"</p> }
}
pub fn shell(_o: leptos::prelude::LeptosOptions) -> impl leptos::IntoView {
    use leptos::prelude::*;
    view! { <p>"x"</p> }
}
