//! Who is behind a request: by a session, a random token in a cookie whose hash is in the database, or by a token for programs.

use super::{
    changes,
    token::Bearer,
    user::{self, User},
};
use crate::{
    app::error::ApiError,
    model::{Actor, Event, ProjectId, Role, Roles, Timestamp, TokenId, UserId},
    server::{App, api::error::internal, clock::now, storage::StorageError},
    sync::Scope,
};
use axum::{extract::FromRequestParts, http::request::Parts};
use rand::RngCore;
use sha2::{Digest, Sha256};
use sqlx::Row;
use std::time::Duration;

/// A session lives this long.
const LIFETIME: Duration = Duration::from_secs(14 * 24 * 3600);

/// The hash of a session's token, or of a token for programs.
pub type SessionHash = [u8; 32];

/// The user or service behind a request, and what they may see.
#[derive(Clone, Debug)]
pub struct Who {
    /// Of a service, its token's.
    pub user_id: UserId,
    pub email: String,
    pub name: String,
    pub roles: Roles,
    pub scope: Scope,
    pub session: SessionHash,
    /// The token for programs that let them in, in place of a session.
    pub token: Option<TokenId>,
    pub expires_at: Option<Timestamp>,
    /// The last change of anybody's access when they were looked up; see [`crate::server::sse::cutter`].
    pub as_of: i64,
}

impl Who {
    pub fn actor(&self) -> Actor {
        Actor::User { id: self.user_id, name: self.name.clone() }
    }

    /// Refuses who has less than `role` in the whole fleet.
    pub fn need(&self, role: Role) -> Result<(), ApiError> {
        if self.roles.in_fleet(role) {
            return Ok(());
        }
        let needed = role.as_str();
        let detail = match self.roles.fleet {
            Some(has) => {
                format!("This needs the role {needed}; you are {}. Ask an administrator.", has.as_str())
            }
            None => format!(
                "This needs the role {needed} in the whole fleet, and you are a member of projects only. Ask an administrator."
            ),
        };
        Err(ApiError::Forbidden { detail })
    }

    /// Refuses who has less than `role` in a project. Of a project that they do not see they are told that it is not there.
    pub fn need_in(&self, project: ProjectId, role: Role) -> Result<(), ApiError> {
        if !self.scope.sees_project(project) {
            return Err(ApiError::Gone { what: "project".to_owned() });
        }
        if self.roles.in_project(project, role) {
            return Ok(());
        }
        let has =
            self.roles.projects.get(&project).copied().max(self.roles.fleet).map_or("nobody", Role::as_str);
        let needed = role.as_str();
        let detail = format!(
            "This needs the role {needed} in the project; you are {has} there. Ask an administrator."
        );
        Err(ApiError::Forbidden { detail })
    }

    /// Refuses who has less than `role` everywhere. What it is asked for must still be asked about its project.
    pub fn need_somewhere(&self, role: Role) -> Result<(), ApiError> {
        if self.roles.best() >= Some(role) {
            return Ok(());
        }
        let has = self.roles.best().map_or("a member of nothing", Role::as_str);
        let needed = role.as_str();
        let detail = format!("This needs the role {needed}; you are {has}. Ask an administrator.");
        Err(ApiError::Forbidden { detail })
    }

    /// Refuses who has less than `role` over what an event is about.
    pub fn need_for(&self, event: &Event, role: Role) -> Result<(), ApiError> {
        match event.project_id {
            Some(project) => self.need_in(project, role),
            None => self.need(role),
        }
    }

    /// Refuses tokens: what decides over access itself takes a person who signed in.
    pub fn need_session(&self) -> Result<(), ApiError> {
        match self.token {
            None => Ok(()),
            Some(_) => Err(ApiError::Forbidden {
                detail: "This cannot be done with a token. Sign in and do it yourself.".to_owned(),
            }),
        }
    }

    /// The words under which a change of this access is told: see migration 0011.
    pub fn subjects(&self) -> Vec<String> {
        let session = self.session.iter().map(|byte| format!("{byte:02x}")).collect();
        let token = self.token.map(|token| token.to_string());
        [self.user_id.to_string(), session].into_iter().chain(token).collect()
    }

