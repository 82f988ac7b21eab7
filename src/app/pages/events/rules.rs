//! The rules for events: which nobody is told of, and which matter more than they seem to. Everybody sees them; administrators change them.

use super::{chosen::SEVERITIES, filters::resource_label, words::severity_state};
use crate::{
    app::{
        components::{Ago, Icon, use_clock, use_toasts},
        event_actions::set_event_rules,
        store::{Store, use_store},
    },
    model::{
        EntityRef, Event, EventRules, Mute, Priority, PriorityRule, Severity, Timestamp, rules::Matcher,
        time::age,
    },
};
use leptos::{ev, html, prelude::*, task::spawn_local};
use std::time::Duration;

/// How long a mute holds.
const UNTIL: [(&str, Option<Duration>); 3] = [
    ("For an hour", Some(Duration::from_secs(3_600))),
    ("For a day", Some(Duration::from_secs(86_400))),
    ("For good", None),
];

/// What a new rule decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decides {
    Mute,
    Priority,
}

/// A rule that is being made.
#[derive(Clone, Debug, PartialEq)]
struct Draft {
    decides: Decides,
    /// The types that it may be for, the narrowest first.
    kinds: Vec<String>,
    kind: String,
    severity: Option<Severity>,
    /// What it may be about, the nearest first.
    abouts: Vec<EntityRef>,
    about: Option<EntityRef>,
    /// An index of [`UNTIL`].
    until: usize,
    note: String,
    priority: Priority,
}

impl Draft {
    /// A rule for events like `event`.
    fn like(event: &Event, decides: Decides) -> Draft {
        let abouts: Vec<EntityRef> = [
            event.net_id.map(EntityRef::Net),
            event.worker_id.map(EntityRef::Worker),
            event.host_id.map(EntityRef::Host),
            event.project_id.map(EntityRef::Project),
            event.cluster_id.map(EntityRef::Cluster),
        ]
        .into_iter()
        .flatten()
        .collect();
        let mut kinds = vec![event.kind.clone()];
        let dots = event.kind.match_indices('.').rev().map(|(at, _)| format!("{}.*", &event.kind[..at]));
        kinds.extend(dots);
        Draft {
            decides,
            kind: event.kind.clone(),
            kinds,
            severity: None,
            about: abouts.first().copied(),
            abouts,
            until: 0,
            note: String::new(),
            priority: Priority::Urgent,
        }
    }

    fn matcher(&self) -> Matcher {
        let mut matcher = Matcher { kind: self.kind.clone(), severity: self.severity, ..Matcher::default() };
        match self.about {
            Some(EntityRef::Net(id)) => matcher.net_id = Some(id),
            Some(EntityRef::Worker(id)) => matcher.worker_id = Some(id),
            Some(EntityRef::Host(id)) => matcher.host_id = Some(id),
            Some(EntityRef::Project(id)) => matcher.project_id = Some(id),
            Some(EntityRef::Cluster(id)) => matcher.cluster_id = Some(id),
            _ => {}
        }
        matcher
    }

    /// The rules with this one. The first priority that holds decides, so a new one comes first.
    fn added_to(&self, rules: &EventRules, now: Timestamp) -> EventRules {
        let mut rules = rules.clone();
        let matcher = self.matcher();
        match self.decides {
            Decides::Mute => {
                let until = UNTIL.get(self.until).and_then(|(_, time)| time.map(|time| now.plus(time)));
                rules.mutes.push(Mute { matcher, until, note: self.note.trim().to_owned() });
            }
            Decides::Priority => {
                rules.priorities.insert(0, PriorityRule { matcher, priority: self.priority });
            }
        }
        rules
    }
}

#[derive(Clone, Copy)]
pub struct RulesAsk {
    open: RwSignal<bool>,
    draft: RwSignal<Option<Draft>>,
}

impl RulesAsk {
    pub fn new() -> RulesAsk {
        RulesAsk { open: RwSignal::new(false), draft: RwSignal::new(None) }
    }

    /// Shows the rules.
    pub fn open(self) {
        self.draft.set(None);
        self.open.set(true);
    }

    pub fn mute(self, event: &Event) {
        self.draft.set(Some(Draft::like(event, Decides::Mute)));
        self.open.set(true);
    }

    pub fn weigh(self, event: &Event) {
        self.draft.set(Some(Draft::like(event, Decides::Priority)));
        self.open.set(true);
    }
}

