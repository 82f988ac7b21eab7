//! The design kit in all its states, in debug builds: what a change of the style sheets is looked at with.

use crate::{
    app::components::{
        Ago, Clock, Confirm, ConfirmDialog, Copyable, Disclose, Field, Glyph, Icon, Matter, Menu, Meter,
        Part, Question, SecondStep, ShareBar, State, StateBadge, TimeOfDay, ToastHistory, ToastRegion,
        Toasts, Tone, format,
    },
    model::Timestamp,
};
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;

const TONES: [(Tone, &str); 5] = [
    (Tone::Good, "good"),
    (Tone::Busy, "busy"),
    (Tone::Quiet, "quiet"),
    (Tone::Warn, "warn"),
    (Tone::Bad, "bad"),
];

const LONG: &str = "a-name-of-eighty-characters-that-nobody-would-type-but-some-program-will-make-one-day";

#[component]
pub fn Kit() -> impl IntoView {
    let now = RwSignal::new(Timestamp(1_000_000_000_041));
    let (toasts, confirm) = (Toasts::new(now), Confirm::new());
    provide_context(Clock { now, utc_offset: RwSignal::new(None) });
    provide_context(toasts);
    provide_context(confirm);
    view! {
        <Title text="Design kit"/>
        <main class="main kit">
            <div class="page-head">
                <h1>"Design kit"</h1>
                <ToastHistory/>
            </div>
            <Shown title="States">
                {TONES
                    .map(|(tone, word)| {
                        let state = |glyph| State::new(glyph, tone, word);
                        view! { <div class="kit-row">
                            <StateBadge state=state(Glyph::Dot)/>
                            <StateBadge state=state(Glyph::Ring)/>
                            <StateBadge state=state(Glyph::Half)/>
                            <StateBadge state=state(Glyph::Square)/>
                            <StateBadge state=state(Glyph::Cross)/>
                            <StateBadge state=state(Glyph::Triangle)/>
                            <StateBadge state=state(Glyph::Target)/>
                        </div> }
                    })
                    .collect_view()}
            </Shown>
            <Shown title="Buttons">
                <div class="kit-row">
                    <button type="button" class="button">"Plain"</button>
                    <button type="button" class="button primary"><Icon name="plus"/>"Primary"</button>
                    <button type="button" class="button danger">"Danger"</button>
                    <button type="button" class="button quiet">"Quiet"</button>
                    <button type="button" class="link">"Link"</button>
                    <button type="button" class="button" disabled=true title="Why it is not permitted">"Disabled"</button>
                    <button type="button" class="button primary" disabled=true>"Primary, disabled"</button>
                    <Menu label="More actions">
                        <button type="button" class="menu-item">"First"</button>
                        <button type="button" class="menu-item danger">"Destroys"</button>
                    </Menu>
                    <SecondStep label="Delete" name="action" value="delete" loss="All of it will be gone.">
                        <button type="button" class="button danger">"Delete (asks by script)"</button>
                    </SecondStep>
                    <span class="in-flight">"Stopping 3 s"</span>
                </div>
            </Shown>
            <Shown title="Messages and notices">
                <div class="kit-row">
                    <button type="button" class="button" on:click=move |_| toasts.success("worker-1 is ready.")>"Success"</button>
                    <button type="button" class="button" on:click=move |_| toasts.warning("worker-1 has changed. Please review.")>"Warning"</button>
                    <button type="button" class="button" on:click=move |_| toasts.error("worker-1 could not be stopped.")>"Error"</button>
                    <button
                        type="button"
                        class="button"
                        on:click=move |_| toasts.about(Tone::Bad, format!("{LONG} is gone"), matter())
                    >
                        "Error that may recover"
                    </button>
                    <button
                        type="button"
                        class="button"
                        on:click=move |_| (1..6).for_each(|n| toasts.about(Tone::Bad, format!("worker-{n} is error: it does not answer"), about(n)))
                    >
                        "Errors of one kind"
                    </button>
                    <button type="button" class="button" on:click=move |_| toasts.settle(&matter(), "Since then: ready.")>"It recovers"</button>
                </div>
                {TONES
                    .map(|(tone, word)| view! { <p class=format!("notice tone-{}", tone.class())>{format!("A notice: {word}")}</p> })
                    .collect_view()}
                <p class="empty">"Nothing here yet. Create one, then it is here."</p>
            </Shown>
            <Shown title="Questions"><Questions confirm/></Shown>
            <Shown title="Fields"><Fields/></Shown>
            <Shown title="Figures">
                <div class="kit-row">
                    {[Some(0.0), Some(0.41), Some(0.93), None]
                        .map(|value| view! { <Meter value=Signal::stored(value) label="CPU"/> })
                        .collect_view()}
                    <span>{format::count(1_234_567)}</span>
                    <span>{format::bytes(612 << 20)}</span>
                    <span>{format::rate(12_400.0)}</span>
                    <Ago at=Timestamp(1_000_000_000_000 - 250_000)/>
                    <TimeOfDay at=Timestamp(1_000_000_000_041)/>
                </div>
                {[vec![1_200, 3, 40], vec![0, 0, 0], vec![10_000, 1, 0]].map(|counts| view! { <Whole counts/> }).collect_view()}
                <p>
                    <Copyable text="0198c0de-0000-7000-8000-000000000000" what="id"/>
                </p>
                <p class="cell-name">
                    {LONG} <span class="quiet-text cell-kind">"persistent"</span>
                </p>
                <p><kbd>"Ctrl K"</kbd> " " <kbd>"?"</kbd></p>
            </Shown>
        </main>
        <ConfirmDialog/>
        <ToastRegion/>
    }
    .into_any()
}

