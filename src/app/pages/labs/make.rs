//! Making a lab: a form that opens in place, without JavaScript too. What is wrong with a field is said at it before anything is sent.

use super::rates::Rates;
use crate::{
    app::{
        components::{Disclose, Field, use_toasts},
        error::ApiError,
        lab_actions::{CreateLab, create_lab, net_names},
        lab_plan::{At, Mistake, NodeNames, Typed, drawn_seed, read},
        live::page::reveal,
        store::{Store, use_store},
    },
    model::{NetId, Role, WorkerId},
};
use leptos::{
    ev::SubmitEvent, form::FromFormData, html, prelude::*, server::ServerActionError, task::spawn_local,
};
use leptos_router::hooks::{use_navigate, use_query_map};
use server_fn::{ServerFn, error::ServerFnUrlError};

/// Choices of more rows than this end here; the rest is made from its own page.
const CHOICES: usize = 200;
/// The names of a net of more places and transitions are not fetched to choose from.
const NAMED: u32 = 2_000;

/// What the lab is made for; the other half is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeFor {
    Net(NetId),
    Worker(WorkerId),
}

/// Nets that a lab can be made of: those on the worker first.
fn nets_for(store: Store, worker: WorkerId) -> Vec<(NetId, String)> {
    let on_it = store.nets_on(worker).get();
    let others = store.nets.get().into_iter().filter(|id| !on_it.contains(id));
    let rows = on_it.iter().copied().chain(others).filter_map(|id| store.net_row(id));
    let rows = rows.map(|row| row.get_untracked()).filter(|net| store.may_in(net.project_id, Role::Operator));
    rows.take(CHOICES).map(|net| (net.id, net.name.to_string())).collect()
}

/// Workers that a lab can live on: the net's own first.
fn workers_for(store: Store, net: NetId) -> Vec<(WorkerId, String)> {
    let own = store.net(net).and_then(|net| net.worker_id);
    let others = store.workers.get().into_iter().filter(|id| Some(*id) != own);
    let rows = own.into_iter().chain(others).filter_map(|id| store.worker(id));
    rows.filter(|row| row.is_ready()).take(CHOICES).map(|row| (row.id, row.name.to_string())).collect()
}

#[component]
pub fn MakeLab(of: MadeFor) -> impl IntoView {
    let store = use_store();
    let may = match of {
        MadeFor::Net(id) => {
            store.net_row(id).is_some_and(|net| store.may_in(net.get_untracked().project_id, Role::Operator))
        }
        MadeFor::Worker(_) => store.may_act_on_nets(),
    };
    may.then(|| view! { <Form of/> })
}

