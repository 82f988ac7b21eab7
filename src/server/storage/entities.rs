//! The tables of the entities: what a change writes, and how the fleet is read back.

use super::{StorageError, journal, ledger::Ledger};
use crate::model::{
    Change, Fleet, build::BUILDS_IN_SNAPSHOT, command::COMMANDS_IN_SNAPSHOT, fleet::EVENTS_IN_SNAPSHOT,
    pipeline::PIPELINES_IN_SNAPSHOT,
};
use serde::de::DeserializeOwned;
use sqlx::{Connection, Row, SqliteConnection};
use std::sync::Arc;

/// Writes one change to its table, in the transaction that writes it to the journal.
pub async fn write(connection: &mut SqliteConnection, change: &Change) -> Result<(), sqlx::Error> {
    let query = match change {
        Change::ClusterPut { cluster, .. } => {
            sqlx::query("INSERT INTO clusters (id, name, row) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET name = ?2, row = ?3")
                .bind(cluster.id.to_string())
                .bind(cluster.name.to_string())
                .bind(json(&**cluster))
        }
        Change::ClusterDeleted { id } => sqlx::query("DELETE FROM clusters WHERE id = ?").bind(id.to_string()),
        Change::ProjectPut { project, .. } => {
            sqlx::query("INSERT INTO projects (id, name, row) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET name = ?2, row = ?3")
                .bind(project.id.to_string())
                .bind(project.name.to_string())
                .bind(json(&**project))
        }
        Change::ProjectDeleted { id } => sqlx::query("DELETE FROM projects WHERE id = ?").bind(id.to_string()),
        Change::WorkerPut { worker, .. } => sqlx::query(
            "INSERT INTO workers (id, cluster_id, name, row) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET cluster_id = ?2, name = ?3, row = ?4",
        )
        .bind(worker.id.to_string())
        .bind(worker.cluster_id.to_string())
        .bind(worker.name.to_string())
        .bind(json(&**worker)),
        Change::WorkerDeleted { id } => sqlx::query("DELETE FROM workers WHERE id = ?").bind(id.to_string()),
        Change::NetPut { net, .. } => sqlx::query(
            "INSERT INTO nets (id, project_id, definition, worker_id, name, row) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET project_id = ?2, definition = ?3, worker_id = ?4, name = ?5, row = ?6",
        )
        .bind(net.id.to_string())
        .bind(net.project_id.to_string())
        .bind(net.definition.to_string())
        .bind(net.worker_id.map(|id| id.to_string()))
        .bind(net.name.to_string())
        .bind(json(&**net)),
        Change::NetDeleted { id, .. } => sqlx::query("DELETE FROM nets WHERE id = ?").bind(id.to_string()),
        Change::HostPut { host, .. } => {
            sqlx::query("INSERT INTO hosts (id, name, row) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET name = ?2, row = ?3")
                .bind(host.id.to_string())
                .bind(host.name.to_string())
                .bind(json(&**host))
        }
        Change::HostDeleted { id } => sqlx::query("DELETE FROM hosts WHERE id = ?").bind(id.to_string()),
        Change::CommandPut { command, .. } => sqlx::query(
            "INSERT INTO commands (id, host_id, at, is_over, row) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET is_over = ?4, row = ?5",
        )
        .bind(command.id.to_string())
        .bind(command.host_id.to_string())
        .bind(command.queued_at.0 as i64)
        .bind(command.status.is_over())
        .bind(json(&**command)),
        Change::PipelinePut { pipeline } => sqlx::query(
            "INSERT INTO pipelines (id, at, is_over, row) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET is_over = ?3, row = ?4",
        )
        .bind(pipeline.id.to_string())
        .bind(pipeline.created_at.0 as i64)
        .bind(pipeline.status.is_over())
        .bind(json(&**pipeline)),
        Change::BuildPut { build, .. } => sqlx::query(
            "INSERT INTO builds (id, net_id, version, is_over, row) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET is_over = ?4, row = ?5",
        )
        .bind(build.id.to_string())
        .bind(build.net_id.to_string())
        .bind(build.version)
        .bind(build.status.is_over())
        .bind(json(&**build)),
        Change::LabPut { lab } => sqlx::query(
            "INSERT INTO labs (id, net_id, definition, row) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET definition = ?3, row = ?4",
        )
        .bind(lab.id.to_string())
        .bind(lab.net_id.to_string())
        .bind(lab.definition.to_string())
        .bind(json(&**lab)),
        Change::LabDeleted { id, .. } => sqlx::query("DELETE FROM labs WHERE id = ?").bind(id.to_string()),
        Change::PullRequestPut { pull_request } => sqlx::query(
            "INSERT INTO pull_requests (number, row) VALUES (?1, ?2) ON CONFLICT (number) DO UPDATE SET row = ?2",
        )
        .bind(pull_request.number as i64)
        .bind(json(&**pull_request)),
        Change::PullRequestGone { number } => {
            sqlx::query("DELETE FROM pull_requests WHERE number = ?").bind(*number as i64)
        }
        Change::RepositoryPut { repository } => {
            sqlx::query("INSERT INTO repository (id, row) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET row = ?1")
                .bind(json(&**repository))
        }
        Change::EventLogged { event } => sqlx::query("INSERT INTO events (id, at, row) VALUES (?, ?, ?)")
            .bind(event.id.0 as i64)
            .bind(event.at.0 as i64)
            .bind(json(&**event)),
        Change::EventAcknowledged { event } => {
            sqlx::query("UPDATE events SET row = ?2 WHERE id = ?1").bind(event.id.0 as i64).bind(json(&**event))
        }
        Change::RulesPut { rules } => {
            sqlx::query("INSERT INTO event_rules (id, row) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET row = ?1")
                .bind(json(&**rules))
        }
        // Of a version, its last build tells what there is to know.
        Change::BuildTrimmed { id } => sqlx::query(
            "DELETE FROM builds WHERE id = ? AND EXISTS (
                SELECT 1 FROM builds later
                WHERE later.net_id = builds.net_id AND later.version = builds.version AND later.id > builds.id)",
        )
        .bind(id.to_string()),
        // The history keeps what the snapshot lets go.
        Change::EventsTrimmed { .. } | Change::CommandTrimmed { .. } | Change::PipelineTrimmed { .. } => return Ok(()),
    };
    query.execute(connection).await.map(drop)
}

