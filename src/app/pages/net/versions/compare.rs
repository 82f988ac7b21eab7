//! A version beside another one: drawn, and as a list.

use super::{super::tabs::Tab, drawing::DiffDrawingView};
use crate::{
    app::{
        build_actions::{Compared, Other, compare_versions},
        components::format,
        store::use_store,
    },
    model::NetId,
    petri::diff::{Counts, Difference, Mark, NetDiff, Nodes},
};
use leptos::{ev::SubmitEvent, html, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};

/// Differences shown at first.
const SHOWN: usize = 50;

#[component]
pub fn Comparison(
    id: NetId,
    version: u32,
    /// What it is compared with, if that was chosen.
    with: Memo<Option<u32>>,
) -> impl IntoView {
    let compared = Resource::new(move || with.get(), move |with| compare_versions(id, version, with));
    // It opens below the list: on a phone that is out of sight.
    #[cfg(feature = "browser")]
    Effect::new(move |_| {
        with.track();
        crate::app::live::viewport::once_shown(|| crate::app::live::page::reveal("compare-title"));
    });
    let title = move || match with.get() {
        None => format!("What version {version} changed"),
        Some(with) => format!("From version {with} to version {version}"),
    };
    view! {
        <section class="panel comparison" aria-labelledby="compare-title">
            <div class="panel-head">
                <h2 id="compare-title">{title}</h2>
                <a class="button" href=Tab::Versions.of(id) data-noscroll="">
                    "Close"
                </a>
            </div>
            <Transition fallback=|| view! { <p class="quiet-text">"Comparing…"</p> }>
                {move || Suspend::new(async move {
                    match compared.await {
                        Ok(compared) => view! { <Found id compared chosen=with.get_untracked().is_some()/> }.into_any(),
                        Err(error) => view! { <p class="notice tone-bad" role="alert">{error.to_string()}</p> }.into_any(),
                    }
                })}
            </Transition>
        </section>
    }
    .into_any()
}

#[component]
fn Found(
    id: NetId,
    compared: Compared,
    /// Whether somebody chose what it is compared with.
    chosen: bool,
) -> impl IntoView {
    let Compared { before, after, others, same, diff } = compared;
    let skipped = if chosen { None } else { passed_over(&others, before, after) };
    let found = match diff {
        Err(why) => view! { <p class="notice tone-bad">{why}</p> }.into_any(),
        Ok(diff) if diff.nodes.are_of_two_nets() => view! {
            <p>{in_common(diff.nodes, before, after)}</p>
            <p>{counted(diff.counts, before, after)}</p>
        }
        .into_any(),
        Ok(_) if same => view! { <p>{format!("Versions {before} and {after} are the same file.")}</p> }.into_any(),
        Ok(diff) if diff.found() == 0 => view! {
            <p>{format!("Nothing that runs: versions {before} and {after} differ in what is drawn or written only.")}</p>
        }
        .into_any(),
        Ok(diff) => view! { <Both diff before after/> }.into_any(),
    };
    view! {
        <Choice id before after others/>
        {skipped.map(|said| view! { <p class="quiet-text">{said}</p> })}
        {found}
    }
    .into_any()
}

/// What it is compared with. A form, so that it works without JavaScript, too.
#[component]
fn Choice(id: NetId, before: u32, after: u32, others: Vec<Other>) -> impl IntoView {
    let (store, navigate) = (use_store(), use_navigate());
    let chosen = NodeRef::<html::Select>::new();
    let options = others.into_iter().map(|Other { number, readable }| {
        let unread = if readable { "" } else { " (cannot be read)" };
        view! {
            <option value=number.to_string() selected=number == before disabled=!readable>
                {format!("Version {number}{unread}")}
            </option>
        }
    });
    let on_submit = move |event: SubmitEvent| {
        let Some(with) = chosen.get_untracked().map(|select| select.value()) else { return };
        event.prevent_default();
        let path = format!("{}&compare={after}&with={with}", Tab::Versions.of(id));
        let path = store.within.get_untracked().carry(&path);
        navigate(&path, NavigateOptions { scroll: false, ..NavigateOptions::default() });
    };
    view! {
        <form class="actions comparison-choice" method="get" action=format!("/nets/{id}") on:submit=on_submit>
            <input type="hidden" name="tab" value="versions"/>
            <input type="hidden" name="compare" value=after.to_string()/>
            <label for="compare-with">"Compared with"</label>
            <select id="compare-with" name="with" class="select" node_ref=chosen>
                {options.collect_view()}
            </select>
            <button class="button">"Compare"</button>
        </form>
    }
    .into_any()
}

/// A word on the versions between the two that cannot be read.
fn passed_over(others: &[Other], before: u32, after: u32) -> Option<String> {
    let between = before.min(after)..=before.max(after);
    let broken = others.iter().rev().filter(|other| !other.readable && between.contains(&other.number));
    let broken: Vec<String> = broken.map(|other| other.number.to_string()).collect();
    match broken.as_slice() {
        [] => None,
        [one] if *one == before.to_string() => None,
        [one] => Some(format!("Version {one} between them cannot be read and is passed over.")),
        [more @ .., last] => Some(format!(
            "Versions {} and {last} between them cannot be read and are passed over.",
            more.join(", ")
        )),
    }
}

