//! Tokens for programs: `Authorization: Bearer mt_…` in place of a session's cookie.

use super::{changes, user};
use crate::{
    app::error::ApiError,
    model::{Name, NewToken, Role, Roles, Timestamp, TokenId, TokenRow, TokenStatus, UserId},
    server::{api::error::internal, storage::StorageError},
};
use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use sqlx::{Row, SqlitePool, sqlite::SqliteRow};
use std::time::Duration;
use uuid::Uuid;

/// Every token begins so: whoever finds one in a log knows what it is.
const PREFIX: &str = "mt_";
/// A user, and all services together, may have so many that are not revoked.
const MOST: i64 = 100;
/// When it was used last is written at most so often.
const USED_EVERY: Duration = Duration::from_secs(60);

const COLUMNS: &str =
    "t.id, t.name, t.owner, t.roles, t.created_at, t.expires_at, t.last_used_at, t.revoked_at";
const OWN_WIDTH: usize = 8;

/// What is kept of a token.
#[derive(Clone, Debug)]
struct Kept {
    id: TokenId,
    name: String,
    owner: Option<UserId>,
    roles: Option<Roles>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

/// Reads the columns `t.…` that follow `offset` others.
fn of_row(row: &SqliteRow, offset: usize) -> Result<Kept, StorageError> {
    let corrupt = |what: &str| StorageError::Corrupt(format!("a token's {what}"));
    let time = |n: usize| -> Result<Option<Timestamp>, StorageError> {
        Ok(row.try_get::<Option<i64>, _>(offset + n)?.map(|at| Timestamp(at as u64)))
    };
    let owner: Option<String> = row.try_get(offset + 2)?;
    let roles: Option<String> = row.try_get(offset + 3)?;
    Ok(Kept {
        id: row.try_get::<String, _>(offset)?.parse().map_err(|_| corrupt("id"))?,
        name: row.try_get(offset + 1)?,
        owner: owner.map(|id| id.parse().map_err(|_| corrupt("owner"))).transpose()?,
        roles: roles.map(|json| serde_json::from_str(&json).map_err(|_| corrupt("roles"))).transpose()?,
        created_at: time(4)?.unwrap_or_default(),
        expires_at: time(5)?,
        last_used_at: time(6)?,
        revoked_at: time(7)?,
    })
}

impl Kept {
    /// What it lets its bearer do: nowhere more than its owner may.
    fn roles(&self, owner: Option<&Roles>) -> Roles {
        match (&self.roles, owner) {
            (Some(roles), Some(owner)) => owner.within(roles),
            (Some(roles), None) => roles.clone(),
            (None, owner) => owner.cloned().unwrap_or_default(),
        }
    }

    fn row(self, owner: Option<user::User>, at: Timestamp) -> TokenRow {
        let status = match (self.revoked_at, self.expires_at) {
            (Some(_), _) => TokenStatus::Revoked,
            (None, Some(end)) if end <= at => TokenStatus::Expired,
            _ => TokenStatus::Active,
        };
        TokenRow {
            roles: self.roles(owner.as_ref().map(|user| &user.roles)),
            id: self.id,
            name: self.name,
            owner: self.owner,
            owner_name: owner.map(|user| user.name),
            status,
            created_at: self.created_at,
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
        }
    }
}

/// The token in `Authorization: Bearer`, if there is one of ours.
pub fn shown(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    Some(token.trim()).filter(|token| scheme.eq_ignore_ascii_case("bearer") && token.starts_with(PREFIX))
}

/// A token that lets somebody in.
#[derive(Clone, Debug)]
pub struct Bearer {
    pub id: TokenId,
    pub name: String,
    pub hash: [u8; 32],
    /// `None`: a service.
    pub owner: Option<user::User>,
    pub roles: Roles,
    pub expires_at: Option<Timestamp>,
    /// The last change of anybody's access when it was looked up.
    pub as_of: i64,
}

/// Who bears this token, if it is good now. Writes down that it was used.
pub async fn find(pool: &SqlitePool, token: &str, at: Timestamp) -> Result<Option<Bearer>, StorageError> {
    find_hashed(pool, Sha256::digest(token.as_bytes()).into(), at).await
}

/// [`find`] by the hash of the token.
pub async fn find_hashed(
    pool: &SqlitePool,
    hash: [u8; 32],
    at: Timestamp,
) -> Result<Option<Bearer>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS}, {}, {} FROM api_tokens t LEFT JOIN users ON users.id = t.owner
         WHERE t.token_hash = ? AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > ?)
           AND (t.owner IS NULL OR users.disabled = 0)",
        user::COLUMNS,
        changes::LAST
    );
    let row = sqlx::query(&sql).bind(&hash[..]).bind(at.0 as i64).fetch_optional(pool).await?;
    let Some(row) = row else { return Ok(None) };
    let kept = of_row(&row, 0)?;
    let owner = owner_of(&row, &kept)?;
    if kept.last_used_at.is_none_or(|used| at.since(used) >= USED_EVERY) {
        let used = sqlx::query(
            "UPDATE api_tokens SET last_used_at = ?1 WHERE id = ?2 AND (last_used_at IS NULL OR last_used_at <= ?3)",
        );
        let long_ago = at.0.saturating_sub(USED_EVERY.as_millis() as u64);
        let used = used.bind(at.0 as i64).bind(kept.id.to_string()).bind(long_ago as i64);
        if let Err(error) = used.execute(pool).await {
            tracing::warn!(%error, token = %kept.id, "the use of a token could not be written down");
        }
    }
    let roles = kept.roles(owner.as_ref().map(|user| &user.roles));
    let as_of = row.try_get(OWN_WIDTH + user::WIDTH)?;
    Ok(Some(Bearer { id: kept.id, name: kept.name, hash, owner, roles, expires_at: kept.expires_at, as_of }))
}

