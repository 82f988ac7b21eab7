//! Webhooks against a real receiver: an HTTP server that checks the signature by itself.

use super::{Pace, WebhookArgs, Webhooks, address::Policy, client::Outbound, sign::Secret, table};
use crate::{
    model::{Event, Matcher, Mute, Name, Priority, Severity, Webhook, WebhookId, WebhookPlan, WorkerStatus},
    server::{
        actions::tests::harness::{Console, EVA, PATIENCE},
        clock::now,
        storage::Store,
        supervise::tests::fixtures::*,
    },
};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    collections::VecDeque,
    future::IntoFuture,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What a receiver got.
#[derive(Clone, Debug)]
struct Got {
    id: String,
    kind: String,
    text: String,
    signed: bool,
}

/// A status, and a header.
type Planned = (u16, Option<String>);

/// Answers with the statuses it is given, then with 204.
#[derive(Clone)]
struct Receiver {
    url: String,
    secret: Arc<Mutex<String>>,
    answers: Arc<Mutex<VecDeque<Planned>>>,
    got: watch::Sender<Vec<Got>>,
}

impl Receiver {
    async fn start() -> Receiver {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Receiver {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            secret: Arc::default(),
            answers: Arc::default(),
            got: watch::Sender::new(Vec::new()),
        };
        let router = Router::new().route("/hook", post(receive)).with_state(receiver.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        receiver
    }

    fn answers(&self, status: u16, header: Option<&str>) {
        self.answers.lock().unwrap().push_back((status, header.map(str::to_owned)));
    }

    async fn until(&self, so: impl Fn(&[Got]) -> bool) -> Vec<Got> {
        let mut got = self.got.subscribe();
        let seen = tokio::time::timeout(PATIENCE, got.wait_for(|got| so(got))).await;
        seen.expect("the receiver got what it should in time").unwrap().clone()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
    // By the specification alone, not by our own code.
    let secret = receiver.secret.lock().unwrap().clone();
    let key = BASE64_STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&body);
    let signed =
        header("webhook-signature") == format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    let said: Value = serde_json::from_slice(&body).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let got = Got { id, kind: text(&said["type"]), text: text(&said["data"]["text"]), signed };
    let answer = receiver.answers.lock().unwrap().pop_front();
    receiver.got.send_modify(|all| all.push(got));
    match answer {
        None => StatusCode::NO_CONTENT.into_response(),
        Some((status, header)) => {
            let mut response = StatusCode::from_u16(status).unwrap().into_response();
            if let Some(header) = header {
                let (name, value) = header.split_once(": ").unwrap();
                let name: axum::http::HeaderName = name.parse().unwrap();
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
    }
}

async fn console() -> Console {
    Console::with(health([]), worker(WorkerStatus::Ready), Vec::new(), Vec::new()).await
}

const FAST: Pace = Pace {
    first_pause: Duration::from_millis(20),
    longest_pause: Duration::from_millis(50),
    give_up_after: Duration::from_secs(600),
};

fn plan(url: &str) -> WebhookPlan {
    WebhookPlan {
        name: Name::new("pager").unwrap(),
        url: url.to_owned(),
        matcher: Matcher::default(),
        priority: Priority::Low,
        enabled: true,
    }
}

/// Keeps a webhook, and runs what delivers.
async fn begin(
    store: &Store,
    receiver: &Receiver,
    plan: WebhookPlan,
    pace: Pace,
) -> (WebhookId, CancellationToken) {
    let secret = Secret::draw();
    *receiver.secret.lock().unwrap() = secret.told();
    let id = WebhookId(uuid::Uuid::now_v7());
    let webhook = Webhook {
        id,
        plan,
        revision: 1,
        created_at: now(),
        delivered: 0,
        given_up: 0,
        delivered_at: None,
        trouble: None,
    };
    table::insert(store.pool(), &webhook, &secret).await.unwrap();
    (id, run(store, pace))
}

fn run(store: &Store, pace: Pace) -> CancellationToken {
    let shutdown = CancellationToken::new();
    let webhooks = Webhooks::new(WebhookArgs { webhooks_private: true }).unwrap();
    tokio::spawn(webhooks.run(store.clone(), pace, shutdown.clone()));
    shutdown
}

async fn log(store: &Store, kind: &'static str, severity: Severity, text: &str) {
    let text = text.to_owned();
    let logged = store.transact(crate::model::Actor::System, move |draft| {
        draft.log(severity, kind, text, |_: &mut Event| {});
        Ok::<_, std::convert::Infallible>(())
    });
    logged.await.unwrap();
}

async fn webhook(store: &Store, id: WebhookId) -> Webhook {
    table::by_id(store.pool(), id).await.unwrap().unwrap().webhook
}

fn texts(got: &[Got]) -> Vec<&str> {
    got.iter().map(|got| got.text.as_str()).collect()
}

#[tokio::test]
async fn events_arrive_in_order_and_signed_and_are_tried_again() {
    let (console, receiver) = (console().await, Receiver::start().await);
    let store = console.app.store().clone();
    log(&store, "test.before", Severity::Info, "before it was made").await;
    for status in [500, 429, 302] {
        receiver.answers(status, None);
    }
    let (id, _running) = begin(&store, &receiver, plan(&receiver.url), FAST).await;
    for n in 0..5 {
        log(&store, "test.counted", Severity::Info, &format!("event {n}")).await;
    }
    let got = receiver.until(|got| got.len() >= 8).await;
    assert_eq!(
        texts(&got),
        ["event 0", "event 0", "event 0", "event 0", "event 1", "event 2", "event 3", "event 4"],
        "three failures, then all in order, and nothing of before"
    );
    assert!(got.iter().all(|got| got.signed && got.kind == "test.counted"), "{got:?}");
    assert!(got[..4].iter().all(|again| again.id == got[0].id), "the same id for the same event");
    assert_ne!(got[4].id, got[0].id);
    let row = tokio::time::timeout(PATIENCE, async {
        loop {
            let row = webhook(&store, id).await;
            if row.delivered == 5 {
                return row;
            }
            tokio::task::yield_now().await;
        }
    });
    let row = row.await.expect("the last delivery is written down");
    assert!(row.trouble.is_none() && row.delivered_at.is_some() && row.given_up == 0, "{row:?}");
    console.close().await;
}

#[tokio::test]
async fn what_is_muted_of_low_priority_or_of_another_type_is_not_sent() {
    let (console, receiver) = (console().await, Receiver::start().await);
    let store = console.app.store().clone();
    let muted = Matcher { kind: "test.muted".to_owned(), ..Matcher::default() };
    let rules = crate::model::EventRules {
        mutes: vec![Mute { matcher: muted, until: None, note: String::new() }],
        ..Default::default()
    };
    let put = store.transact(crate::model::Actor::System, move |draft| {
        draft.put_rules(rules);
        Ok::<_, std::convert::Infallible>(())
    });
    put.await.unwrap();
    let only = Matcher { kind: "test.*".to_owned(), ..Matcher::default() };
    let plan = WebhookPlan { matcher: only, priority: Priority::High, ..plan(&receiver.url) };
    let _running = begin(&store, &receiver, plan, FAST).await;
    log(&store, "test.muted", Severity::Error, "muted").await;
    log(&store, "test.low", Severity::Info, "low").await;
    log(&store, "other.kind", Severity::Error, "other").await;
    log(&store, "test.high", Severity::Error, "high").await;
    let got = receiver.until(|got| !got.is_empty()).await;
    assert_eq!(texts(&got), ["high"]);
    console.close().await;
}

#[tokio::test]
async fn a_receiver_that_wants_no_more_is_left_alone_and_one_that_never_takes_is_given_up() {
    let (console, receiver) = (console().await, Receiver::start().await);
    let store = console.app.store().clone();
    receiver.answers(410, None);
    let (id, running) = begin(&store, &receiver, plan(&receiver.url), FAST).await;
    log(&store, "test.gone", Severity::Info, "gone").await;
    let off = tokio::time::timeout(PATIENCE, async {
        while webhook(&store, id).await.plan.enabled {
            tokio::task::yield_now().await;
        }
    });
    off.await.expect("410 switches the webhook off");
    assert!(webhook(&store, id).await.trouble.unwrap().reason.contains("410"));
    // Whoever looks after it finds out from the log.
    let told = |fleet: &crate::model::Fleet| {
        let mut events = fleet.events();
        events.any(|event| event.kind == "webhook.disabled" && event.severity == Severity::Warning)
    };
    console.until("the log tells of it", told).await;
    running.cancel();

    let never = Receiver::start().await;
    for _ in 0..100 {
        never.answers(503, None);
    }
    let impatient = Pace { give_up_after: Duration::ZERO, ..FAST };
    let (id, _running) = begin(&store, &never, plan(&never.url), impatient).await;
    log(&store, "test.first", Severity::Info, "first").await;
    log(&store, "test.second", Severity::Info, "second").await;
    let got = never.until(|got| got.len() >= 2).await;
    assert_eq!(texts(&got), ["first", "second"], "what is given up does not hold up the next");
    let given_up = tokio::time::timeout(PATIENCE, async {
        while webhook(&store, id).await.given_up < 2 {
            tokio::task::yield_now().await;
        }
    });
    given_up.await.expect("both are written down as given up");
    console.close().await;
}

#[tokio::test]
async fn what_was_not_delivered_when_the_console_stopped_is_delivered_by_the_next() {
    let (console, receiver) = (console().await, Receiver::start().await);
    let store = console.app.store().clone();
    receiver.answers(500, None);
    let (_, running) = begin(&store, &receiver, plan(&receiver.url), FAST).await;
    log(&store, "test.kept", Severity::Info, "kept").await;
    receiver.until(|got| !got.is_empty()).await;
    running.cancel();
    log(&store, "test.kept", Severity::Info, "of the time between").await;
    let _again = run(&store, FAST);
    let got = receiver.until(|got| got.iter().any(|got| got.text == "of the time between")).await;
    assert!(got.iter().filter(|got| got.text == "kept").count() >= 2, "{got:?}");
    console.close().await;
}

#[tokio::test]
async fn an_address_that_is_not_of_the_internet_is_refused_by_name_and_behind_a_redirect() {
    let receiver = Receiver::start().await;
    *receiver.secret.lock().unwrap() = Secret::draw().told();
    let message =
        super::client::Message { id: "evt_1".to_owned(), body: b"{\"type\":\"x\",\"data\":{}}".to_vec() };
    let strict = Outbound::new(Policy::default()).unwrap();
    let port = receiver.url.split(':').nth(2).unwrap();
    for url in [
        format!("https://127.0.0.1:{port}"),
        format!("https://[::1]:{port}"),
        format!("https://localhost:{port}"),
    ] {
        let refused = strict.deliver(&url, &Secret::draw(), &message, now()).await.unwrap_err();
        assert!(refused.reason.contains("not an address of the public internet"), "{url}: {refused:?}");
    }
    assert!(receiver.got.borrow().is_empty(), "nothing was sent");

    // Even where private addresses are allowed, a redirect leads nowhere.
    let behind = Receiver::start().await;
    *behind.secret.lock().unwrap() = Secret::draw().told();
    receiver.answers(307, Some(&format!("location: {}", behind.url)));
    let open = Outbound::new(Policy { private: true }).unwrap();
    let refused = open.deliver(&receiver.url, &Secret::draw(), &message, now()).await.unwrap_err();
    assert!(refused.reason.contains("redirect"), "{refused:?}");
    assert!(behind.got.borrow().is_empty(), "the redirect was not followed");
}

#[tokio::test]
async fn the_api_makes_tests_changes_and_deletes_webhooks_for_administrators() {
    let (console, receiver) = (console().await, Receiver::start().await);
    *receiver.secret.lock().unwrap() = Secret::draw().told();
    let ask = async |method: Method, path: &str, body: Value| {
        console.ask(EVA, method, path, &body.to_string()).await
    };
    let wrong = [
        (json!({ "name": "p", "url": "http://example.com/" }), "must begin with https"),
        (json!({ "name": "p", "url": "https://10.0.0.1/" }), "not an address of the public internet"),
        (json!({ "name": "p", "url": "https://example.com/", "priority": "x" }), "priority must be"),
        (
            json!({ "name": "p", "url": "https://example.com/", "matcher": { "severity": "loud" } }),
            "matcher is not usable",
        ),
        (json!({ "url": "https://example.com/" }), "no field \"name\""),
    ];
    for (body, says) in wrong {
        let answer = ask(Method::POST, "/api/webhooks", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.detail().contains(says), "{}", answer.detail());
    }
    let made = ask(
        Method::POST,
        "/api/webhooks",
        json!({ "name": "pager", "url": "https://example.com/hook?key=1" }),
    )
    .await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert!(made.body["secret"].as_str().unwrap().starts_with("whsec_"));
    let path = format!("/api/webhooks/{}", made.body["id"].as_str().unwrap());
    let listed = ask(Method::GET, "/api/webhooks", json!({})).await;
    assert_eq!(listed.body[0]["name"], "pager");
    assert!(listed.body[0].get("secret").is_none(), "the secret is told once");
    let changed = ask(
        Method::PUT,
        &path,
        json!({ "name": "pager", "url": "https://example.com/other", "enabled": false }),
    )
    .await;
    assert_eq!((changed.status, &changed.body["enabled"]), (StatusCode::OK, &json!(false)));
    assert_eq!(ask(Method::DELETE, &path, json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ask(Method::GET, &path, json!({})).await.status, StatusCode::NOT_FOUND);
    for user in [crate::server::actions::tests::harness::ANA] {
        let answer = console.ask(user, Method::GET, "/api/webhooks", "").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{user} is no administrator");
    }
    console.close().await;
}
