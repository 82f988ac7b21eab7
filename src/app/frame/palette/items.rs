//! What the palette offers: pages, commands, workers and nets, and what can be done with them now.

use super::{
    Layer,
    finder::Found,
    search::{Query, begins_nearly},
};
use crate::{
    app::{snapshot::Theme, store::Store, within::Within},
    model::{
        CommandKind, EntityRef, Host, HostAction, HostId, Net, NetAction, NetId, RunState, Worker,
        WorkerAction, WorkerId,
        lifecycle::{self, NetWord, Verb},
    },
};
use leptos::prelude::*;

/// What the console itself can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Theme(Theme),
    Realtime(bool),
    Messages,
    Keys,
    SignOut,
}

/// What choosing an item does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Does {
    Go(String),
    /// Looks closer: the choices of this layer.
    Enter(Layer),
    Command(Command),
    Worker(WorkerId, WorkerAction),
    /// With the rate, where it is asked to run.
    Net(NetId, NetAction, Option<u32>),
    Assign(NetId, WorkerId),
    /// Runs a command on a host.
    Run(HostId, CommandKind),
    Host(HostId, HostAction),
    /// Nothing now, and why.
    Refused(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which kind of thing it is, in a word.
    pub kind: &'static str,
    pub label: String,
    /// What else is known of it: a state, a reason.
    pub note: String,
    pub does: Does,
    /// The layer that Tab leads to.
    pub inside: Option<Layer>,
}

impl Item {
    fn new(kind: &'static str, label: impl Into<String>, does: Does) -> Item {
        Item { kind, label: label.into(), note: String::new(), does, inside: None }
    }

    fn with(mut self, note: impl Into<String>) -> Item {
        self.note = note.into();
        self
    }

    pub fn is_refused(&self) -> bool {
        matches!(self.does, Does::Refused(_))
    }

    fn score(&self, query: &Query) -> Option<u32> {
        query.score(&self.label.to_lowercase())
    }
}

/// Items of an action list at most.
const ACTIONS: usize = 8;

/// The verb among the words of `text`, wherever it stands, if there are others: which actions it may mean, and the other words.
pub fn verb(text: &str) -> Option<(Vec<WorkerAction>, Vec<NetAction>, String)> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    if words.len() < 2 {
        return None;
    }
    // What is typed exactly is meant before what is nearly that.
    let exactly = |word: &str, label: &str| word.len() >= 2 && label.starts_with(word);
    let nearly = |word: &str, label: &str| {
        let long = word.chars().count();
        long >= 4 && long + 1 >= label.chars().count() && begins_nearly(word, label)
    };
    let meant = |means: &dyn Fn(&str, &str) -> bool| {
        words.iter().enumerate().find_map(|(at, word)| {
            let means = |label: &str| means(word, &label.to_lowercase());
            let workers: Vec<_> = WorkerAction::ALL.iter().copied().filter(|it| means(it.label())).collect();
            let nets: Vec<_> = NetAction::ALL.iter().copied().filter(|it| means(it.label())).collect();
            let rest = || {
                let others = words.iter().enumerate().filter(|(other, _)| *other != at);
                others.map(|(_, word)| word.as_str()).collect::<Vec<_>>().join(" ")
            };
            (!workers.is_empty() || !nets.is_empty()).then(|| (workers, nets, rest()))
        })
    };
    meant(&exactly).or_else(|| meant(&nearly))
}

/// What there is to choose, tracked.
pub fn items(store: Store, layer: Option<Layer>, text: &str, found: &Found) -> Vec<Item> {
    let query = Query::new(text);
    let narrowed = |items: Vec<Item>| {
        let mut scored: Vec<(u32, Item)> =
            items.into_iter().filter_map(|item| Some((item.score(&query)?, item))).collect();
        scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        scored.into_iter().map(|(_, item)| item).collect()
    };
    match layer {
        None => top(store, &query, text, found),
        Some(Layer::Worker(id)) => narrowed(store.worker(id).map_or_else(Vec::new, |worker| {
            let mut items = vec![Item::new(
                "page",
                format!("Open {}", worker.name),
                Does::Go(page(EntityRef::Worker(id))),
            )];
            items.extend(worker_actions(store, &worker, WorkerAction::ALL));
            refused_last(&mut items);
            items
        })),
        Some(Layer::Net(id)) => narrowed(store.net(id).map_or_else(Vec::new, |net| {
            let mut items =
                vec![Item::new("page", format!("Open {}", net.name), Does::Go(page(EntityRef::Net(id))))];
            items.extend(net_actions(store, &net, NetAction::ALL));
            refused_last(&mut items);
            items
        })),
        Some(Layer::Host(id)) => narrowed(store.host(id).map_or_else(Vec::new, |host| {
            let mut items =
                vec![Item::new("page", format!("Open {}", host.name), Does::Go(page(EntityRef::Host(id))))];
            items.extend(host_actions(store, &host));
            items
        })),
        Some(Layer::AssignTo(net)) => targets(store, net, &query, found),
    }
}