/// The owner's columns, which come after the token's.
fn owner_of(row: &SqliteRow, kept: &Kept) -> Result<Option<user::User>, StorageError> {
    kept.owner.map(|_| user::of_row_at(row, OWN_WIDTH)).transpose()
}

/// Which tokens are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    User(UserId),
    Everybody,
}

/// Newest first; those that are good for nothing any more come last.
pub async fn list(pool: &SqlitePool, of: Of, at: Timestamp) -> Result<Vec<TokenRow>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS}, {} FROM api_tokens t LEFT JOIN users ON users.id = t.owner
         WHERE ?1 IS NULL OR t.owner = ?1 ORDER BY t.revoked_at IS NOT NULL, t.id DESC",
        user::COLUMNS
    );
    let owner = match of {
        Of::User(id) => Some(id.to_string()),
        Of::Everybody => None,
    };
    let rows = sqlx::query(&sql).bind(owner).fetch_all(pool).await?;
    let one = |row: &SqliteRow| {
        let kept = of_row(row, 0)?;
        let owner = owner_of(row, &kept)?;
        Ok(kept.row(owner, at))
    };
    rows.iter().map(one).collect()
}

pub async fn show(pool: &SqlitePool, id: TokenId, at: Timestamp) -> Result<Option<TokenRow>, StorageError> {
    Ok(list(pool, Of::Everybody, at).await?.into_iter().find(|row| row.id == id))
}

/// Makes a token for `owner`, or for a service: its row and its secret.
pub async fn create(
    pool: &SqlitePool,
    owner: Option<UserId>,
    new: &NewToken,
    at: Timestamp,
) -> Result<(TokenRow, String), ApiError> {
    let bad = |detail: &str| ApiError::BadRequest { detail: detail.to_owned() };
    let failed = |error: sqlx::Error| internal(&StorageError::from(error));
    let name = Name::new(&new.name).map_err(|error| bad(&error.to_string()))?;
    if new.expires_at.is_some_and(|end| end <= at) {
        return Err(bad("A token must expire later than now."));
    }
    if owner.is_none() && new.roles.as_ref().and_then(Roles::best).is_none() {
        return Err(bad("A service has no roles of its own: say which its token has."));
    }
    let secret = format!("{PREFIX}{}", super::session::random_token());
    let hash: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
    let id = TokenId(Uuid::now_v7());
    let roles = new.roles.as_ref().map(|roles| serde_json::to_string(roles).unwrap_or_default());
    let added = sqlx::query(
        "INSERT INTO api_tokens (id, token_hash, name, owner, roles, created_at, expires_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
         WHERE (SELECT count(*) FROM api_tokens WHERE owner IS ?4 AND revoked_at IS NULL) < ?8",
    )
    .bind(id.to_string())
    .bind(&hash[..])
    .bind(name.as_str())
    .bind(owner.map(|id| id.to_string()))
    .bind(roles)
    .bind(at.0 as i64)
    .bind(new.expires_at.map(|end| end.0 as i64))
    .bind(MOST)
    .execute(pool)
    .await
    .map_err(failed)?;
    if added.rows_affected() == 0 {
        let detail = format!("There are {MOST} tokens already. Revoke those that are not needed any more.");
        return Err(ApiError::Conflict { detail });
    }
    let row = show(pool, id, at).await.map_err(|error| internal(&error))?;
    Ok((row.ok_or_else(|| ApiError::Gone { what: "token".to_owned() })?, secret))
}

/// Makes it good for nothing. One that was revoked already stays so.
pub async fn revoke(pool: &SqlitePool, id: TokenId, at: Timestamp) -> Result<(), ApiError> {
    sqlx::query("UPDATE api_tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL")
        .bind(at.0 as i64)
        .bind(id.to_string())
        .execute(pool)
        .await
        .map(drop)
        .map_err(|error| internal(&StorageError::from(error)))
}

/// Refuses a token that could do what whoever makes it cannot.
pub fn at_most(wanted: &Roles, own: &Roles) -> Result<(), ApiError> {
    let in_fleet = wanted.fleet.is_none_or(|role| own.in_fleet(role));
    if in_fleet && wanted.projects.iter().all(|(project, role): (_, &Role)| own.in_project(*project, *role)) {
        return Ok(());
    }
    let detail = "A token can do no more than you can. Choose lower roles for it.".to_owned();
    Err(ApiError::Forbidden { detail })
}
