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
        view! { <th scope="col" class=class role="columnheader">{text}</th> }
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