fn page(entity: EntityRef) -> String {
    match entity {
        EntityRef::Worker(id) => format!("/workers/{id}"),
        EntityRef::Net(id) => format!("/nets/{id}"),
        EntityRef::Host(id) => format!("/hosts/{id}"),
        EntityRef::Pipeline(id) => format!("/pipelines/{id}"),
        _ => "/".to_owned(),
    }
}

fn top(store: Store, query: &Query, text: &str, found: &Found) -> Vec<Item> {
    let mut fixed = pages(store);
    fixed.extend(commands(store));
    if query.is_empty() {
        return fixed;
    }
    fixed.extend(groups(store));
    let mut scored: Vec<(u32, Item)> =
        fixed.into_iter().filter_map(|item| Some((item.score(query)? + 50, item))).collect();
    scored.extend(found.whole.iter().filter_map(|(score, what)| Some((*score, entity(store, *what)?))));
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let mut items: Vec<Item> = Vec::new();
    if let Some((workers, nets, _)) = verb(text) {
        for (_, what) in &found.after_verb {
            items.extend(actions(store, *what, &workers, &nets));
        }
        refused_last(&mut items);
        items.truncate(ACTIONS);
    }
    for (i, (_, item)) in scored.into_iter().enumerate() {
        let inside = item.inside;
        items.push(item);
        // What can be done with the best one is there at once; with the others it is one key away.
        if i == 0
            && let Some(inside) = inside
        {
            let what = match inside {
                Layer::Worker(id) => EntityRef::Worker(id),
                Layer::Net(id) | Layer::AssignTo(id) => EntityRef::Net(id),
                Layer::Host(id) => EntityRef::Host(id),
            };
            let all = actions(store, what, WorkerAction::ALL, NetAction::ALL).into_iter();
            items.extend(all.filter(|item| !item.is_refused()).take(ACTIONS));
        }
    }
    items
}

fn pages(store: Store) -> Vec<Item> {
    let go = |label: &str, path: &str| Item::new("page", label, Does::Go(path.to_owned()));
    let mut pages = vec![
        go("Overview", "/"),
        go("Workers", "/workers"),
        go("Nets", "/nets"),
        go("Hosts", "/hosts"),
        go("Pipelines", "/pipelines"),
        go("Events", "/events"),
        go("Clusters", "/clusters"),
        go("Projects", "/projects"),
        go("Settings", "/settings"),
        go("Tokens", "/settings/tokens"),
    ];
    if store.may_administer() {
        pages.push(go("Webhooks", "/settings/webhooks"));
        pages.push(go("Audit log", "/settings/audit"));
    }
    if cfg!(debug_assertions) {
        pages.push(go("Design kit", "/kit"));
    }
    if store.may_act() {
        pages.push(Item::new("command", "Create worker…", Does::Go("/workers?new".to_owned())));
        pages.push(Item::new("command", "Add net…", Does::Go("/nets?new".to_owned())));
    }
    if store.may_administer() {
        pages.push(Item::new("command", "Add host…", Does::Go("/hosts?new".to_owned())));
        pages.push(go("Users", "/settings/users"));
        pages.push(Item::new("command", "Create cluster…", Does::Go("/clusters?new".to_owned())));
        pages.push(Item::new("command", "Create project…", Does::Go("/projects?new".to_owned())));
    }
    pages
}

