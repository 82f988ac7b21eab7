//! What is said of one command on one connection: that it runs, its output from where the console has it, and its end.

use super::{
    commands::Holding,
    protocol::FromAgent,
    spool::{Next, Standing},
};
use crate::model::{CommandId, Outcome};
use std::{io, time::Duration};
use tokio::{sync::mpsc::Sender, task::spawn_blocking, time::timeout};

/// Output under way that the console has not stored.
const WINDOW: u64 = 1 << 20;
/// How soon new output is noticed.
const LOOK: Duration = Duration::from_millis(50);

/// What the connection is given to send.
#[derive(Debug)]
pub enum Frame {
    Say(FromAgent),
    Output { command_id: CommandId, offset: u64, bytes: Vec<u8> },
    Ping,
}

/// The connection is over, or the spool cannot be read.
enum Stop {
    Connection,
    Spool(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Spool(error)
    }
}

/// Tells everything, up to the end.
pub async fn tell(holding: Holding, frames: Sender<Frame>) {
    let id = holding.spool.record.command_id;
    match try_to_tell(&holding, &frames).await {
        Ok(()) | Err(Stop::Connection) => {}
        Err(Stop::Spool(error)) => {
            tracing::error!(command_id = %id, %error, "the output of a command cannot be read; tried again with the next connection");
        }
    }
}

async fn try_to_tell(holding: &Holding, frames: &Sender<Frame>) -> Result<(), Stop> {
    let command_id = holding.spool.record.command_id;
    let send = async |frame| frames.send(frame).await.map_err(|_| Stop::Connection);
    let timeout_s = holding.spool.record.timeout.as_secs();
    send(Frame::Say(FromAgent::Started { command_id, timeout_s })).await?;
    let mut stored = holding.stored.subscribe();
    let mut offset = *stored.borrow();
    loop {
        // The console may have more than this connection has sent: from an earlier one, just before it broke.
        offset = offset.max(*stored.borrow_and_update());
        let spool = holding.spool.clone();
        let looked = spawn_blocking(move || {
            // In this order: once the end is there no output is written any more.
            let standing = spool.standing()?;
            let next = spool.next(offset)?;
            Ok::<_, io::Error>((standing, next, spool.stored()))
        });
        let (standing, next, known) = looked.await.map_err(io::Error::other)??;
        if known > offset {
            // What was let go of while it was looked for is not lost: the console has it.
            offset = known;
            continue;
        }
        match (next, standing) {
            (Next::Bytes(bytes), _) => {
                let length = bytes.len() as u64;
                send(Frame::Output { command_id, offset, bytes }).await?;
                offset += length;
            }
            (Next::Gap(size), _) => {
                send(Frame::Say(FromAgent::Gap { command_id, offset, size })).await?;
                offset += size;
            }
            (Next::Nothing, Standing::Running) => {
                // Woken by what is stored as well, which changes nothing.
                let _ = timeout(LOOK, stored.changed()).await;
            }
            (Next::Nothing, Standing::NeverBegun) => {
                // Its runner was ended before it came to begin it.
                let reason = Some("The process that would have run it is gone; it was not begun".to_owned());
                let outcome = Outcome::Failed;
                send(Frame::Say(FromAgent::Finished { command_id, outcome, reason, output_bytes: 0 }))
                    .await?;
                return Ok(());
            }
            (Next::Nothing, Standing::Ended(ending)) if offset < ending.output_bytes => {
                let size = ending.output_bytes - offset;
                send(Frame::Say(FromAgent::Gap { command_id, offset, size })).await?;
                offset += size;
            }
            (Next::Nothing, Standing::Ended(ending)) => {
                let (outcome, reason, output_bytes) = (ending.outcome, ending.reason, ending.output_bytes);
                send(Frame::Say(FromAgent::Finished { command_id, outcome, reason, output_bytes })).await?;
                return Ok(());
            }
        }
        while offset.saturating_sub(*stored.borrow_and_update()) >= WINDOW {
            tokio::select! {
                changed = stored.changed() => changed.map_err(|_| Stop::Connection)?,
                () = frames.closed() => return Err(Stop::Connection),
            }
        }
        if frames.is_closed() {
            return Err(Stop::Connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::spool::{Ending, Record, Spool, Writer, boot};
    use std::{collections::BTreeMap, sync::Arc};
    use tokio::sync::{mpsc, watch};
    use uuid::Uuid;

    #[tokio::test]
    async fn what_was_stored_and_let_go_of_a_moment_ago_is_no_gap() {
        let commands = tempfile::tempdir().unwrap();
        let command_id = CommandId(Uuid::from_u128(1));
        let record = Record {
            command_id,
            kind: "test".parse().unwrap(),
            argv: vec!["true".to_owned()],
            cwd: "/".into(),
            env: BTreeMap::new(),
            timeout: Duration::from_secs(60),
            max_output: 1 << 20,
            checks: Vec::new(),
            boot: boot(),
        };
        let spool = Spool::create(commands.path(), record).unwrap();
        spool.begin().unwrap();
        Writer::new(spool.folder(), 1 << 20).write(b"said\n");
        let outcome = Outcome::Exited { code: 0 };
        spool.end(&Ending { outcome, reason: None, output_bytes: 5, interrupted: false }).unwrap();
        assert!(spool.store(5).unwrap());
        // Whoever stored it has not come to say so yet.
        let stored = Arc::new(watch::Sender::new(0));
        let (frames, mut said) = mpsc::channel(8);
        tell(Holding { spool: Arc::new(spool), stored, interrupted: false }, frames).await;
        assert!(matches!(said.recv().await, Some(Frame::Say(FromAgent::Started { .. }))));
        let end = FromAgent::Finished { command_id, outcome, reason: None, output_bytes: 5 };
        let second = said.recv().await;
        assert!(matches!(&second, Some(Frame::Say(told)) if *told == end), "{second:?}");
    }
}
