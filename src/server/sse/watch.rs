//! `GET /api/watch?net=<id>&command=<id>:<offset>`: the marking and the firings of one net, and the output of one command, live, for the tab
//! that shows them.
//!
//! Stateless: each stream of a net is a stream of the worker's own, passed on. It outlives loading and unloading: while the net is not
//! loaded it says `gone`, and when it is loaded again the marking follows. For output see [`super::output`].

use super::{output, respond};
use crate::{
    app::error::ApiError,
    model::{LoadId, Machine, NetId, WorkerId},
    server::{App, api::error::internal, auth::Who},
    sync::{Scope, sse::frame},
    worker::protocol::NetEvent,
};
use axum::{
    extract::{Query, State},
    response::Response,
};
use bytes::Bytes;
use futures::StreamExt;
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::mpsc;

#[derive(Debug, Deserialize)]
pub struct WatchQuery {
    net: Option<String>,
    command: Option<String>,
}

/// Frames that may wait for a slow tab; then its worker's stream waits, and the worker makes it whole again.
const WAITING: usize = 16;
/// Something is sent this often, so that a broken connection is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
const RETRY: Duration = Duration::from_millis(500);

pub async fn watch(
    State(app): State<App>,
    who: Who,
    Query(query): Query<WatchQuery>,
) -> Result<Response, ApiError> {
    if query.net.is_none() && query.command.is_none() {
        let detail = "Say what to watch: net=<id>, command=<id>:<offset>, or both.".to_owned();
        return Err(ApiError::BadRequest { detail });
    }
    let net = query.net.as_deref().map(|net| visible(&app, &who, net)).transpose()?;
    let from = match &query.command {
        Some(text) => Some(output::parse(&app, &who, text).await?),
        None => None,
    };
    let (frames, receiver) = mpsc::channel(WAITING);
    let end = app.cutter().token(&who);
    let shutdown = app.shutdown().clone();
    app.tasks().spawn({
        let (app, scope) = (app.clone(), who.scope.clone());
        async move {
            tokio::select! {
                () = leaves(&app, net, &scope) => {}
                () = end.cancelled() => {}
                () = shutdown.cancelled() => {}
                () = frames.closed() => {}
                ((), ()) = async { tokio::join!(
                    async { if let Some(net) = net { follow(&app, net, &frames).await } },
                    async { if let Some(from) = from { output::follow(&app, from, &frames).await } },
                ) } => {}
            }
        }
    });
    let stream = futures::stream::unfold(receiver, |mut receiver| async {
        let next = tokio::time::timeout(KEEP_ALIVE, receiver.recv()).await;
        let bytes = next.unwrap_or_else(|_| Some(Bytes::from_static(b": still here\n\n")))?;
        Some((bytes, receiver))
    });
    Ok(respond(stream.boxed()))
}

fn visible(app: &App, who: &Who, text: &str) -> Result<NetId, ApiError> {
    let bad = |_| ApiError::BadRequest { detail: format!("{text:?} is not the id of a net.") };
    let net: NetId = text.parse().map_err(bad)?;
    let fleet = app.store().fleet();
    let is_visible = fleet.net(net).is_some_and(|net| who.scope.sees_project(net.project_id));
    if is_visible { Ok(net) } else { Err(ApiError::Gone { what: "net".to_owned() }) }
}

/// Waits until the net is in a project that the scope does not see.
async fn leaves(app: &App, net: Option<NetId>, scope: &Scope) {
    if let (Some(net), Scope::Projects(_)) = (net, scope) {
        let mut fleets = app.store().watch();
        let unseen =
            fleets.wait_for(|now| now.fleet.net(net).is_some_and(|net| !scope.sees_project(net.project_id)));
        if unseen.await.is_ok() {
            return;
        }
    }
    std::future::pending().await
}

/// Passes on the worker's stream, and finds the next one when it ends. Returns when the net or the client is gone.
async fn follow(app: &App, net: NetId, frames: &mpsc::Sender<Bytes>) {
    let mut said_gone = false;
    let mut changes = app.store().watch();
    loop {
        changes.mark_unchanged();
        let fleet = app.store().fleet();
        let Some(row) = fleet.net(net) else { return };
        let loaded = row.is_loaded().then(|| loaded_at(app, net)).flatten();
        if let Some((machine, worker, _)) = loaded {
            if let Ok(mut events) = app.client().watch(&machine, worker, net).await {
                while let Some(Ok(event)) = events.next().await {
                    if event == NetEvent::Gone {
                        break;
                    }
                    said_gone = false;
                    if send(frames, &event).await.is_err() {
                        return;
                    }
                }
            }
            // Whether it was unloaded or its worker died, the fleet will say; ask again after a moment either way.
            let _ = tokio::time::timeout(RETRY, changes.changed()).await;
            continue;
        }
        if !said_gone && send(frames, &NetEvent::Gone).await.is_err() {
            return;
        }
        said_gone = true;
        if changes.changed().await.is_err() {
            return;
        }
    }
}

fn loaded_at(app: &App, net: NetId) -> Option<(Machine, WorkerId, LoadId)> {
    let fleet = app.store().fleet();
    let net = fleet.net(net)?;
    let worker = fleet.worker_of(net)?;
    Some((worker.machine.clone()?, worker.id, net.load_id?))
}

async fn send(frames: &mpsc::Sender<Bytes>, event: &NetEvent) -> Result<(), mpsc::error::SendError<Bytes>> {
    let name = match event {
        NetEvent::Marking { .. } => "marking",
        NetEvent::Changed { .. } => "changed",
        NetEvent::RunState { .. } => "run_state",
        NetEvent::Gone => "gone",
    };
    match serde_json::to_string(event) {
        Ok(json) => frames.send(Bytes::from(frame(name, None, &json))).await,
        Err(error) => {
            internal(&error);
            Ok(())
        }
    }
}
