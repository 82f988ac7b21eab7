//! The table of users.

use super::{password, session::random_token};
use crate::{
    app::error::ApiError,
    model::{Name, NewUser, ProjectId, Role, Roles, Timestamp, UserEdit, UserId, UserRow, UserStatus},
    server::{api::error::internal, storage::StorageError},
};
use sha2::{Digest, Sha256};
use sqlx::{Connection, Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

/// A link with which to choose a password is good for so long.
pub const INVITED_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub password_hash: Option<String>,
    pub roles: Roles,
    pub disabled: bool,
    pub created_at: Timestamp,
}

impl User {
    pub fn row(self) -> UserRow {
        let status = match (self.disabled, &self.password_hash) {
            (true, _) => UserStatus::Disabled,
            (false, None) => UserStatus::Invited,
            (false, Some(_)) => UserStatus::Active,
        };
        let User { id, email, name, roles, created_at, .. } = self;
        UserRow { id, email, name, roles, status, created_at }
    }
}

/// How many columns [`COLUMNS`] are: what a query adds comes after them.
pub const WIDTH: usize = 8;
pub const COLUMNS: &str =
    "users.id, users.email, users.name, users.password_hash, users.role, users.disabled, users.created_at,
    (SELECT json_group_object(project_id, role) FROM memberships WHERE memberships.user_id = users.id)";

pub fn of_row(row: &SqliteRow) -> Result<User, StorageError> {
    of_row_at(row, 0)
}

/// Reads [`COLUMNS`] that follow `offset` others.
pub fn of_row_at(row: &SqliteRow, offset: usize) -> Result<User, StorageError> {
    let corrupt = |what: &str| StorageError::Corrupt(format!("a user's {what}"));
    let role: Option<String> = row.try_get(offset + 4)?;
    let fleet = role.map(|role| Role::parse(&role).ok_or_else(|| corrupt("role"))).transpose()?;
    let projects: BTreeMap<ProjectId, Role> =
        serde_json::from_str(row.try_get(offset + 7)?).map_err(|_| corrupt("memberships"))?;
    Ok(User {
        id: row.try_get::<String, _>(offset)?.parse().map_err(|_| corrupt("id"))?,
        email: row.try_get(offset + 1)?,
        name: row.try_get(offset + 2)?,
        password_hash: row.try_get(offset + 3)?,
        roles: Roles { fleet, projects },
        disabled: row.try_get(offset + 5)?,
        created_at: Timestamp(row.try_get::<i64, _>(offset + 6)? as u64),
    })
}

pub async fn by_email(pool: &SqlitePool, email: &str) -> Result<Option<User>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE email = ?");
    let row = sqlx::query(&sql).bind(email).fetch_optional(pool).await?;
    row.as_ref().map(of_row).transpose()
}

pub async fn by_id(connection: &mut SqliteConnection, id: UserId) -> Result<Option<User>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE id = ?");
    let row = sqlx::query(&sql).bind(id.to_string()).fetch_optional(connection).await?;
    row.as_ref().map(of_row).transpose()
}

/// All of them, by address.
pub async fn all(pool: &SqlitePool) -> Result<Vec<User>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM users ORDER BY email COLLATE NOCASE");
    sqlx::query(&sql).fetch_all(pool).await?.iter().map(of_row).collect()
}

pub async fn count(pool: &SqlitePool) -> Result<i64, StorageError> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(pool).await?)
}

/// An address as it is kept.
pub fn email_of(text: &str) -> Result<String, ApiError> {
    let email = text.trim().to_lowercase();
    let wrong = !email.contains('@')
        || email.len() > 254
        || email.chars().any(|sign| char::is_whitespace(sign) || char::is_control(sign));
    match wrong {
        true => {
            let shown: String = email.chars().take(60).collect();
            let detail = format!("{shown:?} is not an email address. It looks like name@example.com.");
            Err(ApiError::BadRequest { detail })
        }
        false => Ok(email),
    }
}