/// What is said of two versions that have next to nothing in common.
fn in_common(nodes: Nodes, before: u32, after: u32) -> String {
    let Nodes { before: old, after: new, common } = nodes;
    let (old, new) = (format::count(old as u64), format::count(new as u64));
    match common {
        0 => format!(
            "Versions {before} and {after} have nothing in common: none of the {new} places and transitions of version {after} has the id of one of the {old} of version {before}."
        ),
        common => format!(
            "Versions {before} and {after} have next to nothing in common: by their ids, version {before} with its {old} has {} of the {new} places and transitions of version {after}.",
            format::count(common as u64)
        ),
    }
}

fn counted(counts: Counts, before: u32, after: u32) -> String {
    let Counts { added, removed, changed } = counts;
    let said = [(Mark::Added, added), (Mark::Removed, removed), (Mark::Changed, changed)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(mark, count)| format!("{} {}", format::count(count as u64), mark.word()));
    format!(
        "Places, transitions and arcs from version {before} to {after}: {}.",
        said.collect::<Vec<_>>().join(", ")
    )
}

#[component]
fn Both(diff: NetDiff, before: u32, after: u32) -> impl IntoView {
    let found = diff.found();
    let NetDiff { differences, counts, drawing, .. } = diff;
    let said = counted(counts, before, after);
    let listed = differences.len();
    let shown = RwSignal::new(SHOWN);
    let differences = StoredValue::new(differences);
    let said = if found > listed {
        format!("{said} The first {} are listed.", format::count(listed as u64))
    } else {
        said
    };
    let line = move |n: usize| {
        differences.with_value(|all| all.get(n).cloned()).map(|difference| view! { <Line difference/> })
    };
    let partial = drawing.as_ref().is_some_and(|drawing| drawing.partial);
    view! {
        <p>{said}</p>
        {match drawing {
            Some(drawing) => view! { <DiffDrawingView drawing/> }.into_any(),
            None => view! { <p class="quiet-text">"Too much changed to be drawn."</p> }.into_any(),
        }}
        {partial
            .then(|| view! { <p class="quiet-text">"Of a net this large, what changed is drawn and what it is joined to."</p> })}
        <ul class="differences" aria-label="Differences">
            <For each=move || 0..shown.get().min(listed) key=|n| *n children=line/>
        </ul>
        {move || {
            (shown.get() < listed)
                .then(|| {
                    view! {
                        <button type="button" class="link needs-script" on:click=move |_| shown.set(listed)>
                            {format!("Show all {}", format::count(listed as u64))}
                        </button>
                    }
                })
        }}
    }
    .into_any()
}

/// The sign, the colour and the word of a mark: any of them tells it.
pub fn sign(mark: Mark) -> (&'static str, &'static str) {
    match mark {
        Mark::Same => ("", "quiet"),
        Mark::Added => ("+", "good"),
        Mark::Removed => ("−", "bad"),
        Mark::Changed => ("≠", "warn"),
    }
}

#[component]
fn Line(difference: Difference) -> impl IntoView {
    let mark = difference.mark();
    let (sign, tone) = sign(mark);
    view! {
        <li class="difference">
            <span class=format!("state tone-{tone}")>
                <span class="difference-sign" aria-hidden="true">{sign}</span>
                <span class="state-word">{mark.word()}</span>
            </span>
            <span>{difference.words()}</span>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_between_that_cannot_be_read_are_told() {
        let other = |number, readable| Other { number, readable };
        let others = [other(5, false), other(3, false), other(2, false), other(1, true)];
        assert_eq!(
            passed_over(&others, 1, 4).as_deref(),
            Some("Versions 2 and 3 between them cannot be read and are passed over.")
        );
        assert_eq!(
            passed_over(&others[..2], 1, 4).as_deref(),
            Some("Version 3 between them cannot be read and is passed over.")
        );
        assert_eq!(passed_over(&others, 1, 1), None);
    }

    #[test]
    fn what_two_nets_have_in_common_is_told_in_words() {
        let said = in_common(Nodes { before: 31, after: 21, common: 0 }, 1, 2);
        assert!(said.starts_with("Versions 1 and 2 have nothing in common: none of the 21 "), "{said}");
        let said = in_common(Nodes { before: 31, after: 2_100, common: 1 }, 1, 2);
        assert!(
            said.contains(
                "version 1 with its 31 has 1 of the 2\u{202f}100 places and transitions of version 2"
            ),
            "{said}"
        );
        assert_eq!(
            counted(Counts { added: 20, removed: 3_000, changed: 0 }, 1, 2),
            "Places, transitions and arcs from version 1 to 2: 20 added, 3\u{202f}000 removed."
        );
    }
}
