//! Starting a pipeline over chosen hosts, by itself or after merging a pull request.

use super::super::bulk::fetch;
use crate::{
    app::{
        components::{format::counted, use_toasts},
        error::ApiError,
        host_actions::{merge_pull_request, read_plan, read_stages, start_pipeline, title_of},
        store::use_store,
    },
    model::{CommandKind, Done, Host, HostId, PullRequest, host::short, lifecycle::run_on_host},
};
use leptos::{ev, html, prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;
use std::{collections::HashMap, sync::Arc};

/// Hosts that are named; the others are counted.
const NAMED: usize = 12;
/// What is run where nothing else was chosen.
const USUAL: &str = "pull switch";

/// What is asked: over which hosts, and what is merged first.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    hosts: Vec<HostId>,
    merge: Option<Arc<PullRequest>>,
}

/// The one of a page.
#[derive(Clone, Copy)]
pub struct PipelineAsk(RwSignal<Option<Asked>>);

impl PipelineAsk {
    pub fn new() -> PipelineAsk {
        PipelineAsk(RwSignal::new(None))
    }

    /// Asks what to run over `hosts`. None chosen asks nothing.
    pub fn open(self, hosts: Vec<HostId>, merge: Option<Arc<PullRequest>>) {
        if !hosts.is_empty() {
            self.0.set(Some(Asked { hosts, merge }));
        }
    }
}

/// Hosts that all stages may be run on, and the others with what stands in the way.
type Verdict = (Vec<HostId>, Vec<(String, String)>);

fn verdict<'a>(
    hosts: &[HostId],
    stages: &[CommandKind],
    row: impl Fn(HostId) -> Option<Arc<Host>> + 'a,
) -> Verdict {
    let (mut may, mut may_not) = (Vec::new(), Vec::new());
    for id in hosts {
        let Some(host) = row(*id) else {
            may_not.push((id.to_string(), "The host no longer exists.".to_owned()));
            continue;
        };
        match stages.iter().find_map(|kind| run_on_host(&host, kind).err()) {
            None => may.push(*id),
            Some(refusal) => may_not.push((host.name.to_string(), refusal.to_string())),
        }
    }
    (may, may_not)
}

/// What stands in the field at first: the usual stages, without those that none of the hosts offers.
fn usual_stages(hosts: &[HostId], row: impl Fn(HostId) -> Option<Arc<Host>>) -> String {
    let rows: Vec<Arc<Host>> = hosts.iter().filter_map(|id| row(*id)).collect();
    let offered = |stage: &&str| {
        rows.iter().any(|host| host.commands.iter().any(|offer| offer.kind.as_str() == *stage))
    };
    let stages: Vec<&str> = USUAL.split(' ').filter(offered).collect();
    if stages.is_empty() { USUAL.to_owned() } else { stages.join(" ") }
}

#[component]
pub fn PipelineDialog(ask: PipelineAsk) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let there = Memo::new(move |_| ask.0.with(Option::is_some));
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if there.get() && !dialog.open() {
            _ = dialog.show_modal();
        } else if !there.get() && dialog.open() {
            dialog.close();
        }
    });
    view! {
        <dialog class="dialog bulk pipeline-ask" node_ref=dialog aria-labelledby="pipeline-title" on:close=move |_| ask.0.set(None)>
            {move || ask.0.get().map(|asked| view! { <Contents ask asked/> })}
        </dialog>
    }
    .into_any()
}

