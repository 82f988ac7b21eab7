//! Sessions: a random token in a cookie, its hash in the database.

use super::user::{self, User};
use crate::{
    app::error::ApiError,
    model::{Actor, Role, Roles, Timestamp, UserId},
    server::{App, api::error::internal, clock::now, storage::StorageError},
    sync::Scope,
};
use axum::{extract::FromRequestParts, http::request::Parts};
use rand::RngCore;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// A session lives this long.
const LIFETIME: Duration = Duration::from_secs(14 * 24 * 3600);

pub type SessionHash = [u8; 32];

/// The user behind a request, and what they may see.
#[derive(Clone, Debug)]
pub struct Who {
    pub user_id: UserId,
    pub email: String,
    pub name: String,
    pub roles: Roles,
    pub scope: Scope,
    pub session: SessionHash,
}

impl Who {
    pub fn actor(&self) -> Actor {
        Actor::User { id: self.user_id, name: self.name.clone() }
    }

    /// Refuses who has less than `role`.
    pub fn need(&self, role: Role) -> Result<(), ApiError> {
        if self.roles.in_fleet(role) {
            return Ok(());
        }
        let are = self.roles.fleet.map_or("not of the fleet", Role::as_str);
        let detail = format!("This needs the role {}; you are {are}. Ask an administrator.", role.as_str());
        Err(ApiError::Forbidden { detail })
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
    let at = now();
    let insert =
        sqlx::query("INSERT INTO sessions (token_hash, user_id, created_at, expires_at) VALUES (?, ?, ?, ?)")
            .bind(&session[..])
            .bind(user.id.to_string())
            .bind(at.0 as i64)
            .bind(at.plus(LIFETIME).0 as i64)
            .execute(app.store().pool());
    insert.await.map_err(|error| internal(&StorageError::from(error)))?;
    Ok(SignedIn { who: who_of(user, session), token, lifetime: LIFETIME })
}

/// The user whose session has this token, if it is alive and the user may sign in.
pub async fn find(app: &App, token: &str, at: Timestamp) -> Result<Option<Who>, StorageError> {
    let session: SessionHash = Sha256::digest(token.as_bytes()).into();
    let sql = format!(
        "SELECT {} FROM sessions JOIN users ON users.id = sessions.user_id
         WHERE sessions.token_hash = ? AND sessions.expires_at > ? AND users.disabled = 0",
        user::COLUMNS
    );
    let row =
        sqlx::query(&sql).bind(&session[..]).bind(at.0 as i64).fetch_optional(app.store().pool()).await?;
    row.as_ref().map(user::of_row).transpose().map(|user| user.map(|user| who_of(user, session)))
}

pub async fn end(app: &App, session: SessionHash) -> Result<(), StorageError> {
    sqlx::query("DELETE FROM sessions WHERE token_hash = ?")
        .bind(&session[..])
        .execute(app.store().pool())
        .await?;
    app.cutter().cut(session);
    Ok(())
}

pub async fn forget_expired(pool: &sqlx::SqlitePool) -> Result<(), StorageError> {
    sqlx::query("DELETE FROM sessions WHERE expires_at <= ?").bind(now().0 as i64).execute(pool).await?;
    Ok(())
}

fn who_of(user: User, session: SessionHash) -> Who {
    // Roles are for the whole fleet until projects have members of their own.
    Who {
        user_id: user.id,
        email: user.email,
        name: user.name,
        roles: Roles { fleet: Some(user.role), ..Roles::default() },
        scope: Scope::Fleet,
        session,
    }
}
