//! One host: its state, its commands, what happened.

use super::{
    super::{
        events::Timeline,
        not_found::GoneRow,
        parts::{
            HostButtons,
            host::{
                CommandNow, FigureBar, HostFigures, HostRowSignal, LastSeen, PresenceBadge, cpu, cpu_words,
                ram, ram_words, share,
            },
            host_states::{compartment_state, hue_class},
        },
    },
    add::TokenDialog,
    history::CommandHistory,
    row::AgentVersion,
};
use crate::{
    app::{
        components::{Ago, Copyable, StateBadge, format, use_clock},
        frame::freshness::FreshnessLine,
        store::use_store,
    },
    model::{CompartmentKind, EntityRef, Host, HostId, HostMetrics, time::age},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_params_map};
use std::time::Duration;

#[component]
pub fn HostPage() -> impl IntoView {
    let store = use_store();
    let params = use_params_map();
    let id =
        Memo::new(move |_| params.with(|params| params.get("id")).and_then(|id| id.parse::<HostId>().ok()));
    let here = Memo::new(move |_| id.get().filter(|id| store.host(*id).is_some()));
    move || match here.get() {
        Some(id) => view! { <Detail id/> }.into_any(),
        None => view! { <GoneRow what="host" list="/hosts" list_name="hosts"/> }.into_any(),
    }
}

fn disk(figures: &HostMetrics) -> f64 {
    share(figures.disk_used, figures.disk_total)
}

fn disk_words(figures: &HostMetrics) -> String {
    format!("{} of {}", format::bytes(figures.disk_used), format::bytes(figures.disk_total))
}

fn load_words(figures: &HostMetrics) -> String {
    let [one, five, fifteen] = figures.load;
    format!("{one:.2} · {five:.2} · {fifteen:.2}")
}

fn uptime_words(figures: &HostMetrics) -> String {
    let up = age(Duration::from_secs(figures.uptime_s));
    if figures.reboot_needed { format!("{up}, needs a reboot") } else { up }
}

