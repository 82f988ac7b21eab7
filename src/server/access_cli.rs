//! `muster user` and `muster token`: users and tokens on the console's machine, in the database file. A console that runs notices within a
//! second: it follows the table of access changes, which triggers write.

use super::{
    api::tokens::{DAYS, in_days},
    auth::{
        account,
        token::{self, Of},
        user::{self, LastAdmin, User},
    },
    clock::now,
    events::Entry,
    storage::{self, StorageError, audit},
    workers::{KeyError, Keys},
};
use crate::{
    app::error::ApiError,
    model::{Actor, NewToken, NewUser, Role, Roles, Timestamp, TokenId, UserEdit, UserId, WorkerId},
};
use clap::{Args, Subcommand, ValueEnum};
use sqlx::SqlitePool;
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Manage users, on the console's machine; a console that runs notices within a second.
#[derive(Debug, Args)]
pub struct UserArgs {
    #[command(subcommand)]
    what: OfUsers,
    /// Directory of the console, where its database is.
    #[arg(long, env = "MUSTER_DATA", default_value = "data", global = true)]
    data: PathBuf,
}

/// A role in the whole fleet.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FleetRole {
    /// None: sees what the projects show that it is a member of.
    None,
    Viewer,
    Operator,
    Admin,
}

impl From<FleetRole> for Option<Role> {
    fn from(role: FleetRole) -> Option<Role> {
        match role {
            FleetRole::None => None,
            FleetRole::Viewer => Some(Role::Viewer),
            FleetRole::Operator => Some(Role::Operator),
            FleetRole::Admin => Some(Role::Admin),
        }
    }
}

#[derive(Debug, Subcommand)]
enum OfUsers {
    /// Every user: address, name, role in the whole fleet, projects, and whether they can sign in.
    List,
    /// Add a user, and print the path of the link with which they choose a password.
    Add {
        email: String,
        /// Others see it beside what they do. Left out: what stands before the @.
        #[arg(long)]
        name: Option<String>,
        #[arg(long, default_value = "none")]
        role: FleetRole,
    },
    /// Give a user another role in the whole fleet.
    Role { email: String, role: FleetRole },
    /// Let a user sign in no more; their sessions, streams and tokens end.
    Disable { email: String },
    /// Let a disabled user sign in again.
    Enable { email: String },
    /// Take a user's password and sessions away, and print the path of a link with which they choose another. Works for the last
    /// administrator, too.
    ResetPassword { email: String },
}

/// Tokens for programs, and those of workers, on the console's machine.
#[derive(Debug, Args)]
pub struct TokenArgs {
    #[command(subcommand)]
    what: OfTokens,
    /// Directory of the console, where its database and its key are.
    #[arg(long, env = "MUSTER_DATA", default_value = "data", global = true)]
    data: PathBuf,
}

#[derive(Debug, Subcommand)]
enum OfTokens {
    /// The token of a worker that you run yourself (provider external): its process reads it from MUSTER_WORKER_TOKEN.
    Worker {
        /// The id of the worker's record; its page shows it.
        id: WorkerId,
    },
    /// Make a token for the API, and print it: the only time that anybody sees it.
    Create {
        /// What it is for.
        name: String,
        /// Whose it is: it may do at most what they may. Left out: a service's, which needs --role.
        #[arg(long)]
        user: Option<String>,
        /// The most it may do in the whole fleet. Left out: whatever its user may.
        #[arg(long)]
        role: Option<FleetRole>,
        /// It expires after so many days. Left out: when it is revoked.
        #[arg(long, value_parser = clap::value_parser!(u64).range(DAYS))]
        days: Option<u64>,
    },
    /// Every token for the API: its id, name, owner, roles, when it was used last, and whether it is good.
    List,
    /// Make a token for the API good for nothing; its streams end.
    Revoke { id: TokenId },
}

