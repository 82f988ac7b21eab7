//! The rules a replica keeps, one test each.

use super::*;
use crate::{
    model::{Actor, Change, ClusterId, Connection, Name, Provider, cluster::Cluster},
    sync::{
        Message, Position, Sync,
        digest::Digest,
        message::{Connected, Shutdown},
    },
};
use std::sync::Arc;
use uuid::Uuid;

fn cluster(n: u128, revision: u64) -> Change {
    let cluster = Cluster {
        id: ClusterId(Uuid::from_u128(n)),
        name: Name::new(&format!("c{n}")).unwrap(),
        provider: Provider::Local,
        region: None,
        connection: Connection::Connected,
        lab_sync_minutes: None,
        revision,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    };
    Change::ClusterPut { created: true, reconnected: false, cluster: Arc::new(cluster) }
}

fn token(version: u64) -> Token {
    Token(format!("e-{version}-c-0"))
}

fn init(version: u64) -> Message {
    Message::Init(FullState { position: token(version), version, state: Fleet::default() })
}

fn delta(prev: u64, version: u64) -> Message {
    let changes = vec![cluster(u128::from(version), 1)];
    Message::Delta(Delta {
        prev,
        version,
        position: token(version),
        at: Timestamp(version),
        actor: Actor::System,
        changes,
    })
}

fn sync(prev: u64, version: u64, digest: Option<Digest>) -> Message {
    Message::Sync(Sync { prev, version, position: token(version), server_time: Timestamp(version), digest })
}

fn connected() -> Message {
    Message::Connected(Connected {
        stream_id: "s".into(),
        instance: "i".into(),
        server_time: Timestamp(0),
        sync_interval_ms: 5_000,
        digest_interval_ms: 30_000,
        roles: Default::default(),
    })
}

/// A replica at version 10 on a stream that proved itself, at time 0.
fn followed() -> Replica {
    let mut replica = Replica::empty();
    assert_eq!(replica.tick(0, 0.5), [Effect::Connect]);
    replica.on_message(connected(), 0);
    replica.on_message(init(10), 0);
    assert_eq!(*replica.status(), Status::Connecting, "an init proves nothing yet");
    replica.on_message(sync(10, 10, None), 0);
    assert_eq!(*replica.status(), Status::Connected);
    replica
}

fn fetches(effects: &[Effect]) -> Option<u64> {
    effects.iter().find_map(|effect| {
        if let Effect::FetchFullState { at_least, .. } = effect { Some(*at_least) } else { None }
    })
}

#[test]
fn deltas_are_applied_in_order_and_once() {
    let mut replica = followed();
    assert!(matches!(replica.on_message(delta(10, 11), 1)[..], [Effect::Changed(_)]));
    assert_eq!(replica.on_message(delta(10, 11), 2), [], "a repeated delta is ignored");
    replica.on_message(delta(11, 14), 3);
    assert_eq!(replica.version(), Some(14), "versions between are invisible to this scope");
    assert_eq!(replica.fleet().clusters().len(), 2);
}

#[test]
fn a_gap_is_noticed_and_closed_without_losing_what_came_after_it() {
    let mut replica = followed();
    replica.on_message(delta(12, 13), 100);
    replica.on_message(delta(13, 14), 110);
    assert_eq!(replica.version(), Some(10), "nothing is shown beyond a gap");
    assert_eq!(replica.next_tick(), Some(600), "several reasons make one request");
    assert_eq!(fetches(&replica.tick(600, 0.5)), Some(12));
    let state = FullState { position: token(12), version: 12, state: Fleet::default() };
    replica.on_full_state(1, Ok(state), 700);
    assert_eq!(replica.version(), Some(14));
    assert_eq!(replica.fleet().clusters().len(), 2);
}

#[test]
fn an_answer_older_than_the_replica_is_ignored() {
    let mut replica = followed();
    replica.on_message(delta(12, 13), 0);
    replica.tick(500, 0.5);
    replica.on_message(init(20), 510);
    let old = FullState { position: token(12), version: 12, state: Fleet::default() };
    assert_eq!(replica.on_full_state(1, Ok(old), 520), []);
    assert_eq!(replica.version(), Some(20));
}

