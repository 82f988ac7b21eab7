//! Who is a member of which project.

use crate::{
    app::error::ApiError,
    model::{Member, ProjectId, Role, UserId},
    server::{api::error::internal, storage::StorageError},
};
use sqlx::{Row, SqlitePool};

use super::user;

/// The members of a project, by address.
pub async fn of_project(pool: &SqlitePool, project: ProjectId) -> Result<Vec<Member>, StorageError> {
    let sql = format!(
        "SELECT {}, m.role FROM memberships m JOIN users ON users.id = m.user_id
         WHERE m.project_id = ? ORDER BY users.email COLLATE NOCASE",
        user::COLUMNS
    );
    let rows = sqlx::query(&sql).bind(project.to_string()).fetch_all(pool).await?;
    rows.iter()
        .map(|row| {
            let role = Role::parse(row.try_get(user::WIDTH)?);
            let role = role.ok_or_else(|| StorageError::Corrupt("a member's role".to_owned()))?;
            let user = user::of_row(row)?.row();
            Ok(Member { user_id: user.id, email: user.email, name: user.name, role, status: user.status })
        })
        .collect()
}

/// Makes a user a member, or gives a member another role. Whether the project is there, the database says.
pub async fn put(pool: &SqlitePool, project: ProjectId, user: UserId, role: Role) -> Result<(), ApiError> {
    let put = sqlx::query(
        "INSERT INTO memberships (project_id, user_id, role)
         SELECT projects.id, users.id, ?3 FROM projects, users WHERE projects.id = ?1 AND users.id = ?2
         ON CONFLICT (project_id, user_id) DO UPDATE SET role = ?3",
    );
    let put = put.bind(project.to_string()).bind(user.to_string()).bind(role.as_str()).execute(pool).await;
    match put.map_err(|error| internal(&StorageError::from(error)))?.rows_affected() {
        0 => Err(ApiError::Gone { what: "user".to_owned() }),
        _ => Ok(()),
    }
}

pub async fn remove(pool: &SqlitePool, project: ProjectId, user: UserId) -> Result<(), ApiError> {
    let gone = sqlx::query("DELETE FROM memberships WHERE project_id = ? AND user_id = ?")
        .bind(project.to_string())
        .bind(user.to_string())
        .execute(pool)
        .await;
    match gone.map_err(|error| internal(&StorageError::from(error)))?.rows_affected() {
        0 => Err(ApiError::Gone { what: "member".to_owned() }),
        _ => Ok(()),
    }
}