#[component]
fn Contents(ask: PipelineAsk, asked: Asked) -> impl IntoView {
    let (store, toasts, navigate) = (use_store(), use_toasts(), use_navigate());
    let all = asked.hosts.len();
    let stages = RwSignal::new(usual_stages(&asked.hosts, |id| store.host(id)));
    let (at_once, canary, failures) = (
        RwSignal::new(all.min(5).to_string()),
        RwSignal::new(usize::from(all > 1).to_string()),
        RwSignal::new("1".to_owned()),
    );
    let (busy, error) = (RwSignal::new(false), RwSignal::new(None::<String>));
    let parsed = Memo::new(move |_| stages.with(|text| read_stages(text)));
    let hosts = StoredValue::new(asked.hosts.clone());
    // As the hosts are while the operator reads.
    let looked: Memo<Verdict> = Memo::new(move |_| {
        let stages = parsed.get().unwrap_or_default();
        hosts.with_value(|hosts| verdict(hosts, &stages, |id| store.host(id)))
    });
    let may = Memo::new(move |_| looked.with(|(may, _)| may.clone()));
    // The pull request as it is now: somebody may push, or merge it, meanwhile.
    let number = asked.merge.as_ref().map(|merge| merge.number);
    let merge = Memo::new(move |_| {
        store.pull_requests.with(|all| all.iter().find(|one| Some(one.number) == number).cloned())
    });
    let confirmed_head = asked.merge.as_ref().map(|merge| merge.head_sha.clone());
    let head = confirmed_head.clone();
    let pushed = Memo::new(move |_| match (&head, merge.get()) {
        (None, _) => None,
        (Some(_), None) => Some("It is not open any more: nothing can be merged.".to_owned()),
        (Some(head), Some(now)) if now.head_sha != *head => Some(format!(
            "Somebody pushed meanwhile: its head is now {}. Close this and look at it again.",
            short(&now.head_sha)
        )),
        (Some(_), Some(now)) if now.mergeable != Some(true) => {
            Some("It cannot be merged at the moment.".to_owned())
        }
        _ => None,
    });
    let plan = move || {
        let ids = may.with(|may| may.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
        read_plan(&ids, &stages.get(), &at_once.get(), &canary.get(), &failures.get())
    };
    let wrong = Memo::new(move |_| match parsed.get() {
        Err(wrong) => Some(wrong),
        Ok(_) if may.with(Vec::is_empty) => {
            Some("None of the hosts permits all stages; nothing would be started.".to_owned())
        }
        Ok(_) => plan().err().map(|error| error.to_string()),
    });
    let title = match &asked.merge {
        Some(merge) => format!("Merge & Deploy PR #{}?", merge.number),
        None => format!("Start a pipeline over {}", counted(all, "host", "hosts")),
    };
    let verb = move || {
        let hosts = counted(may.with(Vec::len), "host", "hosts");
        match number {
            Some(number) => format!("Merge #{number} and deploy to {hosts}"),
            None => format!("Start on {hosts}"),
        }
    };
    // One key for as long as the dialog is open: what is sent twice is done once.
    let key = uuid::Uuid::new_v4().to_string();
    let on_submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let (Ok(plan), false) = (plan(), busy.get_untracked()) else { return };
        busy.set(true);
        error.set(None);
        let (navigate, head, key) = (navigate.clone(), confirmed_head.clone(), key.clone());
        let merge = number.zip(head);
        let chosen = (
            stages.get_untracked(),
            at_once.get_untracked(),
            canary.get_untracked(),
            failures.get_untracked(),
        );
        spawn_local(async move {
            let done = send(plan.host_ids.clone(), chosen, title_of(&plan), merge, key).await;
            _ = busy.try_set(false);
            match done {
                Ok(done) => {
                    toasts.success(done.message);
                    ask.0.set(None);
                    if let Some(pipeline) = done.pipeline {
                        navigate(
                            &store.within.get_untracked().carry(&format!("/pipelines/{}", pipeline.id)),
                            Default::default(),
                        );
                    }
                }
                Err(why) => _ = error.try_set(Some(why)),
            }
        });
    };
    let names = move || {
        may.with(|may| {
            let mut names: Vec<String> = may.iter().take(NAMED).map(|id| store.host_name_now(*id)).collect();
            if may.len() > NAMED {
                names.push(format!("and {} more", may.len() - NAMED));
            }
            names.join(", ")
        })
    };
    let to_whom = move || match names() {
        names if names.is_empty() => ".".to_owned(),
        names => format!(": {names}."),
    };
    let away = move || {
        let away =
            may.with(|may| may.iter().filter(|id| store.host(**id).is_some_and(|host| !host.online)).count());
        (away > 0)
            .then(|| format!("{} offline: they are waited for.", counted(away, "of them is", "of them are")))
    };
    let offers = Memo::new(move |_| {
        let mut kinds: Vec<String> = hosts.with_value(|hosts| {
            let rows = hosts.iter().filter_map(|id| store.host(*id));
            rows.flat_map(|row| row.commands.iter().map(|offer| offer.kind.to_string()).collect::<Vec<_>>())
                .collect()
        });
        kinds.sort_unstable();
        kinds.dedup();
        kinds.join(", ")
    });
    let number_field = |id: &'static str,
                        label: &'static str,
                        note: &'static str,
                        value: RwSignal<String>,
                        min: &'static str| {
        view! {
            <div class="field">
                <label for=id>{label} " " <span class="field-note">{note}</span></label>
                <input id=id class="input" type="number" min=min max="5000" required=true prop:value=move || value.get() on:input=move |event| value.set(event_target_value(&event))/>
            </div>
        }
    };
    view! {
        <form on:submit=on_submit>
            <h2 id="pipeline-title">{title}</h2>
            {asked.merge.as_ref().map(|merge| view! {
                <p>
                    <a href=merge.url.clone() target="_blank" rel="noreferrer">{merge.title.clone()}</a>
                    " at head " <code class="mono">{short(&merge.head_sha).to_owned()}</code>
                    ". It is merged first, and only if its head is still this one; then the pipeline starts."
                </p>
            })}
            {move || pushed.get().map(|words| view! { <p class="notice tone-warn" role="alert">{words}</p> })}
            <div class="field">
                <label for="pipeline-stages">"Stages, in order " <span class="field-note">"parted by spaces"</span></label>
                <input id="pipeline-stages" class="input mono" required=true autocomplete="off" aria-describedby="pipeline-offers" prop:value=move || stages.get() on:input=move |event| stages.set(event_target_value(&event))/>
                <span id="pipeline-offers" class="field-note">{move || format!("These hosts offer: {}", offers.get())}</span>
            </div>
            <div class="field-three">
                {number_field("pipeline-at-once", "At once", "hosts", at_once, "1")}
                {number_field("pipeline-canary", "Canaries first", "hosts", canary, "0")}
                {number_field("pipeline-failures", "Stop after", "failed hosts", failures, "1")}
            </div>
            <p aria-live="polite"><strong>{move || counted(may.with(Vec::len), "host", "hosts")}</strong> {to_whom} {away}</p>
            {move || {
                let refused = looked.with(|(_, refused)| refused.clone());
                (!refused.is_empty()).then(|| view! {
                    <details class="bulk-items" open=true data-bulk="refused">
                        <summary>{format!("Left out: {}", counted(refused.len(), "host", "hosts"))}</summary>
                        <ul>
                            {refused.into_iter().take(50).map(|(name, why)| view! { <li><strong>{name}</strong> " " <span class="quiet-text">{why}</span></li> }).collect_view()}
                        </ul>
                    </details>
                })
            }}
            {move || wrong.get().map(|words| view! { <p class="quiet-text" role="status">{words}</p> })}
            {move || error.get().map(|words| view! { <p class="notice tone-bad" role="alert">{words}</p> })}
            <div class="dialog-actions">
                <button type="button" class="button" on:click=move |_| ask.0.set(None)>"Cancel"</button>
                <button class="button primary" disabled=move || busy.get() || wrong.with(Option::is_some) || pushed.with(Option::is_some)>
                    {verb}
                </button>
            </div>
        </form>
    }
    .into_any()
}

/// Looks at the hosts once more, and sends it if all of them still permit it.
async fn send(
    ids: Vec<HostId>,
    (stages, at_once, canary, failures): (String, String, String, String),
    title: String,
    merge: Option<(u64, String)>,
    key: String,
) -> Result<Done, String> {
    let words = |error: ApiError| error.to_string();
    let kinds = read_stages(&stages)?;
    let rows: Vec<Host> = fetch("/api/hosts", &ids.iter().map(|id| id.0).collect()).await.map_err(words)?;
    let rows: HashMap<HostId, Arc<Host>> = rows.into_iter().map(|row| (row.id, Arc::new(row))).collect();
    let (_, refused) = verdict(&ids, &kinds, |id| rows.get(&id).cloned());
    if let Some((name, why)) = refused.first() {
        return Err(format!(
            "The state of {name} has changed: {why} Nothing was sent. Review the list, then try again."
        ));
    }
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let ids = ids.join(",");
    match merge {
        Some((number, head)) => {
            merge_pull_request(number, head, true, ids, stages, at_once, canary, failures, Some(key)).await
        }
        None => start_pipeline(title, ids, stages, at_once, canary, failures, Some(key)).await,
    }
    .map_err(words)
}