#[component]
fn Detail(id: HostId) -> impl IntoView {
    let store = use_store();
    let host = store.host_row(id)?;
    let first = host.get_untracked();
    let row = Memo::new({
        let host = host.clone();
        move |_| host.get()
    });
    let figures = HostFigures::of(store, id);
    let since = Signal::derive(move || row.with(|row| row.online_since));
    let hue = move || format!("host-swatch {}", row.with(|row| hue_class(row.theme_color)));
    let fact = move |of: fn(&Host) -> Option<String>| {
        move || row.with(|row| of(row).unwrap_or_else(|| "—".to_owned()))
    };
    let hash = move |of: fn(&Host) -> Option<String>, what: &'static str| {
        let value = Memo::new(move |_| row.with(|row| of(row)));
        move || match value.get() {
            Some(text) => view! { <Copyable text what/> }.into_any(),
            None => "—".into_any(),
        }
    };
    Some(
        view! {
        <Title text=first.name.to_string()/>
        <p class="trail">
            <A href="/hosts">"Hosts"</A>
        </p>
        <div class="page-head" data-host=first.name.to_string()>
            <span class=hue aria-hidden="true"></span>
            <h1>{first.name.to_string()}</h1>
            <PresenceBadge host=host.clone()/>
            <HostButtons host=host.clone() all=true/>
        </div>
        <p class="page-said">
            {move || if row.with(|row| row.online) { "Connected for " } else { "Not connected for " }}
            <Ago at=since/>
            ", last heard "
            <LastSeen host=host.clone()/>
            {move || if row.with(|row| row.last_seen.is_some() || row.online) { " ago" } else { "" }}
        </p>
        <div class="columns">
            <div class="stack">
                <section class="panel" aria-labelledby="host-state">
                    <h2 id="host-state">"State"</h2>
                    <ul class="lines">
                        {CompartmentKind::ALL.map(|kind| view! { <CompartmentLine host=host.clone() kind/> }).collect_view()}
                    </ul>
                </section>
                <CommandHistory id/>
            </div>
            <section class="panel" aria-labelledby="host-about">
                <h2 id="host-about">"Details"</h2>
                <dl class="facts">
                    <dt>"Command"</dt>
                    <dd><CommandNow host=host.clone()/></dd>
                    <dt>"CPU"</dt>
                    <dd><FigureBar figures label="CPU" of=cpu words=cpu_words/></dd>
                    <dt>"Memory"</dt>
                    <dd><FigureBar figures label="Memory" of=ram words=ram_words/> " " <span class="quiet-text">{move || figures.text(ram_words)}</span></dd>
                    <dt>"Disk"</dt>
                    <dd><FigureBar figures label="Disk" of=disk words=disk_words/> " " <span class="quiet-text">{move || figures.text(disk_words)}</span></dd>
                    <dt>"Load"</dt>
                    <dd class="figure-left" title="Averages over 1, 5 and 15 minutes">{move || figures.text(load_words)}</dd>
                    <dt>"Up for"</dt>
                    <dd class="figure-left">{move || figures.text(uptime_words)}</dd>
                    <dt>"Hostname"</dt>
                    <dd>{fact(|host| host.hostname.clone())}</dd>
                    <dt>"Type"</dt>
                    <dd>{fact(|host| host.host_type.clone())}</dd>
                    <dt>"System"</dt>
                    <dd>{fact(|host| host.os.clone())}</dd>
                    <dt>"Generation"</dt>
                    <dd>{hash(|host| host.generation.clone(), "generation")}</dd>
                    <dt>"Commit"</dt>
                    <dd>{hash(|host| host.git_head.clone(), "commit")}</dd>
                    <dt>"Lock file"</dt>
                    <dd>{hash(|host| host.lock_hash.clone(), "hash")}</dd>
                    <dt>"Agent"</dt>
                    <dd><AgentVersion host=host.clone()/></dd>
                    <dt>"Offers"</dt>
                    <dd>
                        {fact(|host| {
                            let kinds: Vec<String> = host.commands.iter().map(|offer| {
                                format!("{} ({} at most)", offer.kind, age(Duration::from_secs(offer.timeout_s)))
                            }).collect();
                            (!kinds.is_empty()).then(|| kinds.join(", "))
                        })}
                    </dd>
                    <dt>"Id"</dt>
                    <dd><Copyable text=id.to_string() what="id"/></dd>
                    <dt>"Added"</dt>
                    <dd><Ago at=first.created_at/> " ago"</dd>
                </dl>
            </section>
        </div>
        <div class="below">
            <Timeline resource=EntityRef::Host(id) id="host-events"/>
        </div>
        <TokenDialog/>
        <FreshnessLine/>
        }
        .into_any(),
    )
}

#[component]
fn CompartmentLine(host: HostRowSignal, kind: CompartmentKind) -> impl IntoView {
    let (store, clock) = (use_store(), use_clock());
    let compartment = Memo::new(move |_| host.with(|host| host.compartments.get(kind).clone()));
    let state = Memo::new(move |_| compartment_state(&compartment.get(), clock.now.get()));
    let checked = Memo::new(move |_| compartment.with(|compartment| compartment.checked_at));
    let pull_request = Memo::new(move |_| {
        (kind == CompartmentKind::Lock)
            .then(|| store.pull_requests.with(|all| all.first().cloned()))
            .flatten()
    });
    view! {
        <li class="line" data-compartment=kind.as_str()>
            <span class="line-name compartment-name">{kind.label()}</span>
            <StateBadge state/>
            <span class="compartment-message">{move || compartment.with(|compartment| compartment.message.clone())}</span>
            <span class="quiet-text">
                {move || match checked.get() {
                    Some(at) => view! { "checked " <Ago at/> " ago" }.into_any(),
                    None => "never checked".into_any(),
                }}
            </span>
            {move || {
                pull_request.get().map(|one| {
                    view! {
                        <span class="line-error">
                            "Waiting: "
                            <a href=one.url.clone() target="_blank" rel="noreferrer">{format!("#{} {}", one.number, one.title)}</a>
                        </span>
                    }
                })
            }}
        </li>
    }
    .into_any()
}
