//! What is wrong with a file that was sent: at its line, with the way to keep it all the same.

use crate::app::{error::ApiError, excerpt::Excerpt, live::files::Upload, pages::net::ExcerptView};
use leptos::prelude::*;

/// The place in the file that was sent, or else in what was pasted.
pub async fn wrong_at(error: &ApiError, file: Option<Upload>, pasted: String) -> Option<Excerpt> {
    let ApiError::BadPnml { line, column, .. } = error else { return None };
    let text = match file {
        Some(file) => file.text().await?,
        None => pasted,
    };
    Excerpt::of(&text, *line, *column)
}

/// Stands in the form that was sent: its button sends it again.
#[component]
pub fn PnmlError(
    error: RwSignal<Option<(ApiError, Option<Excerpt>)>>,
    busy: RwSignal<bool>,
) -> impl IntoView {
    move || {
        error.get().map(|(error, excerpt)| {
            let bad = matches!(error, ApiError::BadPnml { .. });
            view! {
                <div class="notice tone-bad" role="alert">
                    <p>{error.to_string()}</p>
                    {excerpt.map(|excerpt| view! { <ExcerptView excerpt/> })}
                </div>
                {bad
                    .then(|| {
                        view! {
                            <p class="field-note">
                                "It can be kept as it is: its build will say what is wrong, and it cannot be loaded. "
                                <button
                                    class="button"
                                    name="keep_broken"
                                    value="true"
                                    disabled=move || busy.get()
                                >
                                    "Keep it anyway"
                                </button>
                            </p>
                        }
                    })}
            }
        })
    }
}
