//! A table that becomes a list of cards on a narrow screen: each cell carries the heading of its column as `data-label`.

use leptos::prelude::*;

/// `children` are the rows' `<tbody>`s. A heading that starts with `#` is that of a column of figures.
#[component]
pub fn Table(
    #[prop(into)] label: String,
    headings: &'static [&'static str],
    children: Children,
) -> impl IntoView {
    let headings = headings.iter().map(|heading| {
        let (class, text) = match heading.strip_prefix('#') {
            Some(text) => ("figure", text),
            None => ("", *heading),
        };
        // A column of buttons has a name, too, for who does not see them.
        let name = text.is_empty().then(|| view! { <span class="visually-hidden">"Open"</span> });
        view! { <th scope="col" class=class role="columnheader">{name} {text}</th> }
    });
    view! {
        <table class="table" aria-label=label role="table">
            <thead role="rowgroup">
                <tr role="row">{headings.collect_view()}</tr>
            </thead>
            {children()}
        </table>
    }
    .into_any()
}