#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error(
        "there is no database at {0}. Give the console's directory with --data, or start the console once."
    )]
    NoDatabase(String),
    #[error(
        "the database is of an older version. Start this version of the console once; that brings it up to date."
    )]
    Older,
    #[error("there is no user with the address {0}. `muster user list` names them all.")]
    NoUser(String),
    #[error("there is no token with this id. `muster token list` names them all.")]
    NoToken,
    #[error("{0}")]
    Refused(#[from] ApiError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("it could not be printed: {0}")]
    Print(#[from] io::Error),
}

async fn open(data: &Path) -> Result<Console, AccessError> {
    let path = data.join("muster.db");
    if !path.is_file() {
        return Err(AccessError::NoDatabase(path.display().to_string()));
    }
    let pool = storage::open_pool(&path).await?;
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = 'api_tokens'")
        .fetch_one(&pool)
        .await
        .map_err(StorageError::from)?;
    if known == 0 { Err(AccessError::Older) } else { Ok(Console { pool, path }) }
}

async fn by_email(pool: &SqlitePool, email: &str) -> Result<User, AccessError> {
    let email = user::email_of(email)?;
    user::by_email(pool, &email).await?.ok_or(AccessError::NoUser(email))
}

/// The console's directory, whose database is open.
struct Console {
    pool: SqlitePool,
    path: PathBuf,
}

impl Console {
    /// Written down as the console's own, in the audit log and in the event log: whoever may do this has its files.
    async fn record(&self, action: &'static str, target: String, entry: Entry) -> Result<(), StorageError> {
        let outcome = "done on the command line".to_owned();
        let line = audit::Line { at: now(), actor: Actor::System, action, target, outcome };
        audit::append_alone(&self.pool, &line).await?;
        let entry = entry.with("by", "the command line");
        storage::log_from_outside(&self.path, now(), Actor::System, |event| entry.fill(event)).await
    }
}

pub async fn user(args: UserArgs) -> Result<(), AccessError> {
    let console = open(&args.data).await?;
    let pool = &console.pool;
    let mut out = io::stdout().lock();
    match args.what {
        OfUsers::List => {
            for row in user::all(pool).await?.into_iter().map(User::row) {
                let role = row.roles.fleet.map_or("none", Role::as_str);
                let projects = row.roles.projects.len();
                writeln!(
                    out,
                    "{}\t{}\t{role}\t{projects} {}\t{}",
                    row.email,
                    row.name,
                    if projects == 1 { "project" } else { "projects" },
                    row.status.as_str()
                )?;
            }
        }
        OfUsers::Add { email, name, role } => {
            let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
            let added = user::insert(pool, &NewUser { email, name, role: role.into() }, None, now()).await?;
            let (target, row) = (format!("user {}", added.email), added.clone().row());
            let text = format!("User {} was added", row.name);
            console.record("invite user", target, account::of_user("user.created", &row, text)).await?;
            link(pool, added.id, &mut out).await?;
        }
        OfUsers::Role { email, role } => {
            let found = by_email(pool, &email).await?;
            let role: Option<Role> = role.into();
            let edit = UserEdit { role: Some(role), ..UserEdit::default() };
            let row = user::edit(pool, found.id, &edit).await?.row();
            let word = role.map_or("none", Role::as_str);
            let target = format!("user {}, role {word}", found.email);
            let text = account::edited(&row, &edit).unwrap_or_default();
            console.record("change user", target, account::of_user("user.updated", &row, text)).await?;
            writeln!(out, "{} has the role {word} in the whole fleet now.", found.email)?;
        }
        OfUsers::Disable { email } => enable(&console, &email, false, &mut out).await?,
        OfUsers::Enable { email } => enable(&console, &email, true, &mut out).await?,
        OfUsers::ResetPassword { email } => {
            let found = by_email(pool, &email).await?;
            let (target, row) = (format!("user {}", found.email), found.clone().row());
            let text =
                format!("User {} was invited again; their password and their sessions ended", row.name);
            console.record("reset password", target, account::of_user("user.updated", &row, text)).await?;
            link(pool, found.id, &mut out).await?;
        }
    }
    Ok(())
}

async fn enable(
    console: &Console,
    email: &str,
    enabled: bool,
    out: &mut impl Write,
) -> Result<(), AccessError> {
    let found = by_email(&console.pool, email).await?;
    let edit = UserEdit { disabled: Some(!enabled), ..UserEdit::default() };
    let row = user::edit(&console.pool, found.id, &edit).await?.row();
    let word = if enabled { "enabled" } else { "disabled" };
    let target = format!("user {}, {word}", found.email);
    let text = account::edited(&row, &edit).unwrap_or_default();
    console.record("change user", target, account::of_user("user.updated", &row, text)).await?;
    writeln!(out, "{} is {word} now.", found.email)?;
    Ok(())
}

/// Prints the path of a new link: where the console is reached, only its operator knows.
async fn link(pool: &SqlitePool, id: UserId, out: &mut impl Write) -> Result<(), AccessError> {
    let (user, token, _) = user::invite(pool, id, LastAdmin::MayLose, now()).await?;
    writeln!(out, "{} chooses a password at this address of the console (once, within a week):", user.email)?;
    writeln!(out, "/join/{token}")?;
    Ok(())
}

pub async fn token(args: TokenArgs) -> Result<(), AccessError> {
    let mut out = io::stdout().lock();
    if let OfTokens::Worker { id } = args.what {
        let token = Keys::existing(&args.data)?.worker_token(id);
        writeln!(out, "{}", token.as_str())?;
        return Ok(());
    }
    let console = open(&args.data).await?;
    let pool = &console.pool;
    match args.what {
        OfTokens::Worker { .. } => {}
        OfTokens::Create { name, user, role, days } => {
            let owner = match &user {
                Some(email) => Some(by_email(pool, email).await?),
                None => None,
            };
            let fleet: Option<Role> = role.and_then(Into::into);
            let roles = fleet.map(|role| Roles { fleet: Some(role), ..Roles::default() });
            if let (Some(owner), Some(roles)) = (&owner, &roles) {
                token::at_most(roles, &owner.roles)?;
            }
            let new = NewToken { name, roles, service: owner.is_none(), expires_at: days.map(in_days) };
            let (row, secret) = token::create(pool, owner.map(|user| user.id), &new, now()).await?;
            let entry = account::of_token("token.created", &row, "was made");
            console.record("create token", format!("{} ({})", row.name, row.id), entry).await?;
            writeln!(out, "{secret}")?;
        }
        OfTokens::List => {
            for row in token::list(pool, Of::Everybody, now()).await? {
                let owner = row.owner_name.as_deref().unwrap_or("a service");
                let role = row.roles.best().map_or("none", Role::as_str);
                let used =
                    row.last_used_at.map_or_else(|| "never used".to_owned(), |at: Timestamp| at.to_string());
                let status = serde_json::to_value(row.status).unwrap_or_default();
                let status = status.as_str().unwrap_or_default();
                writeln!(out, "{}\t{}\t{owner}\t{role}\t{used}\t{status}", row.id, row.name)?;
            }
        }
        OfTokens::Revoke { id } => {
            let row = token::show(pool, id, now()).await?.ok_or(AccessError::NoToken)?;
            token::revoke(pool, id, now()).await?;
            let entry = account::of_token("token.revoked", &row, "was revoked");
            console.record("revoke token", format!("{} ({id})", row.name), entry).await?;
            writeln!(out, "The token {} is good for nothing now.", row.name)?;
        }
    }
    Ok(())
}
