//! The event log's tables: the rows, and the words in them. The snapshot holds the newest rows.
//!
//! Every answer is in order of the number, newest first, and looks at no more rows than it must: what is filtered by one thing is read from
//! that thing's index, what is searched for or filtered by several is found among the words, where marks stand for types, severities,
//! resources and scopes (`migrations/sqlite/0012_event_log.sql`).

use super::StorageError;
use crate::{
    model::{
        Bucket, Event, EventId, EventPage, EventQuery, EventStatistics, StatisticsBy, Timestamp,
        event_query::MOST_BUCKETS, fleet::EVENTS_IN_SNAPSHOT,
    },
    sync::Scope,
};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, SqlitePool, sqlite::SqliteRow};

/// More alternatives than this are compared row by row rather than looked up each.
const MOST_LANES: usize = 100;

/// Those of these events that are there, in no order.
pub async fn by_ids(pool: &SqlitePool, ids: &[EventId]) -> Result<Vec<Event>, StorageError> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT row FROM events WHERE id IN (");
    let mut list = query.separated(", ");
    ids.iter().for_each(|id| _ = list.push_bind(id.0 as i64));
    query.push(")");
    let rows = query.build().fetch_all(pool).await?;
    rows.iter().map(|row| event_of(row, 0)).collect()
}

/// The newest `limit` events before `before` that `scope` sees and `query` holds for, and where the next page begins.
pub async fn page(
    pool: &SqlitePool,
    scope: &Scope,
    query: &EventQuery,
    before: Option<EventId>,
    limit: u32,
) -> Result<EventPage, StorageError> {
    let mut connection = pool.acquire().await?;
    let Some(search) = Search::new(&mut connection, scope, query, before).await? else {
        return Ok(EventPage::default());
    };
    let mut sql = QueryBuilder::new("");
    search.select(&mut sql, "events.row AS row");
    sql.push(" ORDER BY 1 DESC LIMIT ").push_bind(i64::from(limit) + 1);
    let rows = sql.build().fetch_all(&mut *connection).await?;
    let mut events: Vec<Event> = rows.iter().map(|row| event_of(row, 1)).collect::<Result<_, _>>()?;
    let is_last = events.len() <= limit as usize;
    events.truncate(limit as usize);
    let next = events.last().filter(|_| !is_last).map(|event| cursor(event.id));
    Ok(EventPage { events, next })
}

/// A cursor as its caller keeps it: what comes next is older than `id`.
pub fn cursor(id: EventId) -> String {
    format!("e{:x}", id.0)
}

/// The event that the pages before ended with, or `None` for what is no cursor of ours.
pub fn read_cursor(text: &str) -> Option<EventId> {
    let digits = text.strip_prefix('e').filter(|digits| !digits.starts_with('+'))?;
    let id = u64::from_str_radix(digits, 16).ok().filter(|id| i64::try_from(*id).is_ok())?;
    Some(EventId(id))
}