#[component]
fn Form(of: MadeFor) -> impl IntoView {
    let (store, toasts, navigate) = (use_store(), use_toasts(), use_navigate());
    let (details, first) = (NodeRef::<html::Details>::new(), NodeRef::<html::Input>::new());
    let came_back = use_context::<ServerActionError>()
        .filter(|error| error.path() == CreateLab::PATH)
        .map(|error| ServerFnUrlError::<ApiError>::decode_err(error.err()).to_string());
    let wanted = use_query_map().with_untracked(|query| query.get("new").is_some());
    let open = wanted || came_back.is_some();
    let opened = RwSignal::new(open);
    let refused = RwSignal::new(came_back);
    let mistakes = RwSignal::new(Vec::<Mistake>::new());
    let busy = RwSignal::new(false);
    let made = RwSignal::new(0_u32);
    // What is not asked for is out of the way; where no script runs, it stays.
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));
    let kind = RwSignal::new("monte_carlo".to_owned());
    let goal = RwSignal::new("none".to_owned());
    let rates = RwSignal::new(String::new());
    let explores = Memo::new(move |_| kind.with(|kind| kind == "explore"));
    let counts_tokens = Memo::new(move |_| goal.with(|goal| goal == "tokens"));
    let aside = move |wanted: Memo<bool>, is: bool| move || alive.get() && wanted.get() != is;

    let nets = Memo::new(move |_| match of {
        MadeFor::Net(_) => Vec::new(),
        MadeFor::Worker(id) => nets_for(store, id),
    });
    let workers = Memo::new(move |_| match of {
        MadeFor::Net(id) => workers_for(store, id),
        MadeFor::Worker(_) => Vec::new(),
    });
    let chosen = RwSignal::new(match of {
        MadeFor::Net(id) => Some(id),
        MadeFor::Worker(_) => nets.with_untracked(|nets| nets.first().map(|(id, _)| *id)),
    });
    // Which places and transitions the net has is asked for when the form is opened.
    let asked = Memo::new(move |_| {
        let net = chosen.get().filter(|_| opened.get() || !alive.get())?;
        let size = store.net_row(net)?.get_untracked().size;
        (size.places + size.transitions <= NAMED).then_some(net)
    });
    let names = Resource::new_blocking(
        move || asked.get(),
        |net| async move {
            match net {
                Some(net) => net_names(net).await.ok(),
                None => None,
            }
        },
    );

    let wrong = move |at: At| {
        Signal::derive(move || {
            mistakes
                .with(|all| all.iter().find(|mistake| mistake.at == at).map(|mistake| mistake.text.clone()))
        })
    };
    let seed = Memo::new(move |_| store.form_key.with(|key| drawn_seed(key, made.get())));
    let on_submit = move |event: SubmitEvent| {
        let Ok(ask) = CreateLab::from_event(&event) else { return };
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        refused.set(None);
        let names = names.get_untracked().flatten();
        let found = wrong_with(&ask, names.as_ref());
        let field = found.first().map(|mistake| id_of(mistake.at));
        mistakes.set(found);
        if let Some(field) = field {
            reveal(field);
            focus(field);
            return;
        }
        busy.set(true);
        let navigate = navigate.clone();
        spawn_local(async move {
            match send(ask).await {
                Ok(done) => {
                    toasts.success(done.message);
                    _ = made.try_update(|made| *made += 1);
                    if let Some(details) = details.try_get_untracked().flatten() {
                        details.set_open(false);
                    }
                    if let Some(lab) = done.lab {
                        let path = format!("/labs/{}", lab.id);
                        navigate(&store.within.get_untracked().carry(&path), Default::default());
                    }
                }
                Err(error) => _ = refused.try_set(Some(error.to_string())),
            }
            _ = busy.try_set(false);
        });
    };
    let on_open = Callback::new(move |()| opened.set(true));
    let given = match of {
        MadeFor::Net(id) => view! { <input type="hidden" name="net_id" value=id.to_string()/> }.into_any(),
        MadeFor::Worker(id) => {
            view! { <input type="hidden" name="worker_id" value=id.to_string()/> }.into_any()
        }
    };
    let other = match of {
        MadeFor::Net(_) => view! {
            <Field id="lab-worker" label="Worker" hint="It works at the lowest priority there, beside the nets.">
                <select id="lab-worker" name="worker_id" class="select" required=true aria-describedby="lab-worker-note">
                    <For each=move || workers.get() key=|worker| worker.clone() let:worker>
                        <option value=worker.0.to_string()>{worker.1.clone()}</option>
                    </For>
                </select>
            </Field>
        }
        .into_any(),
        MadeFor::Worker(_) => view! {
            <Field id="lab-net" label="Net" hint="It need not be on this worker.">
                <select
                    id="lab-net"
                    name="net_id"
                    class="select"
                    required=true
                    aria-describedby="lab-net-note"
                    on:change=move |event| chosen.set(event_target_value(&event).parse().ok())
                >
                    <For each=move || nets.get() key=|net| net.clone() let:net>
                        <option value=net.0.to_string()>{net.1.clone()}</option>
                    </For>
                </select>
            </Field>
        }
        .into_any(),
    };
    let nothing_to_choose = Memo::new(move |_| match of {
        MadeFor::Net(_) => {
            workers.with(Vec::is_empty).then_some("A lab lives on a ready worker, and none is ready now.")
        }
        MadeFor::Worker(_) => {
            nets.with(Vec::is_empty).then_some("There is no net yet that a lab could be made of.")
        }
    });
    view! {
        <Disclose label="New lab" open details first on_open>
            <form method="post" action=CreateLab::url() on:submit=on_submit novalidate=move || alive.get()>
                <input type="hidden" name="key" value=move || format!("{}-lab-{}", store.form_key.get(), made.get())/>
                {given}
                {move || nothing_to_choose.get().map(|text| view! { <p class="notice tone-warn">{text}</p> })}
                <div class="field-pair">
                    <Field id="lab-name" label="Name" error=wrong(At::Name)>
                        <input node_ref=first id="lab-name" class="input" name="name" value=move || format!("lab {}", made.get() + 1) maxlength="80" required=true autocomplete="off" aria-describedby="lab-name-note"/>
                    </Field>
                    {other}
                </div>
                <fieldset class="field">
                    <legend>"Kind"</legend>
                    <label class="choice">
                        <input type="radio" name="kind" value="monte_carlo" checked=true on:change=move |_| kind.set("monte_carlo".to_owned())/>
                        <span>"Monte Carlo" <span class="field-note">"many runs, and what they say on the average"</span></span>
                    </label>
                    <label class="choice">
                        <input type="radio" name="kind" value="explore" on:change=move |_| kind.set("explore".to_owned())/>
                        <span>"Exploration" <span class="field-note">"all markings, as far as time and memory go"</span></span>
                    </label>
                </fieldset>
                <div hidden=aside(explores, false)>
                    <div class="field-pair">
                        <NumberField id="lab-runs" name="runs" label="Runs" value="1000" error=wrong(At::Runs)/>
                        <NumberField id="lab-firings" name="firings" label="Firings of a run" value="10000" hint="at most" error=wrong(At::Firings)/>
                    </div>
                    <div class="field-pair">
                        <Field id="lab-goal" label="Goal" hint="Where a run ends before its limit." error=wrong(At::Goal)>
                            <select id="lab-goal" name="goal" class="select" aria-describedby="lab-goal-note" on:change=move |event| goal.set(event_target_value(&event))>
                                <option value="none">"none: each run goes to its limit"</option>
                                <option value="deadlock">"nothing is enabled (deadlock)"</option>
                                <option value="tokens">"a place holds at least n tokens"</option>
                            </select>
                        </Field>
                        <NumberField id="lab-warm-up" name="warm_up" label="Warm-up" value="0" hint="firings that averages leave out" error=wrong(At::WarmUp)/>
                    </div>
                    <div class="field-pair" hidden=aside(counts_tokens, true)>
                        <Transition fallback=|| ()>
                            {move || Suspend::new(async move { place_field(names.await, wrong(At::Place)) })}
                        </Transition>
                        <NumberField id="lab-at-least" name="at_least" label="Tokens, at least" value="1" error=wrong(At::AtLeast)/>
                    </div>
                    <div class="field-pair">
                        <Field id="lab-seed" label="Seed" hint="The same seed gives the same figures." error=wrong(At::Seed)>
                            <input id="lab-seed" class="input" name="seed" inputmode="numeric" value=move || seed.get().to_string() autocomplete="off" aria-describedby="lab-seed-note"/>
                        </Field>
                        <Field id="lab-time" label="Time of a run" hint="At most; with rates only." error=wrong(At::Time)>
                            <input id="lab-time" class="input" name="time" inputmode="decimal" autocomplete="off" aria-describedby="lab-time-note"/>
                        </Field>
                    </div>
                    <Rates text=rates names error=wrong(At::Rates)/>
                </div>
                <div class="field-pair" hidden=aside(explores, true)>
                    <NumberField id="lab-seconds" name="seconds" label="Time, seconds" value="60" error=wrong(At::Seconds)/>
                    <NumberField id="lab-memory" name="memory_mb" label="Memory, MB" value="128" hint="256 at most" error=wrong(At::Memory)/>
                </div>
                <label class="choice">
                    <input type="checkbox" name="start" value="true" checked=true/>
                    <span>"Start it at once"</span>
                </label>
                {move || refused.get().map(|text| view! { <p class="notice tone-bad" role="alert">{text}</p> })}
                <div class="form-actions">
                    <button class="button primary" aria-disabled=move || busy.get().then_some("true") disabled=move || nothing_to_choose.get().is_some()>
                        "Make it"
                    </button>
                </div>
            </form>
        </Disclose>
    }
    .into_any()
}

