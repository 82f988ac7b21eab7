//! Where a PNML file comes in: chosen or pasted.

use leptos::{html, prelude::*};

#[component]
pub fn PnmlFields(
    /// What the ids of the fields begin with.
    prefix: &'static str,
    chosen: NodeRef<html::Input>,
    text: NodeRef<html::Textarea>,
    /// Several files may be chosen. That needs the script: without it the form has room for one.
    #[prop(optional)]
    several: bool,
) -> impl IntoView {
    let id = move |what: &str| format!("{prefix}-{what}");
    view! {
        <div class="field">
            <label for=id("file")>"PNML file"</label>
            <input
                id=id("file")
                name="file"
                type="file"
                node_ref=chosen
                prop:multiple=several
                accept=".pnml,.xml,application/xml,text/xml"
                aria-describedby=if several { id("file-note") } else { id("error") }
            />
            {several.then(|| view! {
                <p class="field-note needs-script" id=id("file-note")>
                    "Several at once, too; or drop files anywhere on this page, or paste them."
                </p>
            })}
        </div>
        <div class="field">
            <label for=id("text")>"or paste it"</label>
            <textarea
                id=id("text")
                class="input mono"
                name="text"
                rows="5"
                spellcheck="false"
                node_ref=text
                aria-describedby=id("error")
            ></textarea>
        </div>
    }
    .into_any()
}