/// How many events there are that `scope` sees and `query` holds for, by kind of `by`.
pub async fn statistics(
    pool: &SqlitePool,
    scope: &Scope,
    query: &EventQuery,
    by: StatisticsBy,
) -> Result<EventStatistics, StorageError> {
    let mut connection = pool.acquire().await?;
    let Some(mut search) = Search::new(&mut connection, scope, query, None).await? else {
        return Ok(EventStatistics { by, ..EventStatistics::default() });
    };
    let (key, resource) = match by {
        StatisticsBy::Type => ("events.kind", "NULL"),
        StatisticsBy::Hour => ("events.at / 3600000", "NULL"),
        StatisticsBy::Resource => (
            "coalesce(events.net_id, events.worker_id, events.host_id, events.project_id, events.cluster_id)",
            "CASE WHEN events.net_id IS NOT NULL THEN 'net' WHEN events.worker_id IS NOT NULL THEN 'worker'
                  WHEN events.host_id IS NOT NULL THEN 'host' WHEN events.project_id IS NOT NULL THEN 'project'
                  WHEN events.cluster_id IS NOT NULL THEN 'cluster' END",
        ),
    };
    let mut sql = QueryBuilder::new(
        "SELECT CAST(key AS TEXT) AS key, resource, count(*) AS n, sum(severity = 'info'), sum(severity = 'success'),
                sum(severity = 'warning'), sum(severity = 'error'), sum(count(*)) OVER () AS total FROM (",
    );
    search.by_time = by != StatisticsBy::Resource && search.is_plain();
    search.select(&mut sql, &format!("{key} AS key, {resource} AS resource, events.severity AS severity"));
    sql.push(") GROUP BY key ORDER BY ");
    sql.push(if by == StatisticsBy::Hour {
        "key IS NULL, max(key) DESC"
    } else {
        "key IS NULL, n DESC, key"
    });
    sql.push(" LIMIT ").push_bind(MOST_BUCKETS as i64 + 1);
    let rows = sql.build().fetch_all(&mut *connection).await?;
    let mut statistics = EventStatistics { by, ..EventStatistics::default() };
    for row in &rows {
        let count = |column: usize| row.try_get::<i64, _>(column).map(|n| n as u64);
        statistics.total = count(7)?;
        // What tells of no resource is counted and not listed.
        let Some(key) = row.try_get::<Option<String>, _>(0)? else { continue };
        let at = match by {
            StatisticsBy::Hour => key.parse().ok().map(|hour: u64| Timestamp(hour * 3_600_000)),
            StatisticsBy::Type | StatisticsBy::Resource => None,
        };
        statistics.buckets.push(Bucket {
            key: at.map_or(key, |at| at.to_string()),
            at,
            resource_type: row.try_get(1)?,
            count: count(2)?,
            info: count(3)?,
            success: count(4)?,
            warning: count(5)?,
            error: count(6)?,
        });
    }
    statistics.buckets.truncate(MOST_BUCKETS);
    if by == StatisticsBy::Hour {
        statistics.buckets.reverse();
    }
    Ok(statistics)
}

/// What is to be forgotten.
#[derive(Clone, Copy, Debug)]
pub struct Forget {
    /// All from before that time …
    pub before: Timestamp,
    /// … and all but the newest so many. What a snapshot may hold stays in any case.
    pub keep: u64,
    /// So many at once, the oldest first.
    pub most: u32,
}

/// Deletes one batch. Returns how many events it was.
pub(super) async fn forget(connection: &mut SqliteConnection, forget: Forget) -> Result<u64, sqlx::Error> {
    let newest: Option<i64> =
        sqlx::query_scalar("SELECT max(id) FROM events").fetch_one(&mut *connection).await?;
    let newest = newest.unwrap_or(0);
    let kept = |n: u64| newest.saturating_sub(i64::try_from(n).unwrap_or(i64::MAX));
    // Numbers have no gaps, so these are all but the newest so many.
    let surplus = sqlx::query(
        "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id <= ? ORDER BY id LIMIT ?)",
    )
    .bind(kept(forget.keep.max(EVENTS_IN_SNAPSHOT as u64)))
    .bind(forget.most)
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if surplus > 0 {
        return Ok(surplus);
    }
    let old = "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE at < ? AND +id <= ? ORDER BY at LIMIT ?)";
    let old = sqlx::query(old)
        .bind(i64::try_from(forget.before.0).unwrap_or(i64::MAX))
        .bind(kept(EVENTS_IN_SNAPSHOT as u64))
        .bind(forget.most)
        .execute(connection)
        .await?;
    Ok(old.rows_affected())
}

/// One of the things that are filtered by: a row has one of `values` in `column`.
struct Condition {
    column: &'static str,
    values: Vec<String>,
    /// What marks such rows among the words.
    mark: char,
}

impl Condition {
    fn one(column: &'static str, value: impl ToString) -> Condition {
        Condition { column, values: vec![value.to_string()], mark: '\u{E000}' }
    }

    /// `("mark" OR "mark")`, or nothing where those would be too many.
    fn marks(&self) -> Option<String> {
        let bare = |value: &String| value.replace(['-', '.', '_'], "");
        let marks: Vec<String> =
            self.values.iter().map(|value| format!("\"{}{}\"", self.mark, bare(value))).collect();
        (marks.len() <= MOST_LANES).then(|| format!("({})", marks.join(" OR ")))
    }
}

/// A query as it is put to the database.
struct Search {
    conditions: Vec<Condition>,
    /// Of any column: the id of what it tells of.
    resource: Option<String>,
    /// What is looked for among the words; empty: nothing is.
    words: String,
    acknowledged: Option<bool>,
    since: Option<i64>,
    until: Option<i64>,
    /// The numbers that come into question.
    first: Option<i64>,
    before: Option<i64>,
    /// Nothing but the time chooses, and the index of times has all that is asked for.
    by_time: bool,
}

const RESOURCES: [&str; 5] = ["net_id", "worker_id", "host_id", "project_id", "cluster_id"];

impl Search {
    /// `None` where there can be no such event.
    async fn new(
        connection: &mut SqliteConnection,
        scope: &Scope,
        query: &EventQuery,
        before: Option<EventId>,
    ) -> Result<Option<Search>, StorageError> {
        if query.finds_nothing() {
            return Ok(None);
        }
        let time = |at: Timestamp| i64::try_from(at.0).unwrap_or(i64::MAX);
        let mut conditions = Vec::new();
        conditions.extend(query.net_id.map(|id| Condition::one("net_id", id)));
        conditions.extend(query.worker_id.map(|id| Condition::one("worker_id", id)));
        conditions.extend(query.host_id.map(|id| Condition::one("host_id", id)));
        conditions.extend(query.project_id.map(|id| Condition::one("project_id", id)));
        conditions.extend(query.cluster_id.map(|id| Condition::one("cluster_id", id)));
        if let Scope::Projects(projects) = scope {
            let values = std::iter::once(String::new()).chain(projects.iter().map(ToString::to_string));
            conditions.push(Condition { column: "scope", values: values.collect(), mark: '\u{E001}' });
        }
        if !query.types.is_empty() {
            let values = kinds(connection, &query.types).await?;
            if values.is_empty() {
                return Ok(None);
            }
            conditions.push(Condition { column: "kind", values, mark: '\u{E003}' });
        }
        if !query.severities.is_empty() {
            let mut values: Vec<String> =
                query.severities.iter().map(|severity| severity.as_str().to_owned()).collect();
            values.sort_unstable();
            values.dedup();
            conditions.push(Condition { column: "severity", values, mark: '\u{E002}' });
        }
        let resource = query.resource.map(|id| id.to_string());
        let mut words: Vec<String> = query.words().iter().map(|word| format!("\"{word}\"*")).collect();
        if !words.is_empty() || conditions.len() + usize::from(resource.is_some()) > 1 {
            words.extend(conditions.iter().filter_map(Condition::marks));
            words.extend(resource.iter().map(|id| format!("\"\u{E000}{}\"", id.replace('-', ""))));
        }
        let mut search = Search {
            conditions,
            resource,
            words: words.join(" AND "),
            acknowledged: query.acknowledged,
            since: query.since.map(time),
            until: query.until.map(time),
            first: None,
            before: before.map(|id| id.0 as i64),
            by_time: false,
        };
        // A clock may have been set back, so the numbers in a stretch of time are not found by its ends alone.
        if let Some(since) = search.since {
            let first = sqlx::query_scalar("SELECT min(id) FROM events WHERE at >= ?").bind(since);
            let Some(first) = first.fetch_one(&mut *connection).await? else { return Ok(None) };
            search.first = Some(first);
        }
        if let Some(until) = search.until {
            let last = sqlx::query_scalar("SELECT max(id) FROM events WHERE at < ?").bind(until);
            let Some(last): Option<i64> = last.fetch_one(connection).await? else { return Ok(None) };
            search.before = Some(search.before.map_or(last + 1, |before| before.min(last + 1)));
        }
        Ok(Some(search))
    }

    /// `SELECT id, what …` of all rows that it holds for. In the order of the first column, none of them is sorted.
    fn select(&self, sql: &mut QueryBuilder<'_, Sqlite>, what: &str) {
        if !self.words.is_empty() {
            sql.push("SELECT events_words.rowid AS id, ").push(what);
            sql.push(" FROM events_words CROSS JOIN events ON events.id = events_words.rowid WHERE events_words MATCH ");
            sql.push_bind(self.words.clone());
            self.bounds(sql, "events_words.rowid");
            self.others(sql, None);
            return;
        }
        let lanes: Vec<(&str, &String)> = match (&self.resource, self.conditions.first()) {
            (Some(id), _) => RESOURCES.iter().map(|column| (*column, id)).collect(),
            (None, Some(condition)) if condition.values.len() <= MOST_LANES => {
                condition.values.iter().map(|value| (condition.column, value)).collect()
            }
            _ => Vec::new(),
        };
        if self.by_time {
            sql.push("SELECT events.id AS id, ")
                .push(what)
                .push(" FROM events INDEXED BY events_at WHERE events.at >= ");
            sql.push_bind(self.since.unwrap_or(0)).push(" AND events.at < ");
            sql.push_bind(self.until.unwrap_or(i64::MAX));
        } else if lanes.is_empty() {
            sql.push("SELECT events.id AS id, ").push(what).push(" FROM events");
            if self.acknowledged == Some(true) {
                sql.push(" INDEXED BY events_acknowledged WHERE events.acknowledged = 1");
            } else {
                sql.push(" WHERE 1");
            }
            self.bounds(sql, "events.id");
            self.others(sql, None);
        }
        for (at, (column, value)) in lanes.iter().enumerate() {
            if at > 0 {
                sql.push(" UNION ALL ");
            }
            sql.push("SELECT events.id AS id, ")
                .push(what)
                .push(" FROM events WHERE events.")
                .push(column)
                .push(" = ");
            sql.push_bind((*value).clone());
            self.bounds(sql, "events.id");
            self.others(sql, Some(column));
        }
    }

    /// Whether nothing but the time chooses.
    fn is_plain(&self) -> bool {
        self.words.is_empty()
            && self.conditions.is_empty()
            && self.resource.is_none()
            && self.acknowledged.is_none()
    }

    fn bounds(&self, sql: &mut QueryBuilder<'_, Sqlite>, id: &str) {
        if let Some(first) = self.first {
            sql.push(" AND ").push(id).push(" >= ").push_bind(first);
        }
        if let Some(before) = self.before {
            sql.push(" AND ").push(id).push(" < ").push_bind(before);
        }
    }

    /// What else must hold, also where the marks have chosen already. The plus keeps it from choosing another index.
    fn others(&self, sql: &mut QueryBuilder<'_, Sqlite>, but: Option<&str>) {
        for condition in self.conditions.iter().filter(|condition| Some(condition.column) != but) {
            sql.push(" AND +events.").push(condition.column).push(" IN (");
            let mut list = sql.separated(", ");
            condition.values.iter().for_each(|value| _ = list.push_bind(value.clone()));
            sql.push(")");
        }
        if let Some(id) = self.resource.as_ref().filter(|_| but.is_none()) {
            sql.push(" AND ").push_bind(id.clone()).push(" IN (");
            sql.push(RESOURCES.map(|column| format!("+events.{column}")).join(", ")).push(")");
        }
        if let Some(since) = self.since {
            sql.push(" AND +events.at >= ").push_bind(since);
        }
        if let Some(until) = self.until {
            sql.push(" AND +events.at < ").push_bind(until);
        }
        match self.acknowledged {
            Some(true) => _ = sql.push(" AND +events.acknowledged"),
            Some(false) => _ = sql.push(" AND NOT +events.acknowledged"),
            None => {}
        }
    }
}

/// The types in the log that are, or begin as, one of `wanted`. Each is looked up once, however many events have it.
async fn kinds(connection: &mut SqliteConnection, wanted: &[String]) -> Result<Vec<String>, StorageError> {
    let all: Vec<Option<String>> = sqlx::query_scalar(
        "WITH RECURSIVE each (kind) AS (
             SELECT min(kind) FROM events
             UNION ALL SELECT (SELECT min(kind) FROM events WHERE kind > each.kind) FROM each WHERE kind IS NOT NULL
         ) SELECT kind FROM each",
    )
    .fetch_all(connection)
    .await?;
    let is_wanted = |kind: &String| {
        wanted.iter().any(|wanted| match wanted.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
            None => kind == wanted,
        })
    };
    Ok(all.into_iter().flatten().filter(is_wanted).collect())
}

fn event_of(row: &SqliteRow, column: usize) -> Result<Event, StorageError> {
    serde_json::from_str(row.try_get(column)?)
        .map_err(|error| StorageError::Corrupt(format!("an event: {error}")))
}
