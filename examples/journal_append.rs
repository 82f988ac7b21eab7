//! Appends one transaction to the journal of a running console, over a connection of its own:
//! `journal_append <database> <project name>`, or `journal_append <database> -` with a JSON list of changes on standard input.
//!
//! The browser tests use it to show that the journal is the only feed: no handler of the server takes part, and the page changes.

use muster::{
    model::{Actor, Change, Name, Project, ProjectId, Timestamp},
    server::storage::append_from_outside,
};
use std::{
    env,
    error::Error,
    io::Read,
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args_os().skip(1);
    let (Some(database), Some(name)) = (args.next().map(PathBuf::from), args.next()) else {
        return Err("usage: journal_append <database> <project name | ->".into());
    };
    let (at, changes) = if name == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
        (Timestamp(now), serde_json::from_str::<Vec<Change>>(&text)?)
    } else {
        let (at, name) = (Timestamp(0), Name::new(&name.to_string_lossy())?);
        let project = Project {
            id: ProjectId(Uuid::new_v4()),
            name,
            quotas: Default::default(),
            revision: 1,
            created_at: at,
            updated_at: at,
        };
        (at, vec![Change::ProjectPut { created: true, project: Arc::new(project) }])
    };
    let head = append_from_outside(&database, at, Actor::System, changes).await?;
    println!("{}", head.version);
    Ok(())
}
