//! The output of a command as it comes: `output`, `gap`, and in the end `end`.
//!
//! Text, for people to read: a piece never ends within a character, and bytes that are no UTF-8 are shown as U+FFFD. `size` counts the bytes
//! as they were written, so that `offset + size` is where to go on after the stream was cut. Whoever wants the very bytes asks
//! `/api/commands/{id}/output`.

use crate::{
    app::error::ApiError,
    model::{Command, CommandId, CommandStatus, PostCheck},
    server::{
        App,
        agents::outputs::{Extent, Piece},
        api::{commands, error::internal},
        auth::Who,
    },
    sync::sse::frame,
};
use bytes::Bytes;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Bytes of one frame.
const PIECE: usize = 64 << 10;

/// A command, and from where on its output is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct From {
    command: CommandId,
    offset: u64,
}

/// `<id>:<offset>`; without the offset, from the beginning.
pub async fn parse(app: &App, who: &Who, text: &str) -> Result<From, ApiError> {
    let (id, offset) = text.split_once(':').unwrap_or((text, "0"));
    let (Ok(command), Ok(offset)) = (id.parse(), offset.parse()) else {
        let given: String = text.chars().take(80).collect();
        let detail = format!("command must be the id of a command, a colon and an offset; it is {given:?}.");
        return Err(ApiError::BadRequest { detail });
    };
    commands::find(app, who, command).await?;
    Ok(From { command, offset })
}

#[derive(Serialize)]
struct Output<'a> {
    command_id: CommandId,
    offset: u64,
    size: u64,
    text: &'a str,
}

#[derive(Serialize)]
struct Gap {
    command_id: CommandId,
    offset: u64,
    size: u64,
}

#[derive(Serialize)]
struct End {
    command_id: CommandId,
    offset: u64,
    status: CommandStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_check: Option<PostCheck>,
}

/// Sends what is stored, then what comes, until the command is over or nobody reads any more.
pub async fn follow(app: &App, From { command: id, mut offset }: From, frames: &mpsc::Sender<Bytes>) {
    let mut fleets = app.store().watch();
    loop {
        fleets.mark_unchanged();
        // In this order: of a command that is over, everything is stored.
        let over = app.store().fleet().command(id).map(|row| row.status.is_over());
        // One that left the snapshot is over.
        let is_over = over.unwrap_or(true);
        let mut changes = (!is_over).then(|| app.agents().outputs().changes(id));
        if let Some(changes) = &mut changes {
            changes.mark_unchanged();
        }
        let sent = async {
            let extent = app.agents().outputs().extent(id).await?;
            send(app, id, &extent, &mut offset, is_over, frames).await
        };
        match sent.await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                internal(&error);
                return;
            }
        }
        if is_over {
            end(app, id, offset, frames).await;
            return;
        }
        let Some(mut changes) = changes else { return };
        let ends = async {
            let over = |row: &Arc<Command>| row.status.is_over();
            fleets.wait_for(|now| now.fleet.command(id).is_none_or(over)).await.map(drop).map_err(drop)
        };
        let grows = async {
            match changes.changed().await {
                Ok(()) => Ok(()),
                // Let go of because it is over: the fleet says so.
                Err(_) => std::future::pending().await,
            }
        };
        let more: Result<(), ()> = tokio::select! {
            ended = ends => ended,
            grown = grows => grown,
        };
        if more.is_err() {
            return;
        }
    }
}

/// Sends everything between `offset` and the end of the extent. False if nobody reads any more.
async fn send(
    app: &App,
    id: CommandId,
    extent: &Extent,
    offset: &mut u64,
    is_over: bool,
    frames: &mpsc::Sender<Bytes>,
) -> std::io::Result<bool> {
    loop {
        let sent = match app.agents().outputs().read(id, extent, *offset, PIECE).await? {
            Piece::End => return Ok(true),
            Piece::Gap { size } => {
                let gap = Gap { command_id: id, offset: *offset, size };
                *offset += size;
                put(frames, "gap", &gap).await
            }
            Piece::Bytes(bytes) => {
                let is_last = *offset + bytes.len() as u64 == extent.end && !is_over;
                let size = match whole_characters(&bytes) {
                    // The rest of a character is on its way.
                    0 if is_last => return Ok(true),
                    // A gap or the end follows, and the rest never comes.
                    0 => bytes.len(),
                    whole => whole,
                };
                let text = String::from_utf8_lossy(&bytes[..size]);
                let output = Output { command_id: id, offset: *offset, size: size as u64, text: &text };
                *offset += size as u64;
                put(frames, "output", &output).await
            }
        };
        if !sent {
            return Ok(false);
        }
    }
}

/// Bytes up to the last character that is whole; bytes that are none at all count as whole.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    // The last byte that begins a character of several.
    let begins = (tail..bytes.len()).rev().find(|at| bytes[*at] >= 0xC0);
    match begins {
        Some(at) => match std::str::from_utf8(&bytes[at..]) {
            Err(error) if error.valid_up_to() == 0 && error.error_len().is_none() => at,
            _ => bytes.len(),
        },
        None => bytes.len(),
    }
}

async fn end(app: &App, id: CommandId, offset: u64, frames: &mpsc::Sender<Bytes>) {
    let row = match app.store().fleet().command(id).cloned() {
        Some(row) => row,
        None => match crate::server::storage::hosts::command(app.store().pool(), id).await {
            Ok(Some(row)) => row.into(),
            Ok(None) => return,
            Err(error) => {
                internal(&error);
                return;
            }
        },
    };
    let (status, exit_code, post_check) = (row.status, row.exit_code, row.post_check.clone());
    put(frames, "end", &End { command_id: id, offset, status, exit_code, post_check }).await;
}

async fn put(frames: &mpsc::Sender<Bytes>, name: &str, data: &impl Serialize) -> bool {
    match serde_json::to_string(data) {
        Ok(json) => frames.send(Bytes::from(frame(name, None, &json))).await.is_ok(),
        Err(error) => {
            internal(&error);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_never_ends_within_a_character() {
        for (bytes, whole) in [
            (&b"abc"[..], 3),
            ("aé".as_bytes(), 3),
            (&"aé".as_bytes()[..2], 1),
            (&"€".as_bytes()[..2], 0),
            (&"x😀".as_bytes()[..4], 1),
            (b"a\xff", 2),
            (b"\x80\x80\x80\x80", 4),
            (b"", 0),
        ] {
            assert_eq!(whole_characters(bytes), whole, "{bytes:?}");
        }
    }
}
