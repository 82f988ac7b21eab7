//! The history, against a real database file: what it finds is what the filter says, page by page, and no more is kept than should be.

use super::retention::{Keep, trim};
use crate::{
    model::{
        Actor, ClusterId, Event, EventId, EventQuery, Gone, HostId, NetId, ProjectId, Severity, StatisticsBy,
        Timestamp, UserId, WorkerId, WorkerStatus, event_query::resources,
    },
    server::{
        actions::tests::harness::*,
        clock::{Clock, now},
        storage::{
            Store,
            events::{page, read_cursor, statistics},
        },
        supervise::tests::fixtures::*,
    },
    sim::Dice,
    sync::Scope,
};
use axum::http::{Method, StatusCode};
use sqlx::{Connection, SqliteConnection};
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// A database with nobody but us.
struct Log {
    store: Store,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Log {
    async fn open() -> Log {
        let folder = tempfile::tempdir().unwrap();
        let (news, mut inbox) = mpsc::channel(64);
        tokio::spawn(async move { while inbox.recv().await.is_some() {} });
        let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let path = folder.path().join("db");
        let (store, _) = Store::open(&path, news, &tasks, shutdown.clone()).await.unwrap();
        Log { store, tasks, shutdown, _folder: folder }
    }

    /// Writes events in one transaction.
    async fn write(&self, actor: Actor, events: Vec<Event>) {
        let written = self.store.transact(actor, move |draft| {
            for event in events {
                draft.log(event.severity, &event.kind.clone(), event.text.clone(), |row| {
                    *row = Event { id: row.id, actor: row.actor.clone(), ..event };
                });
            }
            Ok::<_, Gone>(())
        });
        written.await.unwrap();
    }

    /// Every event, newest first, whoever may see it.
    async fn all(&self) -> Vec<Event> {
        self.walk(&Scope::Fleet, &EventQuery::default(), 500).await
    }

    /// Page after page to the end.
    async fn walk(&self, scope: &Scope, query: &EventQuery, limit: u32) -> Vec<Event> {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = page(self.store.pool(), scope, query, before, limit).await.unwrap();
            assert!(page.events.len() <= limit as usize);
            assert!(
                page.next.is_none() || page.events.len() == limit as usize,
                "only the last page is short"
            );
            all.extend(page.events);
            match page.next {
                Some(next) => before = Some(read_cursor(&next).unwrap()),
                None => return all,
            }
        }
    }