#[test]
fn an_answer_that_does_not_come_is_asked_for_again() {
    let mut replica = followed();
    replica.on_message(delta(12, 13), 0);
    assert!(fetches(&replica.tick(500, 0.5)).is_some());
    replica.on_full_state(1, Err(Unanswered::Failed), 600);
    assert_eq!(fetches(&replica.tick(2_600, 0.5)), Some(12));
}

#[test]
fn drift_is_mended_although_the_server_goes_on() {
    let mut replica = followed();
    let wrong = Digest(Digest::of(replica.fleet()).0 + 1);
    replica.on_message(sync(10, 10, Some(wrong)), 0);
    assert_eq!(fetches(&replica.tick(500, 0.5)), Some(10));
    for version in 11..=13 {
        replica.on_message(delta(version - 1, version), 600);
    }
    let mut state = Fleet::default();
    state.apply(&cluster(5, 1));
    state.apply(&cluster(11, 1));
    let answer = FullState { position: token(11), version: 11, state };
    assert!(replica.on_full_state(1, Ok(answer), 700).contains(&Effect::Replaced));
    assert_eq!(replica.version(), Some(13), "nothing goes back");
    assert_eq!(replica.fleet().clusters().len(), 4, "what was missing is there, and what came since");
}

#[test]
fn a_gap_belongs_to_its_stream() {
    let mut replica = followed();
    replica.on_message(delta(12, 13), 0);
    replica.tick(500, 0.5);
    replica.on_close(Close::Broken, 600, 0.0);
    assert_eq!(replica.tick(600, 0.5), [Effect::Connect], "the new stream begins where the replica is");
    let answer = FullState { position: token(12), version: 12, state: Fleet::default() };
    assert_eq!(replica.on_full_state(1, Ok(answer.clone()), 610), [], "the old stream's answer is late");
    replica.on_message(sync(10, 10, None), 615);
    replica.on_message(delta(14, 15), 620);
    assert!(fetches(&replica.tick(1_120, 0.5)).is_some());
    assert_eq!(replica.on_full_state(1, Ok(answer), 1_130), [], "and is not taken for the new one's");
}

#[test]
fn a_digest_that_differs_is_drift() {
    let mut replica = followed();
    let right = Digest::of(replica.fleet());
    replica.on_message(sync(10, 10, Some(right)), 0);
    assert_eq!(fetches(&replica.tick(500, 0.5)), None);
    replica.on_message(sync(10, 10, Some(Digest(right.0 + 1))), 1_000);
    assert_eq!(fetches(&replica.tick(1_500, 0.5)), Some(10));
}

#[test]
fn a_sync_beyond_a_gap_proves_nothing() {
    let mut replica = Replica::empty();
    replica.tick(0, 0.5);
    replica.on_message(init(10), 0);
    replica.on_message(sync(12, 12, None), 0);
    assert_eq!(*replica.status(), Status::Connecting);
    assert_eq!(replica.version(), Some(10));
    assert_eq!(fetches(&replica.tick(500, 0.5)), Some(12));
    replica.on_message(sync(12, 15, None), 600);
    let state = FullState { position: token(13), version: 13, state: Fleet::default() };
    replica.on_full_state(1, Ok(state), 700);
    assert_eq!(
        fetches(&replica.tick(1_200, 0.5)),
        Some(15),
        "nor is it forgotten while an answer is on its way"
    );
}

#[test]
fn a_silent_stream_is_dead_whatever_the_socket_says() {
    let mut replica = followed();
    let silence = SILENCE.as_millis() as u64;
    assert_eq!(replica.tick(silence - 1, 0.5), []);
    assert_eq!(replica.tick(silence, 0.5), [Effect::Disconnect, Effect::Status]);
    assert_eq!(*replica.status(), Status::Reconnecting { attempt: 1, retry_at: silence + 500 });
    assert_eq!(replica.tick(silence + 500, 0.5), [Effect::Connect]);
}