fn about(n: u32) -> Matter {
    let name = format!("worker-{n}");
    Matter { key: format!("kit-{n}"), href: "/kit".to_owned(), name, many: "workers in trouble" }
}

fn matter() -> Matter {
    about(0)
}

#[component]
fn Shown(title: &'static str, children: Children) -> impl IntoView {
    view! {
        <section class="panel kit-part" aria-label=title>
            <h2>{title}</h2>
            {children()}
        </section>
    }
    .into_any()
}

#[component]
fn Whole(counts: Vec<usize>) -> impl IntoView {
    let parts = [(Tone::Good, "ready"), (Tone::Bad, "in error"), (Tone::Quiet, "stopped")];
    let parts: Vec<Part> =
        parts.into_iter().zip(counts).map(|((tone, word), count)| Part { tone, count, word }).collect();
    view! {
        <div class="kit-narrow">
            <ShareBar parts=Signal::stored(parts)/>
        </div>
    }
}

#[component]
fn Questions(confirm: Confirm) -> impl IntoView {
    let question = || Question {
        title: format!("Destroy {LONG}?"),
        losses: vec!["These nets will be unloaded and their marking lost: a, b.".to_owned()],
        verb: "Destroy",
    };
    view! {
        <div class="kit-row">
            <button type="button" class="button" on:click=move |_| spawn_local(async move { _ = confirm.ask(question()).await; })>
                "A question"
            </button>
            <button
                type="button"
                class="button"
                on:click=move |_| {
                    spawn_local(async move {
                        _ = confirm.ask_live(|| Err("Cannot destroy it: it is pending.".to_owned())).await;
                    });
                }
            >
                "One that does not arise any more"
            </button>
        </div>
    }
    .into_any()
}

#[component]
fn Fields() -> impl IntoView {
    let (details, first) = (NodeRef::new(), NodeRef::new());
    let wrong = Some("It is taken. Choose another.".to_owned());
    view! {
        <Field id="kit-plain" label="Name" hint="Others see it.">
            <input id="kit-plain" aria-describedby="kit-plain-note"/>
        </Field>
        <Field id="kit-wrong" label="Name" error=Signal::stored(wrong)>
            <input id="kit-wrong" value="taken" aria-describedby="kit-wrong-note" aria-invalid="true"/>
        </Field>
        <Field id="kit-choice" label="Cluster">
            <select id="kit-choice" class="select" aria-describedby="kit-choice-note">
                <option>"Local"</option>
                <option disabled=true>"Far away (disconnected)"</option>
            </select>
        </Field>
        <label class="choice">
            <input type="checkbox" checked=true/>
            <span>"A choice " <span class="field-note">"with a note"</span></span>
        </label>
        <Disclose label="Create something" open=false details first>
            <div class="field">
                <label for="kit-inside">"Name"</label>
                <input id="kit-inside" node_ref=first/>
            </div>
        </Disclose>
    }
    .into_any()
}