    async fn close(self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn event(kind: &str, severity: Severity, text: &str) -> Event {
    Event {
        id: EventId(0),
        at: Timestamp(0),
        kind: kind.to_owned(),
        severity,
        actor: Actor::System,
        text: text.to_owned(),
        cluster_id: None,
        project_id: None,
        worker_id: None,
        net_id: None,
        host_id: None,
        of_hosts: false,
        data: BTreeMap::new(),
        acknowledged: None,
    }
}

const TYPES: [&str; 6] = [
    "worker.created",
    "worker.status.updated",
    "net.load_state.updated",
    "net.created",
    "error.reported",
    "host.offline",
];
const SEVERITIES: [Severity; 4] = [Severity::Info, Severity::Success, Severity::Warning, Severity::Error];
const WORDS: [&str; 12] = [
    "Worker",
    "worker-1",
    "line",
    "Linie",
    "mixer",
    "ready",
    "Müller",
    "3.2",
    "is",
    "unreachable:",
    "a_b",
    "日本",
];

fn of(n: usize) -> Uuid {
    Uuid::from_u128(0x100 + n as u128)
}

/// Any event at all.
fn any(dice: &mut Dice, at: u64) -> Event {
    let some = |dice: &mut Dice| dice.per_mille(500).then(|| dice.below(3));
    let text: Vec<&str> = (0..1 + dice.below(5)).map(|_| *dice.pick(&WORDS).unwrap()).collect();
    Event {
        at: Timestamp(at),
        cluster_id: some(dice).map(|n| ClusterId(of(n))),
        project_id: some(dice).map(|n| ProjectId(of(10 + n))),
        worker_id: some(dice).map(|n| WorkerId(of(20 + n))),
        net_id: some(dice).map(|n| NetId(of(30 + n))),
        host_id: dice.per_mille(200).then(|| HostId(of(40))),
        of_hosts: dice.per_mille(100),
        ..event(dice.pick(&TYPES).unwrap(), *dice.pick(&SEVERITIES).unwrap(), &text.join(" "))
    }
}

/// Any filter at all, more often a narrow one than not.
fn any_query(dice: &mut Dice) -> EventQuery {
    let some = |dice: &mut Dice, of: usize| dice.per_mille(150).then(|| dice.below(of));
    let words: Vec<&str> = (0..dice.below(3)).map(|_| *dice.pick(&WORDS).unwrap()).collect();
    let types: Vec<String> = match dice.below(5) {
        0 => vec!["worker.*".to_owned()],
        1 => vec!["net.created".to_owned(), "host.*".to_owned()],
        2 => vec!["nothing.*".to_owned()],
        _ => Vec::new(),
    };
    let word = words.join(" ");
    EventQuery {
        since: some(dice, 60).map(|n| Timestamp(1_000 + n as u64 * 7)),
        until: some(dice, 60).map(|n| Timestamp(1_000 + n as u64 * 7)),
        types,
        severities: match dice.below(4) {
            0 => vec![Severity::Error, Severity::Warning, Severity::Error],
            1 => vec![Severity::Info],
            _ => Vec::new(),
        },
        resource: some(dice, 40).map(of),
        cluster_id: some(dice, 3).map(|n| ClusterId(of(n))),
        project_id: some(dice, 3).map(|n| ProjectId(of(10 + n))),
        worker_id: some(dice, 3).map(|n| WorkerId(of(20 + n))),
        net_id: some(dice, 3).map(|n| NetId(of(30 + n))),
        host_id: dice.per_mille(50).then(|| HostId(of(40))),
        // A beginning of a word, cut where it may.
        q: word.chars().take(1 + dice.below(word.chars().count().max(1))).collect(),
        acknowledged: dice.per_mille(200).then(|| dice.per_mille(500)),
    }
}

#[tokio::test]
async fn what_is_found_is_what_the_filter_and_the_scope_say() {
    let log = Log::open().await;
    let mut dice = Dice::new(8);
    let ana = Actor::User { id: UserId(of(90)), name: "Ana-Maria".to_owned() };
    for chunk in 0..6 {
        // The clock is set back once on the way.
        let start = if chunk == 3 { 1_020 } else { 1_000 + chunk * 60 };
        let events = (0..60).map(|n| any(&mut dice, start + n)).collect();
        log.write(if chunk % 2 == 0 { Actor::System } else { ana.clone() }, events).await;
    }
    let all = log.all().await;
    assert_eq!(all.len(), 360);
    assert!(all.windows(2).all(|pair| pair[0].id > pair[1].id), "newest first");
    let known: Vec<Event> = all.iter().filter(|event| event.id.0 % 3 == 0).cloned().collect();
    let acknowledged = log.store.transact(ana, move |draft| {
        known.iter().for_each(|event| draft.acknowledge(event));
        Ok::<_, Gone>(())
    });
    acknowledged.await.unwrap();
    let all = log.all().await;
    let scopes = [
        Scope::Fleet,
        Scope::Projects(Default::default()),
        Scope::Projects([ProjectId(of(10)), ProjectId(of(12))].into()),
    ];
    let (mut found, mut empty) = (0, 0);
    for _ in 0..600 {
        let query = any_query(&mut dice);
        let scope = dice.pick(&scopes).unwrap();
        let wanted: Vec<&Event> =
            all.iter().filter(|event| scope.sees_event(event) && query.holds(event)).collect();
        let got = log.walk(scope, &query, 1 + dice.below(40) as u32).await;
        assert_eq!(got.iter().collect::<Vec<_>>(), wanted, "{query:?} {scope:?}");
        (found, empty) = if wanted.is_empty() { (found, empty + 1) } else { (found + 1, empty) };
        let by = *dice.pick(&StatisticsBy::ALL).unwrap();
        let counted = statistics(log.store.pool(), scope, &query, by).await.unwrap();
        assert_eq!(counted.total, wanted.len() as u64, "{query:?} {scope:?} {by:?}");
        for bucket in &counted.buckets {
            let is_in = |event: &&&Event| match by {
                StatisticsBy::Type => event.kind == bucket.key,
                StatisticsBy::Hour => event.at.0 / 3_600_000 * 3_600_000 == bucket.at.unwrap().0,
                StatisticsBy::Resource => resources(event).next().is_some_and(|(kind, id)| {
                    id.to_string() == bucket.key && bucket.resource_type.as_deref() == Some(kind)
                }),
            };
            let of: Vec<_> = wanted.iter().filter(is_in).collect();
            assert_eq!(bucket.count, of.len() as u64, "{bucket:?} {query:?}");
            assert_eq!(bucket.info + bucket.success + bucket.warning + bucket.error, bucket.count);
            let errors = of.iter().filter(|event| event.severity == Severity::Error).count();
            assert_eq!(bucket.error, errors as u64);
        }
    }
    assert!(found > 100 && empty > 50, "{found} found something, {empty} nothing");
    log.close().await;
}

#[tokio::test]
async fn a_cursor_stays_where_it_is_while_events_come_and_go() {
    let log = Log::open().await;
    let write = async |from: u64| {
        let text = |n| event("event.logged", Severity::Info, &format!("note {n}"));
        log.write(Actor::System, (from..from + 200).map(text).collect()).await;
    };
    write(0).await;
    write(200).await;
    let query = EventQuery { q: "note".to_owned(), ..EventQuery::default() };
    let first = page(log.store.pool(), &Scope::Fleet, &query, None, 50).await.unwrap();
    let cursor = first.next.as_deref().and_then(read_cursor);
    write(400).await;
    let keep = Keep { within: Duration::from_secs(1 << 40), most: 500 };
    assert_eq!(trim(&log.store, keep, &Clock::default()).await.unwrap(), 100);
    let (mut rest, mut before) = (Vec::new(), cursor);
    while let Some(cursor) = before {
        let page = page(log.store.pool(), &Scope::Fleet, &query, Some(cursor), 50).await.unwrap();
        rest.extend(page.events);
        before = page.next.as_deref().and_then(read_cursor);
    }
    let ids: Vec<u64> = first.events.iter().chain(&rest).map(|event| event.id.0).collect();
    assert_eq!(ids, (101..=400).rev().collect::<Vec<_>>(), "each once, but for those that are not kept");
    log.close().await;
}

#[tokio::test]
async fn what_is_too_old_or_too_much_goes_and_what_the_snapshot_holds_stays() {
    let log = Log::open().await;
    let at =
        |n: u64| Event { at: Timestamp(n), ..event("worker.created", Severity::Info, &format!("zebra{n}")) };
    log.write(Actor::System, (1..=600).map(at).collect()).await;
    let clock = |now: u64| Clock::new(move || Timestamp(now));
    let keep = |within, most| Keep { within: Duration::from_millis(within), most };
    assert_eq!(trim(&log.store, keep(1_000, 1_000_000), &clock(1_000)).await.unwrap(), 0);
    assert_eq!(trim(&log.store, keep(1_000, 550), &clock(1_000)).await.unwrap(), 50, "by count");
    assert_eq!(trim(&log.store, keep(1_000, 1_000_000), &clock(1_250)).await.unwrap(), 199, "by age");
    let all = log.all().await;
    assert_eq!(all.iter().map(|event| event.at.0).min(), Some(250));
    let search = |word: &str| EventQuery { q: word.to_owned(), ..EventQuery::default() };
    assert_eq!(log.walk(&Scope::Fleet, &search("zebra249"), 10).await, [], "its words are forgotten as well");
    assert_eq!(log.walk(&Scope::Fleet, &search("zebra250"), 10).await.len(), 1);
    assert_eq!(
        trim(&log.store, keep(0, 100), &clock(u64::MAX / 4)).await.unwrap(),
        251,
        "the newest hundred stay"
    );
    assert_eq!(log.all().await.len(), 100);
    log.close().await;
}

#[tokio::test]
async fn a_log_from_before_can_be_searched() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    for before in [
        include_str!("../../../migrations/sqlite/0001_fleet.sql"),
        "INSERT INTO events (id, at, row) VALUES (7, 5, '{\"id\":7,\"at\":5,\"type\":\"worker.created\",\"severity\":\"info\",\"actor\":{\"kind\":\"user\",\"id\":\"00000000-0000-0000-0000-000000000001\",\"name\":\"Ana\"},\"text\":\"Worker zebra created\",\"worker_id\":\"00000000-0000-0000-0000-000000000003\"}')",
        include_str!("../../../migrations/sqlite/0012_event_log.sql"),
    ] {
        sqlx::raw_sql(before).execute(&mut connection).await.unwrap();
    }
    for word in
        ["zeb", "ana", "created", "\u{E000}00000000000000000000000000000003", "\u{E001}", "\u{E002}info"]
    {
        let found = "SELECT rowid FROM events_words WHERE events_words MATCH ?";
        let found: Vec<i64> =
            sqlx::query_scalar(found).bind(format!("\"{word}\"*")).fetch_all(&mut connection).await.unwrap();
        assert_eq!(found, [7], "{word}");
    }
    let columns: (String, String, Option<String>, i64) =
        sqlx::query_as("SELECT kind, severity, worker_id, acknowledged FROM events")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(columns, ("worker.created".into(), "info".into(), Some(WORKER.to_string()), 0));
}

async fn console() -> Console {
    Console::with(health([]), worker(WorkerStatus::Ready), vec![], vec![unloaded(1), unloaded(2)]).await
}

#[tokio::test]
async fn the_routes_of_the_log_answer_and_odd_input_is_told_what_is_wrong() {
    let console = console().await;
    let get = async |path: &str| console.ask(ANA, Method::GET, &format!("/api/events/{path}"), "").await;
    let page = get("history?limit=2&type=net.*").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert_eq!(page.body["events"].as_array().unwrap().len(), 2);
    assert_eq!(page.body["events"][0]["type"], "net.created");
    assert_eq!(page.body["events"][0]["data"]["net"], "net-2");
    let found = get(&format!("history?q=w1%20creat&worker_id={WORKER}&since=2020-01-01T00:00:00Z")).await;
    assert_eq!(found.body["events"][0]["text"], "Worker w1 created", "{}", found.text);
    assert!(found.body.get("next").is_none());
    let by = get("statistics?by=type").await;
    assert_eq!(by.body["buckets"][0]["key"], "net.created", "{}", by.text);
    assert_eq!(by.body["buckets"][0]["count"], 2);
    // What a search language would make of it is none of ours.
    for q in ["*", "\"", "a OR", "NEAR(a b)", "text:a", "a\"b", "(", "%00", "🦓", "'; DROP TABLE events;--"]
    {
        let answer =
            get(&format!("history?q={}", q.replace('%', "%25").replace(' ', "%20").replace('"', "%22")))
                .await;
        assert_eq!(answer.status, StatusCode::OK, "{q}: {}", answer.text);
    }
    for (path, said) in [
        ("history?type=Worker", "is no type of event"),
        ("history?severity=bad", "severity must be info, success, warning or error"),
        ("history?worker_id=7", "worker_id must be an id"),
        ("history?resource=moon:7", "resource must be an id, alone or after"),
        ("history?since=yesterday", "since must be a time"),
        ("history?since=-1", "since must be a time"),
        ("history?since=1960-01-01T00:00:00Z", "since must be a time"),
        ("history?since=2026-01-01T00:00:00Z&until=2025-01-01T00:00:00Z", "until must be later than since"),
        ("history?since=99999999999999999999", "since must be a time"),
        ("history?limit=0", "limit must be a whole number from 1 to 500"),
        ("history?limit=501", "limit must be a whole number from 1 to 500"),
        ("history?cursor=zzz", "This cursor is not one"),
        ("history?cursor=effffffffffffffff", "This cursor is not one"),
        ("history?acknowledged=perhaps", "acknowledged must be true or false"),
        ("history?q=a&q=b", "given twice"),
        ("history?colour=red", "There is no parameter"),
        ("history?by=type", "There is no parameter"),
        ("statistics?by=colour", "by must be type, hour or resource"),
        ("export?format=xml", "format must be jsonl or csv"),
        ("export?limit=5", "There is no parameter"),
    ] {
        let answer = get(path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}: {}", answer.text);
        assert!(answer.detail().contains(said), "{path}: {}", answer.detail());
    }
    assert_eq!(get("history?q=&type=").await.status, StatusCode::OK, "a form's empty fields ask for nothing");
}

#[tokio::test]
async fn signs_alone_find_nothing_and_blanks_ask_for_nothing() {
    let console = console().await;
    let get = async |path: &str| console.ask(ANA, Method::GET, &format!("/api/events/{path}"), "").await;
    // Signs alone are in no sentence: nothing is found, which is not the same as everything.
    for q in ["***", "%3F%21", "-"] {
        assert_eq!(get(&format!("history?q={q}")).await.body, serde_json::json!({"events": []}), "{q}");
        assert_eq!(get(&format!("statistics?by=type&q={q}")).await.body["total"], 0, "{q}");
        assert_eq!(get(&format!("export?q={q}")).await.text, "", "{q}");
    }
    let blank = get("history?q=%20&limit=1").await;
    assert_eq!(blank.body["events"].as_array().unwrap().len(), 1, "a blank asks for nothing: {}", blank.text);
    let of_worker = get(&format!("history?resource=worker:{WORKER}")).await;
    assert_eq!(of_worker.body, get(&format!("history?worker_id={WORKER}")).await.body, "as pages have it");
}

#[tokio::test]
async fn an_export_is_the_whole_history_in_either_format() {
    let console = console().await;
    let log = console.app.store().transact(Actor::System, |draft| {
        for n in 0..1_200 {
            draft.log(Severity::Info, "event.logged", format!("=cmd|{n} \"quoted\", and more"), |_| {});
        }
        Ok::<_, Gone>(())
    });
    log.await.unwrap();
    let get =
        async |path: &str| console.ask(ANA, Method::GET, &format!("/api/events/export?{path}"), "").await;
    let lines = get("format=jsonl&type=event.logged").await;
    let events: Vec<Event> = lines.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 1_200);
    assert!(events.windows(2).all(|pair| pair[0].id.0 == pair[1].id.0 + 1), "each once, newest first");
    let table = get("format=csv&q=quoted").await;
    let rows: Vec<&str> = table.text.split("\r\n").collect();
    assert_eq!(rows.len(), 1_200 + 2, "a head, a row each, and an end of line");
    assert!(rows[0].starts_with("id,time,type,"));
    assert!(rows[1].contains("\"'=cmd|1199 \"\"quoted\"\", and more\""), "{}", rows[1]);
}