/// Clusters and projects, and looking at one of them only.
fn groups(store: Store) -> Vec<Item> {
    let now = store.within.get();
    let mut items = Vec::new();
    let mut group = |kind, id: String, name: &str, within: Within| {
        items.push(Item::new(kind, name, Does::Go(format!("/{kind}s/{id}"))));
        items.push(Item::new("command", format!("Show only {kind} {name}"), Does::Go(look_at(within))));
    };
    store.clusters.with(|rows| {
        for row in rows {
            group("cluster", row.id.to_string(), row.name.as_str(), Within { cluster: Some(row.id), ..now });
        }
    });
    store.projects.with(|rows| {
        for row in rows {
            group("project", row.id.to_string(), row.name.as_str(), Within { project: Some(row.id), ..now });
        }
    });
    if !now.is_all() {
        let all = Does::Go(look_at(Within::default()));
        items.push(Item::new("command", "Show all clusters and projects", all));
    }
    items
}

/// The overview of what is looked at.
fn look_at(within: Within) -> String {
    format!("/?{}", within.write_out(""))
}

fn commands(store: Store) -> Vec<Item> {
    let command = |label: String, command| Item::new("command", label, Does::Command(command));
    let themes = Theme::ALL
        .map(|theme| command(format!("Theme: {}", theme.label().to_lowercase()), Command::Theme(theme)));
    let on = store.realtime.get();
    let switch = if on { "Switch real-time off" } else { "Switch real-time on" };
    let mut commands = themes.to_vec();
    commands.extend([
        command(switch.to_owned(), Command::Realtime(!on)),
        command("Show messages".to_owned(), Command::Messages),
        command("Show keys".to_owned(), Command::Keys),
        command("Sign out".to_owned(), Command::SignOut),
    ]);
    commands
}

/// A worker or net that was found, unless it is gone by now.
fn entity(store: Store, what: EntityRef) -> Option<Item> {
    let (kind, name, state, inside) = match what {
        EntityRef::Worker(id) => {
            let worker = store.worker(id)?;
            ("worker", worker.name.to_string(), worker.status.to_string(), Layer::Worker(id))
        }
        EntityRef::Net(id) => {
            let net = store.net(id)?;
            ("net", net.name.to_string(), NetWord(&net).to_string(), Layer::Net(id))
        }
        EntityRef::Host(id) => {
            let host = store.host(id)?;
            let state = if host.online { "online" } else { "offline" };
            ("host", host.name.to_string(), state.to_owned(), Layer::Host(id))
        }
        _ => return None,
    };
    let item = Item::new(kind, name, Does::Go(page(what))).with(state);
    Some(Item { inside: Some(inside), ..item })
}

/// What is refused now comes after what can be done; otherwise the order stays.
fn refused_last(items: &mut [Item]) {
    items.sort_by_key(Item::is_refused);
}

/// The actions, and why those are refused that are not permitted now.
fn actions(store: Store, what: EntityRef, workers: &[WorkerAction], nets: &[NetAction]) -> Vec<Item> {
    match what {
        EntityRef::Worker(id) => {
            store.worker(id).map_or_else(Vec::new, |worker| worker_actions(store, &worker, workers))
        }
        EntityRef::Net(id) => store.net(id).map_or_else(Vec::new, |net| net_actions(store, &net, nets)),
        EntityRef::Host(id) => store.host(id).map_or_else(Vec::new, |host| host_actions(store, &host)),
        _ => Vec::new(),
    }
}

fn worker_actions(store: Store, worker: &Worker, among: &[WorkerAction]) -> Vec<Item> {
    if !store.may_act() {
        return Vec::new();
    }
    // Without a deletion nobody misses taking it back.
    let undo = |action: &&WorkerAction| {
        **action != WorkerAction::UndoDelete || lifecycle::worker_action(worker, **action).is_ok()
    };
    let among = among.iter().filter(undo);
    among
        .map(|action| {
            let does = match lifecycle::worker_action(worker, *action) {
                Ok(()) => Does::Worker(worker.id, *action),
                Err(refusal) => Does::Refused(refusal.tell(store.now.get_untracked())),
            };
            Item::new("action", format!("{} {}", action.label(), worker.name), does)
                .with(worker.status.to_string())
        })
        .collect()
}

