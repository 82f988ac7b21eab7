//! The table of users.

use crate::{
    model::{Role, Timestamp, UserId},
    server::storage::StorageError,
};
use sqlx::{Row, SqlitePool, sqlite::SqliteRow};

#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub password_hash: String,
    pub role: Role,
    pub disabled: bool,
}

pub const COLUMNS: &str =
    "users.id, users.email, users.name, users.password_hash, users.role, users.disabled";

pub fn of_row(row: &SqliteRow) -> Result<User, StorageError> {
    let corrupt = |what: &str| StorageError::Corrupt(format!("a user's {what}"));
    Ok(User {
        id: row.try_get::<String, _>(0)?.parse().map_err(|_| corrupt("id"))?,
        email: row.try_get(1)?,
        name: row.try_get(2)?,
        password_hash: row.try_get(3)?,
        role: Role::parse(row.try_get(4)?).ok_or_else(|| corrupt("role"))?,
        disabled: row.try_get(5)?,
    })
}

pub async fn by_email(pool: &SqlitePool, email: &str) -> Result<Option<User>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE email = ?");
    let row = sqlx::query(&sql).bind(email).fetch_optional(pool).await?;
    row.as_ref().map(of_row).transpose()
}

pub async fn insert(pool: &SqlitePool, user: &User, at: Timestamp) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO users (id, email, name, password_hash, role, created_at) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(user.id.to_string())
    .bind(&user.email)
    .bind(&user.name)
    .bind(&user.password_hash)
    .bind(user.role.as_str())
    .bind(at.0 as i64)
    .execute(pool)
    .await?;
    Ok(())
}

pub async fn count(pool: &SqlitePool) -> Result<i64, StorageError> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(pool).await?)
}