#[test]
fn only_a_sync_resets_the_backoff() {
    let mut replica = followed();
    for attempt in 1..=3 {
        replica.on_close(Close::Broken, 0, 1.0);
        assert!(matches!(replica.status(), Status::Reconnecting { attempt: now, .. } if *now == attempt));
        replica.tick(40_000, 1.0);
        replica.on_message(connected(), 40_000);
    }
    replica.on_message(sync(10, 10, None), 40_000);
    replica.on_close(Close::Broken, 50_000, 1.0);
    assert_eq!(*replica.status(), Status::Reconnecting { attempt: 1, retry_at: 51_000 });
}

#[test]
fn beyond_the_tenth_try_the_badge_is_red_and_trying_goes_on() {
    let mut replica = followed();
    for _ in 0..11 {
        replica.on_close(Close::Broken, 0, 1.0);
        replica.tick(40_000, 1.0);
    }
    replica.on_close(Close::Broken, 0, 1.0);
    assert_eq!(*replica.status(), Status::Disconnected { retry_at: 30_000 });
    assert_eq!(replica.tick(30_000, 1.0), [Effect::Connect]);
}

#[test]
fn a_401_stops_trying_until_signing_in() {
    let mut replica = followed();
    replica.on_close(Close::Refused { status: 401, retry_after: None }, 0, 0.5);
    assert_eq!(*replica.status(), Status::SignedOut);
    assert_eq!(replica.next_tick(), None);
    assert_eq!(replica.retry_now(1_000), []);
    assert_eq!(*replica.fleet(), Fleet::default(), "nothing that was seen stays");
    assert_eq!(replica.position(), None, "who signs in next begins anew");
}

#[test]
fn retry_after_is_obeyed() {
    let mut replica = followed();
    replica.on_close(Close::Refused { status: 503, retry_after: Some(Duration::from_secs(20)) }, 0, 0.0);
    assert_eq!(replica.next_tick(), Some(20_000));
}

#[test]
fn clients_of_a_server_that_goes_down_come_back_spread() {
    let mut replica = followed();
    replica.on_message(Message::Shutdown(Shutdown { spread_ms: 5_000 }), 0);
    replica.on_close(Close::Broken, 0, 0.8);
    assert_eq!(replica.next_tick(), Some(4_000));
}

#[test]
fn who_may_see_something_else_now_comes_back_at_once_and_only_once_in_a_row() {
    let mut replica = followed();
    replica.on_message(Message::Shutdown(Shutdown { spread_ms: 0 }), 7);
    replica.on_close(Close::Broken, 7, 0.9);
    assert_eq!(replica.next_tick(), Some(7));
    replica.tick(7, 0.9);
    replica.on_message(Message::Shutdown(Shutdown { spread_ms: 0 }), 8);
    replica.on_close(Close::Broken, 8, 0.9);
    assert!(replica.next_tick() > Some(1_000), "no stream was proven in between: {:?}", replica.next_tick());
}

#[test]
fn offline_waits_for_the_network_and_then_tries_at_once() {
    let mut replica = followed();
    replica.offline();
    assert_eq!(*replica.status(), Status::Offline);
    assert_eq!(replica.next_tick(), None);
    assert!(replica.retry_now(9_000).contains(&Effect::Connect));
}

#[test]
fn an_init_goes_back_only_where_the_server_has_compared_the_position() {
    let mut replica = followed();
    assert_eq!(
        replica.on_message(init(3), 1),
        [Effect::Status, Effect::Connect],
        "it may be a process that is behind"
    );
    assert_eq!(replica.version(), Some(10));
    replica.on_message(connected(), 2);
    assert!(replica.on_message(init(3), 3).contains(&Effect::Replaced), "it was restored");
    assert_eq!(replica.version(), Some(3));
}

#[test]
fn messages_of_a_stream_that_was_given_up_are_ignored() {
    let mut replica = followed();
    replica.on_close(Close::Broken, 0, 0.5);
    assert_eq!(replica.on_message(delta(10, 11), 1), []);
    assert_eq!(replica.version(), Some(10));
}

fn at(version: u64, chain: u64) -> Token {
    Position { epoch: 1, version, chain, scope: 0 }.token()
}