/// `worker.* · warnings and worse · worker eu-1`; tracked.
fn matcher_words(store: Store, matcher: &Matcher) -> String {
    let mut words = Vec::new();
    words.push(if matcher.kind.is_empty() { "any type".to_owned() } else { matcher.kind.clone() });
    match matcher.severity {
        None | Some(Severity::Info) => {}
        Some(Severity::Error) => words.push("errors".to_owned()),
        Some(severity) => words.push(format!("{} and worse", severity_state(severity).word)),
    }
    let abouts = [
        matcher.net_id.map(EntityRef::Net),
        matcher.worker_id.map(EntityRef::Worker),
        matcher.host_id.map(EntityRef::Host),
        matcher.project_id.map(EntityRef::Project),
        matcher.cluster_id.map(EntityRef::Cluster),
    ];
    words.extend(abouts.into_iter().flatten().map(|about| resource_label(store, about)));
    words.join(" · ")
}

#[component]
pub fn RulesDialog(ask: RulesAsk) -> impl IntoView {
    let (store, toasts) = (use_store(), use_toasts());
    let dialog = NodeRef::<html::Dialog>::new();
    let (busy, error) = (RwSignal::new(false), RwSignal::new(None::<String>));
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if ask.open.get() && !dialog.open() {
            error.set(None);
            _ = dialog.show_modal();
        } else if !ask.open.get() && dialog.open() {
            dialog.close();
        }
    });
    let rules = Memo::new(move |_| {
        store.rules.with(|rules| rules.as_ref().map(|rules| (**rules).clone())).unwrap_or_default()
    });
    let save = Callback::new(move |(next, then): (EventRules, bool)| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let answer = set_event_rules(next.clone(), next.revision).await;
            if busy.try_set(false).is_some() {
                // The page is gone.
                return;
            }
            match answer {
                Ok(done) => {
                    toasts.announce(done.message);
                    error.set(None);
                    if then {
                        ask.draft.set(None);
                    }
                }
                Err(why) => error.set(Some(why.to_string())),
            }
        });
    });
    let may = store.may_administer();
    view! {
        <dialog class="dialog rules" node_ref=dialog tabindex="-1" aria-labelledby="rules-title" on:close=move |_| ask.open.set(false)>
            {move || {
                ask.open
                    .get()
                    .then(|| {
                        view! {
                            <h2 id="rules-title">"Rules for events"</h2>
                            <p class="quiet-text">
                                "They hold for everybody, in messages, notifications and webhooks. The log keeps every event, muted or not."
                                {(!may).then_some(" An administrator can change them.")}
                            </p>
                            {move || error.get().map(|error| view! { <p class="notice tone-bad" role="alert">{error}</p> })}
                            {move || ask.draft.with(Option::is_some).then(|| view! { <DraftForm ask rules save busy/> })}
                            <Mutes rules save busy may/>
                            <Priorities rules save busy may/>
                            <div class="dialog-actions">
                                <button type="button" class="button" on:click=move |_| ask.open.set(false)>"Close"</button>
                            </div>
                        }
                    })
            }}
        </dialog>
    }
    .into_any()
}