#[component]
fn NumberField(
    id: &'static str,
    name: &'static str,
    label: &'static str,
    value: &'static str,
    #[prop(optional)] hint: &'static str,
    error: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <Field id label hint error>
            <input
                id=id
                class="input"
                name=name
                inputmode="numeric"
                value=value
                autocomplete="off"
                aria-describedby=format!("{id}-note")
                aria-invalid=move || error.with(Option::is_some).then_some("true")
            />
        </Field>
    }
    .into_any()
}

/// The places to choose from; where they are not known, the place is typed.
fn place_field(names: Option<NodeNames>, error: Signal<Option<String>>) -> AnyView {
    match names {
        Some(names) => {
            let options = names.places.into_iter().map(|(id, name)| {
                let text = if id == name { name } else { format!("{name} ({id})") };
                view! { <option value=id>{text}</option> }
            });
            view! {
                <Field id="lab-place" label="Place" error>
                    <select id="lab-place" name="place" class="select" aria-describedby="lab-place-note">
                        {options.collect_view()}
                    </select>
                </Field>
            }
            .into_any()
        }
        None => view! {
            <Field id="lab-place" label="Place" hint="Its id or its name." error>
                <input id="lab-place" class="input" name="place" autocomplete="off" aria-describedby="lab-place-note"/>
            </Field>
        }
        .into_any(),
    }
}