/// A replica at version 10 of epoch 1, live at time 0.
fn followed_by_position() -> Replica {
    let state = FullState { position: at(10, 10), version: 10, state: Fleet::default() };
    let mut replica = Replica::from_snapshot(state, Timestamp(0), 0);
    replica.tick(0, 0.5);
    let position = at(10, 10);
    replica.on_message(
        Message::Sync(Sync { prev: 10, version: 10, position, server_time: Timestamp(0), digest: None }),
        0,
    );
    replica
}

#[test]
fn an_answer_from_elsewhere_that_is_ahead_leaves_the_stream_two_seconds() {
    let mut replica = followed_by_position();
    replica.heard_of(&at(9, 9), Timestamp(0), 100);
    replica.heard_of(&at(10, 10), Timestamp(0), 100);
    assert_eq!(replica.next_tick(), Some(SILENCE.as_millis() as u64), "nothing new");
    replica.heard_of(&at(12, 12), Timestamp(0), 100);
    assert_eq!(fetches(&replica.tick(2_099, 0.5)), None);
    assert_eq!(fetches(&replica.tick(2_100, 0.5)), Some(12));

    let mut replica = followed_by_position();
    replica.heard_of(&at(11, 11), Timestamp(0), 100);
    let Message::Delta(mut delta) = delta(10, 11) else { unreachable!() };
    delta.position = at(11, 11);
    replica.on_message(Message::Delta(delta), 1_000);
    assert_eq!(fetches(&replica.tick(2_100, 0.5)), None, "the stream brought it");
}

#[test]
fn an_answer_from_another_history_is_not_covered_by_a_greater_number() {
    let mut replica = followed_by_position();
    replica.heard_of(&at(10, 99), Timestamp(0), 0);
    assert_eq!(fetches(&replica.tick(2_000, 0.5)), Some(10));
}

#[test]
fn with_real_time_off_polls_alone_feed_the_replica() {
    let mut replica = followed_by_position();
    assert!(replica.switch_off().contains(&Effect::Disconnect));
    assert_eq!(replica.retry_now(1), []);
    assert_eq!(replica.next_tick(), None);
    replica.heard_of(&at(10, 10), Timestamp(30), 30_000);
    assert_eq!((replica.as_of(), replica.age(31_000)), (Some(Timestamp(30)), Duration::from_secs(1)));
    replica.heard_of(&at(11, 11), Timestamp(60), 60_000);
    assert_eq!(fetches(&replica.tick(60_000, 0.5)), Some(11));
    let state = FullState { position: at(11, 11), version: 11, state: Fleet::default() };
    assert!(replica.on_full_state(1, Ok(state), 60_100).contains(&Effect::Replaced));
    assert_eq!((replica.version(), replica.as_of()), (Some(11), Some(Timestamp(60))));
    assert!(replica.reconnect(61_000).contains(&Effect::Connect));
}

#[test]
fn a_follower_shows_how_its_leader_stands_and_goes_on_when_told() {
    let mut replica = followed();
    replica.led(Status::Offline);
    assert_eq!(*replica.status(), Status::Offline);
    assert_eq!(replica.next_tick(), None);
    assert!(replica.reconnect(1).contains(&Effect::Connect));
    replica.on_message(sync(10, 10, None), 2);
    assert_eq!(*replica.status(), Status::Connected);
    replica.led(Status::SignedOut);
    assert_eq!((replica.fleet(), replica.position()), (&Fleet::default(), None));
}

fn in_scope(version: u64, scope: u64) -> Token {
    Position { epoch: 1, version, chain: version, scope }.token()
}

/// The membership changed while the state was asked for, and the stream of the old one is not cut yet.
#[test]
fn an_answer_of_another_scope_is_not_shown_and_ends_the_stream() {
    let mut replica = followed_by_position();
    let Message::Delta(gap) = delta(12, 13) else { unreachable!() };
    replica.on_message(Message::Delta(Delta { position: in_scope(13, 0), ..gap }), 0);
    assert!(fetches(&replica.tick(500, 0.5)).is_some());
    let answer = FullState { position: in_scope(14, 7), version: 14, state: Fleet::default() };
    let effects = replica.on_full_state(1, Ok(answer), 600);
    assert!(effects.contains(&Effect::Disconnect) && !effects.contains(&Effect::Replaced));
    assert_eq!(replica.version(), Some(10));
    assert!(replica.tick(2_000, 0.5).contains(&Effect::Connect), "the server says what holds now");
}