    pub(super) fn of_user(user: User, session: SessionHash, expires_at: Timestamp, as_of: i64) -> Who {
        Who {
            user_id: user.id,
            email: user.email,
            name: user.name,
            scope: scope_of(&user.roles),
            roles: user.roles,
            session,
            token: None,
            expires_at: Some(expires_at),
            as_of,
        }
    }

    /// Whatever they do is written down under the token's name, too.
    pub(super) fn of_bearer(bearer: Bearer) -> Who {
        let Bearer { id, name, hash, owner, roles, expires_at, as_of } = bearer;
        let (user_id, email, name) = match owner {
            Some(user) => (user.id, user.email, format!("{} (token {name})", user.name)),
            None => (UserId(id.0), String::new(), format!("{name} (service)")),
        };
        let scope = scope_of(&roles);
        Who { user_id, email, name, scope, roles, session: hash, token: Some(id), expires_at, as_of }
    }
}

fn scope_of(roles: &Roles) -> Scope {
    match roles.fleet {
        Some(_) => Scope::Fleet,
        None => Scope::Projects(roles.projects.keys().copied().collect()),
    }
}

/// The user is found by the middleware in [`super::access`]; a handler that asks for `Who` is only reached with one.
impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Who, ApiError> {
        parts.extensions.get::<Who>().cloned().ok_or(ApiError::Unauthorized)
    }
}

/// A new session: the only moment its token is known.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub who: Who,
    pub token: String,
    pub lifetime: Duration,
}

/// 256 random bits as 64 hexadecimal digits.
pub fn random_token() -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub async fn begin(app: &App, user: User) -> Result<SignedIn, ApiError> {
    let token = random_token();
    let session: SessionHash = Sha256::digest(token.as_bytes()).into();
    let (at, as_of) = (now(), app.cutter().heard());
    let expires_at = at.plus(LIFETIME);
    let insert =
        sqlx::query("INSERT INTO sessions (token_hash, user_id, created_at, expires_at) VALUES (?, ?, ?, ?)")
            .bind(&session[..])
            .bind(user.id.to_string())
            .bind(at.0 as i64)
            .bind(expires_at.0 as i64)
            .execute(app.store().pool());
    insert.await.map_err(|error| internal(&StorageError::from(error)))?;
    Ok(SignedIn { who: Who::of_user(user, session, expires_at, as_of), token, lifetime: LIFETIME })
}

/// The user whose session has this token, if it is alive and the user may sign in.
pub async fn find(app: &App, token: &str, at: Timestamp) -> Result<Option<Who>, StorageError> {
    find_hashed(app, Sha256::digest(token.as_bytes()).into(), at).await
}

/// [`find`] by the hash of the token.
pub async fn find_hashed(
    app: &App,
    session: SessionHash,
    at: Timestamp,
) -> Result<Option<Who>, StorageError> {
    let sql = format!(
        "SELECT {}, sessions.expires_at, {} FROM sessions JOIN users ON users.id = sessions.user_id
         WHERE sessions.token_hash = ? AND sessions.expires_at > ? AND users.disabled = 0",
        user::COLUMNS,
        changes::LAST
    );
    let row =
        sqlx::query(&sql).bind(&session[..]).bind(at.0 as i64).fetch_optional(app.store().pool()).await?;
    let Some(row) = row else { return Ok(None) };
    let expires_at = Timestamp(row.try_get::<i64, _>(user::WIDTH)? as u64);
    let as_of = row.try_get(user::WIDTH + 1)?;
    Ok(Some(Who::of_user(user::of_row(&row)?, session, expires_at, as_of)))
}

pub async fn end(app: &App, who: &Who) -> Result<(), StorageError> {
    sqlx::query("DELETE FROM sessions WHERE token_hash = ?")
        .bind(&who.session[..])
        .execute(app.store().pool())
        .await?;
    app.access_changed().notify_one();
    Ok(())
}

pub async fn forget_expired(pool: &sqlx::SqlitePool) -> Result<(), StorageError> {
    sqlx::query("DELETE FROM sessions WHERE expires_at <= ?").bind(now().0 as i64).execute(pool).await?;
    Ok(())
}
