//! The connections: opened, filled by the server, and emptied by the client, cut anywhere.

use super::{CHAOS, Failure, Fault, LATEST, PATIENCE, World};
use crate::{
    sim::{
        client::{Connection, PIPE, Stage},
        plant::{Break, Tamper},
        process::Opened,
    },
    sync::{Close, sse::Parser},
};
use futures::Stream;
use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

impl World {
    pub(super) fn connect(&mut self, index: usize) {
        let now = self.now;
        let at = now + self.dice.between(1, 200);
        let process = self.dice.below(2);
        let lossy = self.plan.faults.contains(&Fault::Frames) && now < CHAOS && self.dice.per_mille(80);
        let number = self.dice.between(0, u64::MAX - 1);
        let begun = self.clients[index].replica.position().is_some();
        let keep = self.plan.plant == Some(Break::KeepParser);
        let client = &mut self.clients[index];
        let tamper = self.plan.plant.map(|plant| Tamper {
            plant,
            ahead: (crate::sync::Token(String::new()), 0),
            digest: None,
            begun,
        });
        let since = client.replica.position().cloned();
        let told = since.clone();
        if !keep {
            client.parser = Parser::default();
        }
        if let Some(connection) = client.connection.take() {
            self.recordings.extend(connection.recorded());
        }
        let client = &mut self.clients[index];
        client.connection = Some(Connection::opening(
            process,
            number,
            client.scope.clone(),
            since,
            at,
            at + PATIENCE,
            tamper,
            lossy,
        ));
        self.tell(Some(index), || format!("connects to process {process} since {told:?}"));
    }

    /// The server's end of a client's connection: opens it, or moves what waits into the pipe.
    pub(super) fn serve(&mut self, index: usize) -> Result<(), Box<Failure>> {
        let now = self.now;
        let Some(mut connection) = self.clients[index].connection.take() else { return Ok(()) };
        match &mut connection.stage {
            Stage::Opening { at, deadline } if *at <= now => {
                let (_, life) = self.returns[connection.process];
                let late = *deadline <= now;
                match &self.processes[connection.process] {
                    Some(process) if process.stops_at.is_none() => {
                        let since = connection.since.as_ref().and_then(|token| token.0.parse().ok());
                        let client = &self.clients[index];
                        connection.scope = client.scope.clone();
                        let scope = match self.plan.plant {
                            Some(Break::LeakScope) => &client.former_scope,
                            _ => &client.scope,
                        };
                        match process.open(&self.disk, scope, since) {
                            Opened::Resumed(subscription) => {
                                self.figures.resumed += 1;
                                (connection.stage, connection.life) = (Stage::Open(subscription), life);
                            }
                            Opened::Stream(subscription) => {
                                (connection.stage, connection.life) = (Stage::Open(subscription), life);
                            }
                            Opened::NotYet if late => connection.refuse(),
                            Opened::NotYet => {}
                        }
                    }
                    _ => connection.refuse(),
                }
            }
            Stage::Open(subscription) if connection.piped < PIPE => {
                match Pin::new(subscription).poll_next(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(Some(bytes)) => {
                        let mut bytes = bytes.to_vec();
                        if let Some(tamper) = &mut connection.tamper {
                            let head = self.disk.content().head;
                            tamper.ahead = (head.position(connection.scope.revision()).token(), head.version);
                            bytes = tamper.frames(&bytes);
                        }
                        let late = if self.dice.per_mille(30) { LATEST } else { 60 };
                        let last = connection.pipe.back().map_or(0, |(at, _)| *at);
                        let at = last.max(now + self.dice.between(0, late));
                        connection.piped += bytes.len();
                        if self.plan.record {
                            connection.recording.extend_from_slice(&bytes);
                        }
                        connection.pipe.push_back((at, bytes));
                    }
                    Poll::Ready(None) => (connection.stage, connection.ended) = (Stage::Closed, true),
                    Poll::Pending => {}
                }
            }
            Stage::Open(_) | Stage::Opening { .. } | Stage::Closed => {}
        }
        self.clients[index].connection = Some(connection);
        Ok(())
    }

    /// The client's end: bytes arrive, cut anywhere, or the end of the stream.
    pub(super) fn deliver(&mut self, index: usize) -> Result<(), Box<Failure>> {
        let now = self.now;
        if self.clients[index].asleep_until.is_some() {
            return Ok(());
        }
        let client = &mut self.clients[index];
        let Some(connection) = &mut client.connection else { return Ok(()) };
        if connection.half_open || connection.drain_until > now {
            return Ok(());
        }
        let Some((at, bytes)) = connection.pipe.front_mut() else {
            if connection.ended {
                let refused = connection.refused;
                client.connection = None;
                let close = match refused {
                    true => Close::Refused { status: 503, retry_after: None },
                    false => Close::Broken,
                };
                self.tell(Some(index), || format!("stream closed: {close:?}"));
                let jitter = self.dice.unit();
                let effects = self.clients[index].replica.on_close(close, now, jitter);
                return self.run_effects(index, effects);
            }
            return Ok(());
        };
        if *at > now {
            return Ok(());
        }
        let cut = match self.dice.per_mille(700) {
            true => bytes.len(),
            false => 1 + self.dice.below(bytes.len()),
        };
        let rest = bytes.split_off(cut.min(bytes.len()));
        let taken = std::mem::replace(bytes, rest);
        if bytes.is_empty() {
            connection.pipe.pop_front();
        }
        connection.piped -= taken.len();
        let lossy = connection.lossy && now < CHAOS;
        let stream = connection.number;
        let mut events = Vec::new();
        client.parser.push(&taken, &mut events);
        for event in events {
            let current = |world: &World| {
                world.clients[index].connection.as_ref().is_some_and(|connection| connection.number == stream)
            };
            if !current(self) {
                break;
            }
            if lossy && self.dice.per_mille(100) {
                // Whole frames are lost: no TCP does this, a bug in a proxy or in us might.
                if let Some(connection) = &mut self.clients[index].connection {
                    connection.faulty = true;
                }
                self.tell(Some(index), || format!("loses a frame: {}", event.event));
                continue;
            }
            self.message(index, &event)?;
        }
        Ok(())
    }
}