/// The commands that a host offers, and a refresh, where they are permitted now.
fn host_actions(store: Store, host: &Host) -> Vec<Item> {
    if !store.may_act() {
        return Vec::new();
    }
    let state = if host.online { "online" } else { "offline" };
    let kinds = host.commands.iter().map(|offer| &offer.kind);
    let runs = kinds.filter(|kind| lifecycle::run_on_host(host, kind).is_ok()).map(|kind| {
        Item::new("action", format!("Run {kind} on {}", host.name), Does::Run(host.id, kind.clone()))
            .with(state)
    });
    let refresh = lifecycle::host_action(host, HostAction::Refresh).is_ok().then(|| {
        let label = format!("{} {}", HostAction::Refresh.label(), host.name);
        Item::new("action", label, Does::Host(host.id, HostAction::Refresh)).with(state)
    });
    runs.chain(refresh).collect()
}

fn net_actions(store: Store, net: &Net, among: &[NetAction]) -> Vec<Item> {
    if !store.may_act() {
        return Vec::new();
    }
    let worker = store.worker_of(net);
    let refusal = |action: NetAction| lifecycle::net_action(net, worker.as_deref(), action).err();
    // Without a deletion nobody misses taking it back, and at the rate it has a net runs already.
    let means_something = |action: &&NetAction| match action {
        NetAction::UndoDelete => refusal(**action).is_none(),
        NetAction::Run => net.run_state != RunState::Running,
        _ => true,
    };
    let among = among.iter().filter(means_something);
    among
        .map(|action| {
            let plain = || format!("{} {}", action.label(), net.name);
            let (label, does) = match action {
                NetAction::Assign => (format!("{}…", plain()), Does::Enter(Layer::AssignTo(net.id))),
                // Where, and how many: that is asked on its page.
                NetAction::Inject => (
                    format!("Inject tokens into {}…", net.name),
                    Does::Go(format!("{}#inject", page(EntityRef::Net(net.id)))),
                ),
                NetAction::Run => {
                    let rate = if net.rate > 0 { net.rate } else { 10 };
                    (format!("{} at {rate} firings/s", plain()), Does::Net(net.id, *action, Some(rate)))
                }
                _ => (plain(), Does::Net(net.id, *action, None)),
            };
            let does = match refusal(*action) {
                Some(refusal) => Does::Refused(refusal.tell(store.now.get_untracked())),
                None => does,
            };
            Item::new("action", label, does).with(NetWord(net).to_string())
        })
        .collect()
}

/// Where a net can go: without a query the first workers that can take it, else those that were found, with what stands in the way.
fn targets(store: Store, net: NetId, query: &Query, found: &Found) -> Vec<Item> {
    let Some(net) = store.net(net) else { return Vec::new() };
    let item =
        |worker: &Worker| {
            let label = format!("Assign {} to {}", net.name, worker.name);
            match lifecycle::assign_target(&net, worker) {
                Ok(()) => Item::new("worker", label, Does::Assign(net.id, worker.id))
                    .with(worker.status.to_string()),
                Err(refusal) => Item::new("worker", label, Does::Refused(refusal.to_string()))
                    .with(worker.status.to_string()),
            }
        };
    if query.is_empty() {
        let all = store.workers.get().into_iter().filter_map(|id| store.worker_row(id));
        let fits =
            all.map(|row| item(&row.get_untracked())).filter(|item| !matches!(item.does, Does::Refused(_)));
        return fits.take(12).collect();
    }
    let workers = found.whole.iter().filter_map(|(_, what)| match what {
        EntityRef::Worker(id) => store.worker(*id),
        _ => None,
    });
    workers.map(|worker| item(&worker)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_stands_before_or_after_a_name() {
        for text in ["stop eu-17", "eu-17 stop", "sotp eu-17", "EU-17 Stopp"] {
            let (workers, nets, rest) = verb(text).unwrap();
            let meant = (workers, nets, rest.as_str());
            assert_eq!(meant, (vec![WorkerAction::Stop], vec![NetAction::Stop], "eu-17"), "{text}");
        }
        assert!(verb("stop").is_none(), "a name may be called that");
        assert!(verb("stop  ").is_none());
        assert!(verb("eu 17").is_none());
        assert_eq!(verb("De x").map(|(workers, nets, _)| (workers.len(), nets.len())), Some((2, 1)));
    }
}
