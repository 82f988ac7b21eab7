//! How a build stands, why it failed, and having it done anew.

use crate::{
    app::{
        build_actions::{BuildNet, build_net},
        components::{Ago, Glyph, State, StateBadge, Tone, format, use_toasts},
        excerpt::Excerpt,
        store::use_store,
    },
    model::{Build, BuildError, BuildId, BuildPhase, BuildStatus, Net, NetId, Role},
};
use leptos::{ev::SubmitEvent, form::FromFormData, prelude::*, task::spawn_local};
use server_fn::ServerFn;
use std::sync::Arc;

type Stage = Memo<Option<(BuildId, BuildStatus)>>;

/// A build's state, as it is shown.
pub fn build_state(status: Option<BuildStatus>, phase: Option<BuildPhase>) -> State {
    match status {
        None => State::new(Glyph::Ring, Tone::Quiet, "not built"),
        Some(BuildStatus::Queued) => State::new(Glyph::Ring, Tone::Quiet, "waiting to be built"),
        Some(BuildStatus::Running) => {
            let word = match phase {
                Some(phase) => format!("being built: {}", phase.word()),
                None => "being built".to_owned(),
            };
            State::new(Glyph::Half, Tone::Busy, word)
        }
        Some(BuildStatus::Succeeded) => State::new(Glyph::Check, Tone::Good, "built"),
        Some(BuildStatus::Failed) => State::new(Glyph::Cross, Tone::Bad, "failed"),
    }
}

/// How long a build took.
fn took_words(ms: u128) -> String {
    match ms {
        0..100 => ", took less than 0.1 s".to_owned(),
        ms => format!(", took {:.1} s", ms as f64 / 1e3),
    }
}

#[component]
pub fn BuildState(row: ArcRwSignal<Option<Arc<Build>>>, stage: Stage) -> impl IntoView {
    let build = Memo::new(move |_| row.get());
    let state = Memo::new(move |_| {
        let status = stage.get().map(|(_, status)| status);
        let phase = build.with(|build| build.as_ref().and_then(|build| build.phase));
        build_state(status, phase.filter(|_| status == Some(BuildStatus::Running)))
    });
    // Since when, and how long it took.
    let times = Memo::new(move |_| {
        build.with(|build| {
            let build = build.as_ref()?;
            Some((build.status, build.queued_at, build.started_at, build.finished_at, build.attempts))
        })
    });
    view! {
        <p class="build-state" data-build=move || stage.get().map(|(_, status)| status.word())>
            <StateBadge state/>
            {move || {
                let (status, queued, started, finished, attempts) = times.get()?;
                let since = match status {
                    BuildStatus::Queued => queued,
                    BuildStatus::Running => started?,
                    BuildStatus::Succeeded | BuildStatus::Failed => finished?,
                };
                let ago = if status.is_over() { " ago" } else { "" };
                let took = started.zip(finished).map(|(started, finished)| finished.since(started).as_millis());
                let took = took.filter(|_| status.is_over());
                Some(
                    view! {
                        <span class="quiet-text">
                            <Ago at=since/>
                            {ago}
                            {took.map(took_words)}
                            {(attempts > 1).then(|| format!(", begun {attempts} times: the console ended meanwhile"))}
                        </span>
                    },
                )
            }}
        </p>
    }
    .into_any()
}

/// Only the newest version is built anew, and only one that is not being built.
#[component]
pub fn BuildAnew(id: NetId, version: u32, net: ArcRwSignal<Arc<Net>>, stage: Stage) -> impl IntoView {
    let (store, toasts) = (use_store(), use_toasts());
    let busy = RwSignal::new(false);
    let revision = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.revision)
    });
    let may = Memo::new(move |_| {
        let over = stage.get().is_none_or(|(_, status)| status.is_over());
        net.with(|net| over && net.newest().number == version && store.may_in(net.project_id, Role::Operator))
    });
    let on_submit = move |event: SubmitEvent| {
        let Ok(ask) = BuildNet::from_event(&event) else { return };
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            match build_net(ask.id, ask.key).await {
                Ok(done) => toasts.announce(done.message),
                Err(error) => toasts.error(error.to_string()),
            }
            _ = busy.try_set(false);
        });
    };
    move || {
        may.get().then(|| {
            view! {
                <form class="actions" method="post" action=BuildNet::url() on:submit=on_submit>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <input
                        type="hidden"
                        name="key"
                        value=move || format!("{}-{id}-{}", store.form_key.get(), revision.get())
                    />
                    <button class="button" disabled=move || busy.get()>
                        {if stage.get_untracked().is_some() { "Build anew" } else { "Build" }}
                    </button>
                </form>
            }
        })
    }
}

/// Why it failed, and where in the file.
#[component]
pub fn Failure(error: BuildError, excerpt: Option<Excerpt>) -> impl IntoView {
    let at = error.at.map(|(line, column)| {
        format!("Line {}, column {}. ", format::count(line.into()), format::count(column.into()))
    });
    view! {
        <div class="notice tone-bad build-failure">
            <p>{at} {error.text}</p>
            {excerpt.map(|excerpt| view! { <ExcerptView excerpt/> })}
        </div>
    }
    .into_any()
}

/// The line that is wrong, with its neighbours.
#[component]
pub fn ExcerptView(excerpt: Excerpt) -> impl IntoView {
    let Excerpt { line, previous, before, at, after, next } = excerpt;
    let around = |number: u32, text: String| {
        view! { <span class="excerpt-line"><span class="excerpt-number">{number}</span> {text} "\n"</span> }
    };
    // An end of line is a place too.
    let at = if at.is_empty() { "⏎".to_owned() } else { at };
    view! {
        <pre class="excerpt mono" tabindex="0" aria-label=format!("The file around line {line}")>
            {previous.map(|text| around(line.saturating_sub(1), text))}
            <span class="excerpt-line wrong">
                <span class="excerpt-number">{line}</span>
                {before}
                <mark>{at}</mark>
                {after}
                "\n"
            </span>
            {next.map(|text| around(line + 1, text))}
        </pre>
    }
    .into_any()
}