#[tokio::test]
async fn events_are_acknowledged_and_rules_replaced_by_the_routes() {
    let console = console().await;
    let newest = console.fleet().events().next_back().unwrap().id;
    let path = "/api/events/acknowledge";
    let known = console.ask(ANA, Method::POST, path, &format!("{{\"ids\":[{newest}]}}")).await;
    assert_eq!(known.message(), "1 event was acknowledged.", "{}", known.text);
    let found = console.ask(BEN, Method::GET, "/api/events/history?acknowledged=true", "").await;
    assert_eq!(found.body["events"][0]["id"], newest.0, "{}", found.text);
    assert_eq!(found.body["events"][0]["acknowledged"]["by"]["name"], ANA);
    for wrong in
        ["{}", "{\"ids\":7}", "{\"ids\":[\"a\"]}", "{\"ids\":[18446744073709551615]}", "{\"ids\":[]}"]
    {
        let answer = console.ask(ANA, Method::POST, path, wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}: {}", answer.text);
    }
    let (path, rules) = ("/api/events/rules", r#"{"mutes":[{"type":"host.*","note":"moving"}]}"#);
    let none = console.ask(ANA, Method::GET, path, "").await;
    assert_eq!((none.status, &none.body["revision"]), (StatusCode::OK, &0.into()));
    let put = async |user: &str, revision: u64| {
        let tag = format!("\"{revision}\"");
        console.ask_with(user, Method::PUT, path, rules, &[("if-match", &tag)]).await.status
    };
    assert_eq!(put(ANA, 0).await, StatusCode::FORBIDDEN, "it takes an administrator");
    assert_eq!(put(EVA, 0).await, StatusCode::OK);
    assert_eq!(put(EVA, 0).await, StatusCode::PRECONDITION_FAILED, "it changed meanwhile");
    let there = console.ask(ANA, Method::GET, path, "").await;
    assert_eq!((&there.body["revision"], &there.body["mutes"][0]["note"]), (&1.into(), &"moving".into()));
}

/// One million events: `cargo test --release -- --ignored one_million_events --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: one million events"]
async fn one_million_events_are_searched_quickly_and_trimmed_without_stopping_writes() {
    let log = Log::open().await;
    let mut dice = Dice::new(1);
    let names = ["mixer", "oven", "press", "lathe", "robot"];
    let start = now().0 - 1_000_000 * 5_000;
    for chunk in 0..1_000u64 {
        let events: Vec<Event> = (0..1_000)
            .map(|n| {
                let at = start + (chunk * 1_000 + n) * 5_000;
                let (w, name) = (dice.below(2_000), *dice.pick(&names).unwrap());
                let (kind, severity, text) = match dice.below(10) {
                    0..4 => {
                        ("worker.status.updated", Severity::Success, format!("Worker {name}-{w} is ready"))
                    }
                    4 => (
                        "worker.status.updated",
                        Severity::Error,
                        format!("Worker {name}-{w} was ready and is error · unreachable: it does not answer"),
                    ),
                    5..9 => (
                        "net.load_state.updated",
                        Severity::Success,
                        format!("Net line-{w} loaded on {name}-{w}"),
                    ),
                    _ => (
                        "net.run_state.updated",
                        Severity::Info,
                        format!("Net line-{w} runs at {} firings/s", dice.below(500)),
                    ),
                };
                let text = if chunk == 3 && n == 7 { "Worker zebra exploded".to_owned() } else { text };
                let net = kind.starts_with("net").then(|| NetId(of(100_000 + w)));
                let project = net.map(|_| ProjectId(of(10 + w % 10)));
                Event {
                    at: Timestamp(at),
                    worker_id: Some(WorkerId(of(1_000 + w))),
                    cluster_id: Some(ClusterId(of(0))),
                    net_id: net,
                    project_id: project,
                    ..event(kind, severity, &text)
                }
            })
            .collect();
        log.write(Actor::System, events).await;
    }
    let query = |q: &str| EventQuery { q: q.to_owned(), ..EventQuery::default() };
    let fleet = Scope::Fleet;
    let member = Scope::Projects([ProjectId(of(10))].into());
    let mut slowest = Duration::ZERO;
    for (name, scope, query) in [
        ("everything", &fleet, query("")),
        ("a rare word", &fleet, query("zebra")),
        ("a frequent word", &fleet, query("worker")),
        ("three frequent words", &fleet, query("worker unreach answer")),
        ("one letter", &fleet, query("w")),
        ("a name", &fleet, query("mixer-17")),
        ("nothing", &fleet, query("nowhere")),
        ("two words that never meet", &fleet, query("net zebra")),
        ("a type", &fleet, EventQuery { types: vec!["worker.*".into()], ..query("") }),
        ("errors", &fleet, EventQuery { severities: vec![Severity::Error], ..query("") }),
        ("a net's timeline", &fleet, EventQuery { net_id: Some(NetId(of(100_500))), ..query("") }),
        ("a member's, one word", &member, query("loaded")),
        ("a member's errors", &member, EventQuery { severities: vec![Severity::Error], ..query("line") }),
        (
            "an old day",
            &fleet,
            EventQuery {
                since: Some(Timestamp(start)),
                until: Some(Timestamp(start + 86_400_000)),
                ..query("ready")
            },
        ),
        ("not acknowledged", &fleet, EventQuery { acknowledged: Some(false), ..query("") }),
        ("acknowledged", &fleet, EventQuery { acknowledged: Some(true), ..query("") }),
    ] {
        // The second time, as while somebody looks at the log.
        _ = page(log.store.pool(), scope, &query, None, 50).await.unwrap();
        let began = std::time::Instant::now();
        let found = page(log.store.pool(), scope, &query, None, 50).await.unwrap();
        let took = began.elapsed();
        println!("{:>8.1} ms  {:>2} events  {name}", took.as_secs_f64() * 1_000.0, found.events.len());
        slowest = slowest.max(took);
    }
    for by in StatisticsBy::ALL {
        let began = std::time::Instant::now();
        let counted = statistics(log.store.pool(), &fleet, &query(""), by).await.unwrap();
        assert_eq!(counted.total, 1_000_000);
        println!("{:>8.1} ms  statistics by {}", began.elapsed().as_secs_f64() * 1_000.0, by.as_str());
    }
    let writes = async |until: CancellationToken| {
        let mut took = Vec::new();
        while !until.is_cancelled() {
            let began = std::time::Instant::now();
            log.write(Actor::System, vec![event("event.logged", Severity::Info, "written meanwhile")]).await;
            took.push(began.elapsed());
        }
        took.sort_unstable();
        took
    };
    let percent = |took: &[Duration], n: usize| took[(took.len() - 1) * n / 100].as_secs_f64() * 1_000.0;
    let quiet = CancellationToken::new();
    let (alone, ()) = tokio::join!(writes(quiet.clone()), async {
        // So many writes without anything beside them.
        let mut versions = log.store.watch();
        let from = versions.borrow().head.version;
        versions.wait_for(|now| now.head.version >= from + 1_000).await.unwrap();
        quiet.cancel();
    });
    let done = CancellationToken::new();
    let (beside, ()) = tokio::join!(writes(done.clone()), async {
        let began = std::time::Instant::now();
        let keep = Keep { within: Duration::from_secs(1 << 40), most: 900_000 };
        let forgotten = trim(&log.store, keep, &Clock::default()).await.unwrap();
        println!("{forgotten} events forgotten in {:.1} s", began.elapsed().as_secs_f64());
        done.cancel();
    });
    println!(
        "writes alone: {} of p50 {:.1} ms, p99 {:.1} ms; while trimming: {} of p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        alone.len(),
        percent(&alone, 50),
        percent(&alone, 99),
        beside.len(),
        percent(&beside, 50),
        percent(&beside, 99),
        percent(&beside, 100),
    );
    println!("one million events: the slowest search took {:.1} ms", slowest.as_secs_f64() * 1_000.0);
    assert!(slowest < Duration::from_millis(200), "a search takes less than 200 ms");
    assert!(beside.len() > 100, "writes went on");
    assert!(percent(&beside, 99) < 250.0, "nobody waits long");
    log.close().await;
}