#[test]
fn a_frame_of_another_scope_is_not_applied_and_ends_the_stream() {
    let mut replica = followed_by_position();
    let Message::Delta(other) = delta(10, 11) else { unreachable!() };
    let effects = replica.on_message(Message::Delta(Delta { position: in_scope(11, 7), ..other }), 1);
    assert!(effects.contains(&Effect::Disconnect));
    assert_eq!((replica.version(), replica.fleet().clusters().len()), (Some(10), 0));
}

#[test]
fn a_state_that_the_server_refuses_as_foreign_is_not_asked_for_again_on_that_stream() {
    let mut replica = followed();
    replica.on_message(delta(12, 13), 0);
    replica.tick(500, 0.5);
    let effects = replica.on_full_state(1, Err(Unanswered::Foreign), 600);
    assert!(effects.contains(&Effect::Disconnect));
    assert_eq!(replica.tick(1_600, 1.0), [Effect::Connect]);
    assert_eq!(
        replica.next_tick(),
        Some(1_600 + SILENCE.as_millis() as u64),
        "nothing but the stream is due"
    );
}

#[test]
fn who_is_told_to_ask_later_waits_also_on_another_stream() {
    let mut replica = followed();
    replica.on_message(delta(12, 13), 0);
    replica.tick(500, 0.5);
    replica.on_full_state(1, Err(Unanswered::TooSoon(Duration::from_secs(9))), 600);
    assert_eq!(replica.next_tick(), Some(9_600));
    replica.on_close(Close::Broken, 9_000, 0.0);
    replica.tick(9_000, 0.5);
    replica.on_message(sync(10, 10, None), 9_000);
    replica.on_message(delta(12, 13), 9_000);
    assert_eq!(fetches(&replica.tick(9_599, 0.5)), None, "a new stream is no excuse");
    assert_eq!(fetches(&replica.tick(9_600, 0.5)), Some(12));
}

#[test]
fn an_init_that_was_lost_is_had_by_a_new_stream() {
    let mut replica = Replica::empty();
    replica.tick(0, 0.5);
    replica.on_message(connected(), 0);
    assert!(replica.on_message(delta(10, 11), 1).contains(&Effect::Disconnect));
    assert_eq!(replica.version(), None, "nothing was shown");

    // After a restore: numbers below ours, that would pass ours in time.
    let mut replica = followed();
    replica.on_close(Close::Broken, 0, 0.0);
    replica.tick(0, 0.5);
    replica.on_message(connected(), 1);
    assert!(replica.on_message(sync(4, 4, None), 2).contains(&Effect::Disconnect));
    assert_eq!(replica.version(), Some(10));
}

#[test]
fn a_stream_that_goes_back_without_an_init_is_given_up() {
    let mut replica = followed();
    replica.on_message(delta(10, 12), 1);
    assert_eq!(replica.on_message(delta(10, 12), 2), [], "repeated is harmless");
    assert!(replica.on_message(delta(8, 9), 3).contains(&Effect::Disconnect));
    assert_eq!(replica.version(), Some(12));
}

#[test]
fn a_replica_ahead_of_its_stream_waits_for_it() {
    let mut replica = followed();
    assert!(replica.in_step());
    replica.on_message(delta(11, 12), 0);
    replica.tick(500, 0.5);
    let state = FullState { position: token(15), version: 15, state: Fleet::default() };
    replica.on_full_state(1, Ok(state), 600);
    assert!(!replica.in_step());
    assert_eq!(replica.on_message(delta(12, 14), 601), [], "known already");
    assert!(matches!(replica.on_message(delta(14, 17), 602)[..], [Effect::Changed(_)]));
    assert!(replica.in_step());
}