fn id_of(at: At) -> &'static str {
    match at {
        At::Name => "lab-name",
        At::Kind | At::Runs => "lab-runs",
        At::Firings => "lab-firings",
        At::Goal => "lab-goal",
        At::Place => "lab-place",
        At::AtLeast => "lab-at-least",
        At::WarmUp => "lab-warm-up",
        At::Seed => "lab-seed",
        At::Rates => "lab-rates",
        At::Time => "lab-time",
        At::Seconds => "lab-seconds",
        At::Memory => "lab-memory",
    }
}

fn focus(id: &str) {
    use leptos::wasm_bindgen::JsCast;
    let element = document().get_element_by_id(id);
    if let Some(element) = element.and_then(|element| element.dyn_into::<leptos::web_sys::HtmlElement>().ok())
    {
        _ = element.focus();
    }
}

/// What is wrong with what is to be sent.
fn wrong_with(ask: &CreateLab, names: Option<&NodeNames>) -> Vec<Mistake> {
    let ask = ask.clone();
    let mut found = Vec::new();
    if ask.name.trim().is_empty() {
        found.push(Mistake { at: At::Name, text: "Give it a name.".to_owned() });
    }
    let CreateLab {
        kind,
        runs,
        firings,
        goal,
        place,
        at_least,
        warm_up,
        seed,
        rates,
        time,
        seconds,
        memory_mb,
        ..
    } = ask;
    let typed =
        Typed { kind, runs, firings, goal, place, at_least, warm_up, seed, rates, time, seconds, memory_mb };
    found.extend(read(&typed, names).err().into_iter().flatten());
    found
}

async fn send(ask: CreateLab) -> Result<crate::model::Done, ApiError> {
    let CreateLab {
        net_id,
        worker_id,
        name,
        kind,
        runs,
        firings,
        goal,
        place,
        at_least,
        warm_up,
        seed,
        rates,
        time,
        seconds,
        memory_mb,
        start,
        key,
    } = ask;
    create_lab(
        net_id, worker_id, name, kind, runs, firings, goal, place, at_least, warm_up, seed, rates, time,
        seconds, memory_mb, start, key,
    )
    .await
}
