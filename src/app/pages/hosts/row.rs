//! A host in the list: one component, a table row or a card as the list is shown.

use super::super::parts::{
    HostButtons,
    host::{
        CommandNow, Compartments, FigureBar, HostFigures, LastSeen, PresenceBadge, cpu, cpu_words,
        load_words, ram, ram_words,
    },
    host_states::hue_class,
};
use crate::{
    app::{
        components::list::{List, PickBox, RowPlace},
        live::glow::glow,
        store::use_store,
    },
    model::{Agent, HostId, host::short},
};
use leptos::prelude::*;
use leptos_router::components::A;

#[component]
pub fn HostRow(list: List<HostId>, place: RowPlace<HostId>) -> impl IntoView {
    let store = use_store();
    let RowPlace { key: id, index } = place;
    let host = store.host_row(id)?;
    let name = host.with_untracked(|host| host.name.to_string());
    let shown_name = name.clone();
    let glows = glow(host.clone());
    let picked = Memo::new(move |_| list.picked.with(|picked| picked.contains(&id)));
    let hue = {
        let host = host.clone();
        Memo::new(move |_| host.with(|host| hue_class(host.theme_color)))
    };
    let kind = {
        let host = host.clone();
        Memo::new(move |_| host.with(|host| host.host_type.clone()))
    };
    let online = {
        let host = host.clone();
        Memo::new(move |_| host.with(|host| host.online))
    };
    let figures = HostFigures::of(store, id);
    Some(
        view! {
        <tbody
            class=move || format!("entry host {}", hue.get())
            class:glow=move || glows.get()
            class:picked=move || picked.get()
            class:away=move || !online.get()
            role="rowgroup"
            data-key=id.to_string()
            data-host=name.clone()
        >
            <tr role="row" tabindex="-1" aria-rowindex=move || index.get().to_string()>
                {store.may_act().then(|| view! { <td class="cell-pick" role="cell"><PickBox list key=id name=name.clone()/></td> })}
                <th class="cell-name" scope="row" role="rowheader">
                    <A href=format!("/hosts/{id}")>{shown_name}</A>
                    <span class="quiet-text cell-kind">{move || kind.get()}</span>
                </th>
                <td class="cell-presence" role="cell" data-label="Status">
                    <PresenceBadge host=host.clone()/>
                </td>
                <td class="figure cell-seen" role="cell" data-label="Seen">
                    <LastSeen host=host.clone()/>
                </td>
                <td class="cell-compartments" role="cell" data-label="State">
                    <Compartments host=host.clone()/>
                </td>
                <td class="cell-command" role="cell" data-label="Command">
                    <CommandNow host=host.clone()/>
                </td>
                <td class="cell-hostcpu" role="cell" data-label="CPU">
                    <FigureBar figures label="CPU" of=cpu words=cpu_words/>
                </td>
                <td class="cell-ram" role="cell" data-label="Memory">
                    <FigureBar figures label="Memory" of=ram words=ram_words/>
                </td>
                <td class="figure cell-load" role="cell" data-label="Load" title=move || figures.last(load_words)>
                    {move || figures.text(load_words)}
                </td>
                <td class="cell-generation" role="cell" data-label="Generation">
                    <Generation host=host.clone()/>
                </td>
                <td class="cell-agent" role="cell" data-label="Agent">
                    <AgentVersion host=host.clone()/>
                </td>
                <td class="cell-actions" role="cell">
                    <HostButtons host/>
                </td>
            </tr>
        </tbody>
        }
        .into_any(),
    )
}

#[component]
fn Generation(host: super::super::parts::host::HostRowSignal) -> impl IntoView {
    let generation = Memo::new(move |_| host.with(|host| host.generation.clone()));
    move || match generation.get() {
        Some(text) => {
            let shown = short(&text).to_owned();
            view! { <span class="mono" title=text>{shown}</span> }.into_any()
        }
        None => "—".into_any(),
    }
}

/// An outdated agent is marked by a sign and a word, not by colour alone.
#[component]
pub fn AgentVersion(host: super::super::parts::host::HostRowSignal) -> impl IntoView {
    let agent = Memo::new(move |_| host.with(|host| host.agent.clone()));
    move || {
        match agent.get() {
        Some(Agent { version, outdated: true, .. }) => view! {
            <span class="agent outdated" title="This agent is of another version than the console">
                {version}
                <svg class="glyph" viewBox="0 0 12 12" aria-hidden="true" focusable="false"><use href="#g-triangle"></use></svg>
                <span class="visually-hidden">" outdated"</span>
            </span>
        }
        .into_any(),
        Some(Agent { version, .. }) => view! { <span class="agent">{version}</span> }.into_any(),
        None => "—".into_any(),
    }
    }
}