fn name_of(text: &str) -> Result<Name, ApiError> {
    Name::new(text).map_err(|error| ApiError::BadRequest { detail: error.to_string() })
}

fn gone() -> ApiError {
    ApiError::Gone { what: "user".to_owned() }
}

fn failed(error: sqlx::Error) -> ApiError {
    internal(&StorageError::from(error))
}

fn unread(error: StorageError) -> ApiError {
    internal(&error)
}

/// Adds a user, with a password or with none yet.
pub async fn insert(
    pool: &SqlitePool,
    new: &NewUser,
    password_hash: Option<&str>,
    at: Timestamp,
) -> Result<User, ApiError> {
    let (email, name) = (email_of(&new.email)?, name_of(&new.name)?);
    let id = UserId(Uuid::now_v7());
    let added = sqlx::query(
        "INSERT INTO users (id, email, name, password_hash, role, created_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (email) DO NOTHING",
    )
    .bind(id.to_string())
    .bind(&email)
    .bind(name.as_str())
    .bind(password_hash)
    .bind(new.role.map(Role::as_str))
    .bind(at.0 as i64)
    .execute(pool)
    .await
    .map_err(failed)?;
    if added.rows_affected() == 0 {
        let detail = format!("There is a user with the address {email} already.");
        return Err(ApiError::Conflict { detail });
    }
    Ok(User {
        id,
        email,
        name: name.to_string(),
        password_hash: password_hash.map(str::to_owned),
        roles: Roles { fleet: new.role, ..Roles::default() },
        disabled: false,
        created_at: at,
    })
}

/// Who can administer the fleet now.
async fn admins(connection: &mut SqliteConnection) -> Result<i64, ApiError> {
    let sql =
        "SELECT count(*) FROM users WHERE role = 'admin' AND disabled = 0 AND password_hash IS NOT NULL";
    sqlx::query_scalar(sql).fetch_one(connection).await.map_err(failed)
}

/// Refuses a change after which nobody can administer the fleet any more. Asked within its transaction, which holds the write lock.
async fn keeps_an_admin(connection: &mut SqliteConnection, before: i64) -> Result<(), ApiError> {
    if before == 0 || admins(connection).await? > 0 {
        return Ok(());
    }
    Err(ApiError::Refused {
        detail: "This is the last administrator who can sign in; without one nobody could manage users any more. Make somebody else an administrator first."
            .to_owned(),
        code: "last_admin".to_owned(),
        current: None,
    })
}

/// Changes what is named. Who is disabled has no session any more.
pub async fn edit(pool: &SqlitePool, id: UserId, edit: &UserEdit) -> Result<User, ApiError> {
    let name = edit.name.as_deref().map(name_of).transpose()?;
    let mut connection = pool.acquire().await.map_err(failed)?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let user = by_id(&mut transaction, id).await.map_err(unread)?.ok_or_else(gone)?;
    let before = admins(&mut transaction).await?;
    let disabled = edit.disabled.unwrap_or(user.disabled);
    sqlx::query("UPDATE users SET name = ?, role = ?, disabled = ? WHERE id = ?")
        .bind(name.as_ref().map_or(user.name.as_str(), Name::as_str))
        .bind(edit.role.unwrap_or(user.roles.fleet).map(Role::as_str))
        .bind(disabled)
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    if disabled {
        end_sessions(&mut transaction, id, None).await?;
    }
    keeps_an_admin(&mut transaction, before).await?;
    let user = by_id(&mut transaction, id).await.map_err(unread)?.ok_or_else(gone)?;
    transaction.commit().await.map_err(failed)?;
    Ok(user)
}

/// Deletes a user with everything of theirs. What they did stays in the logs, by name.
pub async fn delete(pool: &SqlitePool, id: UserId) -> Result<User, ApiError> {
    let mut connection = pool.acquire().await.map_err(failed)?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let user = by_id(&mut transaction, id).await.map_err(unread)?.ok_or_else(gone)?;
    let before = admins(&mut transaction).await?;
    sqlx::query("DELETE FROM users WHERE id = ?")
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    keeps_an_admin(&mut transaction, before).await?;
    transaction.commit().await.map_err(failed)?;
    Ok(user)
}