#[component]
fn DraftForm(
    ask: RulesAsk,
    rules: Memo<EventRules>,
    save: Callback<(EventRules, bool)>,
    busy: RwSignal<bool>,
) -> impl IntoView {
    let store = use_store();
    let first = ask.draft.get_untracked()?;
    let edit = move |with: &dyn Fn(&mut Draft)| ask.draft.update(|draft| draft.iter_mut().for_each(with));
    let mutes = first.decides == Decides::Mute;
    let kinds = first
        .kinds
        .iter()
        .map(|kind| view! { <option value=kind.clone() selected=*kind == first.kind>{kind.clone()}</option> })
        .collect_view();
    let abouts = first
        .abouts
        .iter()
        .enumerate()
        .map(|(n, about)| {
            let label = format!("only {}", untrack(|| resource_label(store, *about)));
            view! { <option value=n.to_string() selected={n == 0}>{label}</option> }
        })
        .collect_view();
    let abouts_known = first.abouts.clone();
    let on_about = move |event: ev::Event| {
        let about =
            event_target_value(&event).parse::<usize>().ok().and_then(|n| abouts_known.get(n).copied());
        edit(&|draft| draft.about = about);
    };
    let on_submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if let Some(draft) = ask.draft.get_untracked() {
            save.run((draft.added_to(&rules.get_untracked(), store.now.get_untracked()), true));
        }
    };
    let title = if mutes { "Mute events like this" } else { "Priority of events like this" };
    Some(
        view! {
            <form class="rule-draft" on:submit=on_submit aria-labelledby="rule-draft">
                <h3 id="rule-draft">{title}</h3>
                <div class="field-pair">
                    <div class="field">
                        <label for="rule-type">"Type"</label>
                        <select
                            id="rule-type"
                            class="select"
                            on:change=move |event| {
                                let kind = event_target_value(&event);
                                edit(&|draft| draft.kind = kind.clone());
                            }
                        >
                            {kinds}
                            {(!mutes).then(|| view! { <option value="">"any type"</option> })}
                        </select>
                    </div>
                    <div class="field">
                        <label for="rule-severity">"Severity"</label>
                        <select
                            id="rule-severity"
                            class="select"
                            on:change=move |event| {
                                let severity = super::chosen::severity(&event_target_value(&event));
                                edit(&|draft| draft.severity = severity);
                            }
                        >
                            <option value="">"any"</option>
                            {SEVERITIES[1..]
                                .iter()
                                .map(|severity| {
                                    let worse = if *severity == Severity::Error { "" } else { " and worse" };
                                    view! { <option value=severity.as_str()>{format!("{}{worse}", severity.as_str())}</option> }
                                })
                                .collect_view()}
                        </select>
                    </div>
                </div>
                <div class="field">
                    <label for="rule-about">"About"</label>
                    <select id="rule-about" class="select" on:change=on_about>
                        {abouts}
                        <option value="">"anything"</option>
                    </select>
                </div>
                {if mutes {
                    view! {
                        <fieldset class="field rule-until">
                            <legend>"How long"</legend>
                            {UNTIL
                                .iter()
                                .enumerate()
                                .map(|(n, (label, _))| {
                                    view! {
                                        <label class="choice">
                                            <input type="radio" name="until" value=n.to_string() checked={n == 0} on:change=move |_| edit(&|draft| draft.until = n)/>
                                            {*label}
                                        </label>
                                    }
                                })
                                .collect_view()}
                        </fieldset>
                        <div class="field">
                            <label for="rule-note">"Note"</label>
                            <input
                                id="rule-note"
                                class="input"
                                maxlength="80"
                                autocomplete="off"
                                placeholder="Why, for those who wonder"
                                on:input=move |event| {
                                    let note = event_target_value(&event);
                                    edit(&|draft| draft.note = note.clone());
                                }
                            />
                        </div>
                    }
                        .into_any()
                } else {
                    view! {
                        <div class="field">
                            <label for="rule-priority">"Priority"</label>
                            <select
                                id="rule-priority"
                                class="select"
                                on:change=move |event| {
                                    if let Some(priority) = Priority::parse(&event_target_value(&event)) {
                                        edit(&|draft| draft.priority = priority);
                                    }
                                }
                            >
                                {Priority::ALL
                                    .iter()
                                    .rev()
                                    .map(|priority| view! { <option value=priority.as_str()>{priority.as_str()}</option> })
                                    .collect_view()}
                            </select>
                        </div>
                    }
                        .into_any()
                }}
                <div class="form-actions">
                    <button type="button" class="button" on:click=move |_| ask.draft.set(None)>"Cancel"</button>
                    <button class="button primary" disabled=move || busy.get()>
                        {if mutes { "Mute" } else { "Set priority" }}
                    </button>
                </div>
            </form>
        }
        .into_any(),
    )
}

#[component]
fn Mutes(
    rules: Memo<EventRules>,
    save: Callback<(EventRules, bool)>,
    busy: RwSignal<bool>,
    may: bool,
) -> impl IntoView {
    let (store, clock) = (use_store(), use_clock());
    view! {
        <h3>"Muted"</h3>
        <ul class="lines rules-list" aria-label="Muted">
            {move || {
                let now = rules.get();
                if now.mutes.is_empty() {
                    return view! { <li class="quiet-text">"Nothing is muted."</li> }.into_any();
                }
                now.mutes
                    .iter()
                    .enumerate()
                    .map(|(n, mute)| {
                        let (until, note) = (mute.until, mute.note.clone());
                        let words = matcher_words(store, &mute.matcher);
                        let time = move || match until {
                            None => "for good".to_owned(),
                            Some(until) if until <= clock.now.get() => "over".to_owned(),
                            Some(until) => format!("for another {}", age(until.since(clock.now.get()))),
                        };
                        view! {
                            <li class="line">
                                <span class="line-name">{words.clone()}</span>
                                <span class="quiet-text">{time}</span>
                                {(!note.is_empty()).then(|| view! { <span class="line-error">{note}</span> })}
                                {may.then(|| view! { <DeleteRule rules save busy words of=Decides::Mute n/> })}
                            </li>
                        }
                    })
                    .collect_view()
                    .into_any()
            }}
        </ul>
    }
    .into_any()
}

