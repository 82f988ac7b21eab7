//! Appends one transaction to the journal of a running console, over a connection of its own: `journal_append <database> <project name>`.
//!
//! The browser tests use it to show that the journal is the only feed: no handler of the server takes part, and the page changes.

use muster::{
    model::{Actor, Change, Name, Project, ProjectId, Timestamp},
    server::storage::append_from_outside,
};
use std::{env, error::Error, path::PathBuf, sync::Arc};
use uuid::Uuid;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args_os().skip(1);
    let (Some(database), Some(name)) = (args.next().map(PathBuf::from), args.next()) else {
        return Err("usage: journal_append <database> <project name>".into());
    };
    let name = Name::new(&name.to_string_lossy())?;
    let at = Timestamp(0);
    let project =
        Project { id: ProjectId(Uuid::new_v4()), name, revision: 1, created_at: at, updated_at: at };
    let change = Change::ProjectPut { created: true, project: Arc::new(project) };
    let head = append_from_outside(&database, at, Actor::System, vec![change]).await?;
    println!("{}", head.version);
    Ok(())
}