/// Whether a link may be made for the last administrator, whose password it takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastAdmin {
    Kept,
    /// Whoever has the database file has everything anyway, and is handed the link.
    MayLose,
}

/// Takes the password and every session away, and makes a link with which to choose another: the token in it, and when it ends.
pub async fn invite(
    pool: &SqlitePool,
    id: UserId,
    last_admin: LastAdmin,
    at: Timestamp,
) -> Result<(User, String, Timestamp), ApiError> {
    let (token, expires_at) = (random_token(), at.plus(INVITED_FOR));
    let mut connection = pool.acquire().await.map_err(failed)?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let before = admins(&mut transaction).await?;
    sqlx::query("UPDATE users SET password_hash = NULL WHERE id = ?")
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    end_sessions(&mut transaction, id, None).await?;
    if last_admin == LastAdmin::Kept {
        keeps_an_admin(&mut transaction, before).await?;
    }
    let user = by_id(&mut transaction, id).await.map_err(unread)?.ok_or_else(gone)?;
    sqlx::query(
        "INSERT INTO invitations (user_id, token_hash, expires_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (user_id) DO UPDATE SET token_hash = ?2, expires_at = ?3",
    )
    .bind(id.to_string())
    .bind(&hash_of(&token)[..])
    .bind(expires_at.0 as i64)
    .execute(&mut *transaction)
    .await
    .map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok((user, token, expires_at))
}

/// The user whom a link is for, while it is good.
pub async fn invited(
    connection: &mut SqliteConnection,
    token: &str,
    at: Timestamp,
) -> Result<Option<User>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM invitations JOIN users ON users.id = invitations.user_id
         WHERE invitations.token_hash = ? AND invitations.expires_at > ? AND users.disabled = 0"
    );
    let row =
        sqlx::query(&sql).bind(&hash_of(token)[..]).bind(at.0 as i64).fetch_optional(connection).await?;
    row.as_ref().map(of_row).transpose()
}

/// Uses a link up: its user has this password then.
pub async fn join(pool: &SqlitePool, token: &str, password: String, at: Timestamp) -> Result<User, ApiError> {
    let spent = || {
        ApiError::Forbidden {
        detail: "This link is not valid (any more): it was used, it is too old, or a newer one was made. Ask an administrator for another."
            .to_owned(),
    }
    };
    let mut connection = pool.acquire().await.map_err(failed)?;
    // Before the password is hashed, which costs much and may be asked for by anybody.
    invited(&mut connection, token, at).await.map_err(unread)?.ok_or_else(spent)?;
    let hash = password::hash(password).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let user = invited(&mut transaction, token, at).await.map_err(unread)?.ok_or_else(spent)?;
    set_password(&mut transaction, user.id, &hash).await?;
    transaction.commit().await.map_err(failed)?;
    Ok(User { password_hash: Some(hash), ..user })
}

/// Gives a user this password. Links that were made before are good for nothing.
pub async fn set_password(connection: &mut SqliteConnection, id: UserId, hash: &str) -> Result<(), ApiError> {
    let id = id.to_string();
    sqlx::query("UPDATE users SET password_hash = ? WHERE id = ?")
        .bind(hash)
        .bind(&id)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    sqlx::query("DELETE FROM invitations WHERE user_id = ?")
        .bind(&id)
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Ends a user's sessions, but for one.
pub async fn end_sessions(
    connection: &mut SqliteConnection,
    id: UserId,
    but: Option<&[u8; 32]>,
) -> Result<(), ApiError> {
    sqlx::query("DELETE FROM sessions WHERE user_id = ? AND token_hash IS NOT ?")
        .bind(id.to_string())
        .bind(but.map(|hash| &hash[..]))
        .execute(connection)
        .await
        .map_err(failed)
        .map(drop)
}

fn hash_of(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