#[component]
fn Priorities(
    rules: Memo<EventRules>,
    save: Callback<(EventRules, bool)>,
    busy: RwSignal<bool>,
    may: bool,
) -> impl IntoView {
    let store = use_store();
    view! {
        <h3>"Priorities"</h3>
        <ol class="lines rules-list" aria-label="Priorities">
            {move || {
                let rules_now = rules.get();
                if rules_now.priorities.is_empty() {
                    return view! { <li class="quiet-text">"Errors are high, warnings normal, the rest low."</li> }.into_any();
                }
                rules_now
                    .priorities
                    .iter()
                    .enumerate()
                    .map(|(n, rule)| {
                        let words = matcher_words(store, &rule.matcher);
                        view! {
                            <li class="line">
                                <span class="line-name">{words.clone()}</span>
                                <span>{rule.priority.as_str()}</span>
                                {may.then(|| view! { <DeleteRule rules save busy words of=Decides::Priority n/> })}
                            </li>
                        }
                    })
                    .collect_view()
                    .into_any()
            }}
        </ol>
        {move || {
            let rules = rules.get();
            (rules.revision > 0).then(|| view! { <p class="quiet-text">"Last changed " <Ago at=rules.updated_at/> " ago."</p> })
        }}
    }
    .into_any()
}

#[component]
fn DeleteRule(
    rules: Memo<EventRules>,
    save: Callback<(EventRules, bool)>,
    busy: RwSignal<bool>,
    words: String,
    of: Decides,
    n: usize,
) -> impl IntoView {
    // What is deleted is what was seen: if the rules changed since, their revision says so.
    let seen = rules.get_untracked();
    let on_click = move |_| {
        let mut next = seen.clone();
        match of {
            Decides::Mute if n < next.mutes.len() => _ = next.mutes.remove(n),
            Decides::Priority if n < next.priorities.len() => _ = next.priorities.remove(n),
            _ => return,
        }
        save.run((next, false));
    };
    view! {
        <span class="line-actions">
            <button type="button" class="button quiet" aria-label=format!("Delete the rule {words}") title="Delete" disabled=move || busy.get() on:click=on_click>
                <Icon name="close"/>
            </button>
        </span>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Actor, EventId, WorkerId};
    use uuid::Uuid;

    fn event() -> Event {
        Event {
            id: EventId(1),
            at: Timestamp(1),
            kind: "worker.status.updated".to_owned(),
            severity: Severity::Error,
            actor: Actor::System,
            text: "Worker a is error".to_owned(),
            cluster_id: None,
            project_id: None,
            worker_id: Some(WorkerId(Uuid::from_u128(1))),
            net_id: None,
            host_id: None,
            of_hosts: false,
            data: Default::default(),
            acknowledged: None,
        }
    }

    #[test]
    fn a_rule_like_an_event_holds_for_it() {
        let now = Timestamp(1_000);
        let draft = Draft::like(&event(), Decides::Mute);
        assert_eq!(draft.kinds, ["worker.status.updated", "worker.status.*", "worker.*"]);
        for kind in &draft.kinds {
            let draft = Draft { kind: kind.clone(), ..draft.clone() };
            let rules = draft.added_to(&EventRules::default(), now);
            assert!(rules.mutes(&event(), now), "{kind}");
            assert!(!rules.mutes(&event(), now.plus(Duration::from_secs(3_600))), "its hour is over");
            assert!(!rules.mutes(&Event { worker_id: None, ..event() }, now), "it is for this worker");
        }
        let good = Draft { until: 2, about: None, ..draft }.added_to(&EventRules::default(), now);
        assert!(good.mutes(&Event { worker_id: None, ..event() }, now.plus(Duration::from_secs(1 << 40))));
    }

    #[test]
    fn a_new_priority_comes_before_the_others() {
        let low = Draft { priority: Priority::Low, ..Draft::like(&event(), Decides::Priority) };
        let rules = low.added_to(&EventRules::default(), Timestamp(1));
        assert_eq!(rules.priority(&event()), Priority::Low);
        let urgent = Draft { priority: Priority::Urgent, ..low };
        assert_eq!(urgent.added_to(&rules, Timestamp(1)).priority(&event()), Priority::Urgent);
    }
}