/// Reads the whole fleet and the head it belongs to, as of one moment.
pub async fn read(connection: &mut SqliteConnection) -> Result<Ledger, StorageError> {
    let mut transaction = connection.begin().await?;
    let head = journal::head(&mut transaction).await?;
    let mut fleet = Fleet::default();
    for cluster in rows(&mut transaction, "SELECT row FROM clusters").await? {
        fleet.apply(&Change::ClusterPut { created: false, reconnected: false, cluster });
    }
    for project in rows(&mut transaction, "SELECT row FROM projects").await? {
        fleet.apply(&Change::ProjectPut { created: false, project });
    }
    for worker in rows(&mut transaction, "SELECT row FROM workers").await? {
        fleet.apply(&Change::WorkerPut { cause: crate::model::WorkerCause::Edited, worker });
    }
    for net in rows(&mut transaction, "SELECT row FROM nets").await? {
        fleet.apply(&Change::NetPut { cause: crate::model::NetCause::Edited, net, moved_from: None });
    }
    for host in rows(&mut transaction, "SELECT row FROM hosts").await? {
        fleet.apply(&Change::HostPut { cause: crate::model::HostCause::Edited, host });
    }
    // Ids grow with time, so the newest by id are those that the trimming left.
    let open_and_newest = |table, kept| {
        format!(
            "SELECT row FROM {table} WHERE is_over = 0 UNION ALL
             SELECT row FROM (SELECT row FROM {table} WHERE is_over = 1 ORDER BY id DESC LIMIT {kept})"
        )
    };
    for command in rows(&mut transaction, &open_and_newest("commands", COMMANDS_IN_SNAPSHOT)).await? {
        fleet.apply(&Change::CommandPut { cause: crate::model::CommandCause::Progress, command });
    }
    for pipeline in rows(&mut transaction, &open_and_newest("pipelines", PIPELINES_IN_SNAPSHOT)).await? {
        fleet.apply(&Change::PipelinePut { pipeline });
    }
    for build in rows(&mut transaction, &open_and_newest("builds", BUILDS_IN_SNAPSHOT)).await? {
        fleet.apply(&Change::BuildPut { cause: crate::model::BuildCause::Progress, build });
    }
    for lab in rows(&mut transaction, "SELECT row FROM labs").await? {
        fleet.apply(&Change::LabPut { lab });
    }
    // A pipeline that goes on asks how its commands ended, however many ended after them.
    let awaited = fleet
        .pipelines()
        .filter(|row| !row.status.is_over())
        .flat_map(|row| row.active().collect::<Vec<_>>());
    let unread: Vec<_> = awaited.filter(|id| fleet.command(*id).is_none()).collect();
    for id in unread {
        let row: Option<String> = sqlx::query_scalar("SELECT row FROM commands WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(row) = row {
            let command = parse(&row, "commands")?;
            fleet.apply(&Change::CommandPut { cause: crate::model::CommandCause::Progress, command });
        }
    }
    for pull_request in rows(&mut transaction, "SELECT row FROM pull_requests").await? {
        fleet.apply(&Change::PullRequestPut { pull_request });
    }
    for repository in rows(&mut transaction, "SELECT row FROM repository").await? {
        fleet.apply(&Change::RepositoryPut { repository });
    }
    for rules in rows(&mut transaction, "SELECT row FROM event_rules").await? {
        fleet.apply(&Change::RulesPut { rules });
    }
    let newest = format!("SELECT row FROM events ORDER BY id DESC LIMIT {EVENTS_IN_SNAPSHOT}");
    for event in rows(&mut transaction, &newest).await? {
        fleet.apply(&Change::EventLogged { event });
    }
    transaction.rollback().await?;
    Ok(Ledger { fleet, head })
}

async fn rows<T: DeserializeOwned>(
    connection: &mut SqliteConnection,
    sql: &str,
) -> Result<Vec<Arc<T>>, StorageError> {
    let rows = sqlx::query(sql).fetch_all(connection).await?;
    rows.iter().map(|row| parse(&row.try_get::<String, _>(0)?, sql)).collect()
}

fn parse<T: DeserializeOwned>(text: &str, from: &str) -> Result<Arc<T>, StorageError> {
    serde_json::from_str(text)
        .map(Arc::new)
        .map_err(|error| StorageError::Corrupt(format!("{from}: {error}")))
}

fn json(row: &impl serde::Serialize) -> String {
    serde_json::to_string(row).expect("rows are plain data: no map keys, no failing serialiser")
}
