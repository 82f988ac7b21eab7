//! What can be done with a host: the commands that it offers, a refresh, and for administrators its token and its end.

use super::{host::HostRowSignal, wire};
use crate::{
    app::{
        components::{Icon, Menu},
        guard::use_host_desk,
        host_actions::{ActOnHost, RunCommand},
        store::use_store,
    },
    model::{
        CommandKind, Host, HostAction,
        lifecycle::{Verb, host_action, run_on_host},
    },
};
use leptos::{ev::SubmitEvent, form::FromFormData, prelude::*, task::spawn_local};
use server_fn::ServerFn;

/// The commands that are buttons where a host offers them.
const FIRST: [&str; 3] = ["pull", "switch", "test"];

/// The commands that may be run on a host now: those that are buttons, and the others.
fn offered(host: &Host) -> (Vec<CommandKind>, Vec<CommandKind>) {
    let may = |kind: &CommandKind| run_on_host(host, kind).is_ok();
    let kinds = host.commands.iter().map(|offer| offer.kind.clone()).filter(may);
    let (mut first, mut rest): (Vec<_>, Vec<_>) = kinds.partition(|kind| FIRST.contains(&kind.as_str()));
    first.sort_by_key(|kind| FIRST.iter().position(|name| *name == kind.as_str()));
    if first.is_empty() {
        first = rest.drain(..rest.len().min(FIRST.len())).collect();
    }
    (first, rest)
}

/// With a capital letter, as buttons are written.
pub fn kind_label(kind: &CommandKind) -> String {
    crate::model::lifecycle::initial(kind.as_str())
}

/// Two forms, one for commands and one for the host itself, so that all of it works without JavaScript; the buttons name theirs.
#[component]
pub fn HostButtons(
    host: HostRowSignal,
    /// Every command is a button.
    #[prop(optional)]
    all: bool,
) -> impl IntoView {
    let (store, desk) = (use_store(), use_host_desk());
    let (busy, refreshing) = (RwSignal::new(false), RwSignal::new(false));
    let first = host.get_untracked();
    let (id, name) = (first.id, first.name.to_string());
    let may_act = store.may_act();
    let kinds = Memo::new({
        let host = host.clone();
        move |_| if may_act { host.with(|host| offered(host)) } else { Default::default() }
    });
    let acts = Memo::new({
        let host = host.clone();
        move |_| {
            let may = |action: &HostAction| {
                let role = if *action == HostAction::Refresh { may_act } else { store.may_administer() };
                role && host.with(|host| host_action(host, *action).is_ok())
            };
            HostAction::ALL.iter().copied().filter(may).collect::<Vec<_>>()
        }
    });
    let revision = Memo::new(move |_| host.with(|host| host.state_revision));
    let on_run = move |event: SubmitEvent| {
        let Ok(ask) = RunCommand::from_event(&event) else { return };
        event.prevent_default();
        if !busy.get_untracked() {
            busy.set(true);
            spawn_local(async move {
                desk.run(id, ask.kind).await;
                _ = busy.try_set(false);
            });
        }
    };
    let on_act = move |event: SubmitEvent| {
        let Ok(ask) = ActOnHost::from_event(&event) else { return };
        event.prevent_default();
        let mark = if ask.action == HostAction::Refresh { refreshing } else { busy };
        if !mark.get_untracked() {
            mark.set(true);
            spawn_local(async move {
                desk.host(ask).await;
                _ = mark.try_set(false);
            });
        }
    };
    let (run_form, act_form) = (format!("run-{id}"), format!("act-{id}"));
    let key = move || format!("{}-{id}-{}", store.form_key.get(), revision.get());
    let (run_id, act_id) = (run_form.clone(), act_form.clone());
    let run = {
        let name = name.clone();
        move |kind: CommandKind, class: &'static str| {
            let label = kind_label(&kind);
            view! {
                <button
                    class=class
                    form=run_form.clone()
                    name="kind"
                    value=kind.to_string()
                    aria-label=format!("{label} {name}")
                    title=format!("Run {kind} on {name}")
                    disabled=move || busy.get()
                >
                    {label.clone()}
                </button>
            }
            .into_any()
        }
    };
    let refresh = {
        let (act_form, name) = (act_form.clone(), name.clone());
        move || {
            view! {
                <button
                    class="button quiet refresh"
                    class:spinning=move || refreshing.get()
                    form=act_form.clone()
                    name="action"
                    value=wire(HostAction::Refresh)
                    aria-label=format!("Refresh {name}")
                    aria-busy=move || refreshing.get().to_string()
                    title="Ask for a fresh report"
                >
                    <Icon name="refresh"/>
                </button>
            }
        }
    };
    view! {
        <div class="actions host-actions" aria-busy=move || busy.get().to_string()>
            <form id=run_id method="post" action=RunCommand::url() on:submit=on_run>
                <input type="hidden" name="ids" value=id.to_string()/>
                <input type="hidden" name="state_revision" value=move || revision.get().to_string()/>
                <input type="hidden" name="key" value=key/>
            </form>
            <form id=act_id method="post" action=ActOnHost::url() on:submit=on_act>
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="state_revision" value=move || revision.get().to_string()/>
                <input type="hidden" name="key" value=key/>
            </form>
            {move || {
                let (mut buttons, mut rest) = kinds.get();
                if all {
                    buttons.append(&mut rest);
                }
                let acts = acts.get();
                let deeds: Vec<HostAction> = acts.iter().copied().filter(|action| *action != HostAction::Refresh).collect();
                let menu = (!rest.is_empty() || !deeds.is_empty())
                    .then(|| {
                        let rest = rest.into_iter().map(|kind| run(kind, "menu-item")).collect_view();
                        let deeds = deeds.into_iter().map(|action| view! { <Deed action form=act_form.clone() busy/> }).collect_view();
                        view! { <Menu label=format!("More actions on {name}")>{rest} {deeds}</Menu> }
                    });
                view! {
                    {buttons.into_iter().map(|kind| run(kind, "button")).collect_view()}
                    {acts.contains(&HostAction::Refresh).then(&refresh)}
                    {menu}
                }
            }}
        </div>
    }
    .into_any()
}

/// What is done to a host by an administrator. A new token is told once, which takes a script.
#[component]
fn Deed(action: HostAction, form: String, busy: RwSignal<bool>) -> impl IntoView {
    let loss = match action {
        HostAction::RevokeToken => Some("Its agent is cut off at once."),
        HostAction::Delete => Some("Its record, its token and its history will be gone."),
        HostAction::IssueToken | HostAction::Refresh => None,
    };
    let button = {
        let form = form.clone();
        move || {
            view! {
                <button
                    class="menu-item"
                    class:danger=loss.is_some()
                    class:needs-script=loss.is_none()
                    form=form
                    name="action"
                    value=wire(action)
                    disabled=move || busy.get()
                >
                    {action.label()}
                    "…"
                </button>
            }
        }
    };
    match loss {
        // The second step's own button has to name the form, too: it stands outside of it.
        Some(loss) => view! {
            <span class="needs-script second-step">{button()}</span>
            <details class="without-script second-step">
                <summary class="button danger">{format!("{}…", action.label())}</summary>
                <p>{loss}</p>
                <button class="button danger" form=form name="action" value=wire(action)>
                    {format!("{} now", action.label())}
                </button>
            </details>
        }
        .into_any(),
        None => button().into_any(),
    }
}
