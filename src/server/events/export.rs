//! The log as a file: page after page, each read when the one before was taken, so that a million events take no more memory than one page.

use super::{bad, check};
use crate::{
    app::error::ApiError,
    model::{Event, EventId, EventQuery, event_query::MOST_PER_PAGE},
    server::{
        App,
        auth::Who,
        clock::now,
        events::ask::Format,
        storage::events::{page, read_cursor},
    },
};
use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use std::io;

const COLUMNS: &str = "id,time,type,severity,actor,text,cluster_id,project_id,worker_id,net_id,host_id,data,acknowledged_by,acknowledged_at\r\n";

/// What `who` may see and `query` holds for, newest first.
pub fn export(app: &App, who: &Who, query: EventQuery, format: Format) -> Result<Response, ApiError> {
    check(&query)?;
    let (kind, ending) = match format {
        Format::JsonLines => ("application/jsonl", "jsonl"),
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
    };
    let day = now().to_string();
    let day = day.split('T').next().unwrap_or_default();
    let name = HeaderValue::from_str(&format!("attachment; filename=\"muster-events-{day}.{ending}\""))
        .map_err(|error| bad(error.to_string()))?;
    let begins = match format {
        Format::JsonLines => Bytes::new(),
        Format::Csv => Bytes::from_static(COLUMNS.as_bytes()),
    };
    let cut = app.cutter().token(who);
    let (pool, scope) = (app.store().pool().clone(), who.scope.clone());
    let pages = stream::try_unfold(Some(None::<EventId>), move |from| {
        let (pool, scope, query, cut) = (pool.clone(), scope.clone(), query.clone(), cut.clone());
        async move {
            let Some(before) = from else { return Ok(None) };
            // Signed out meanwhile, or not to see the same any more. The file breaks off, and says so by its missing end.
            if cut.is_cancelled() {
                return Err(io::Error::other("the session ended"));
            }
            let page = page(&pool, &scope, &query, before, MOST_PER_PAGE).await.map_err(io::Error::other)?;
            let text: String = page.events.iter().map(|event| line(event, format)).collect();
            let next = page.next.as_deref().and_then(read_cursor);
            Ok(Some((Bytes::from(text), next.map(Some))))
        }
    });
    let whole = stream::once(async { Ok(begins) }).chain(pages);
    let whole = whole.inspect_err(|error| tracing::warn!(%error, "an export of events was broken off"));
    let mut response = Body::from_stream(whole).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_DISPOSITION, name);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn line(event: &Event, format: Format) -> String {
    match format {
        Format::JsonLines => serde_json::to_string(event).map(|line| line + "\n").unwrap_or_default(),
        Format::Csv => {
            let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
            let data = match event.data.is_empty() {
                true => String::new(),
                false => serde_json::to_string(&event.data).unwrap_or_default(),
            };
            let taken = event.acknowledged.as_ref();
            let cells = [
                event.id.to_string(),
                event.at.to_string(),
                event.kind.clone(),
                event.severity.as_str().to_owned(),
                event.actor.to_string(),
                event.text.clone(),
                id(event.cluster_id.map(|id| id.0)),
                id(event.project_id.map(|id| id.0)),
                id(event.worker_id.map(|id| id.0)),
                id(event.net_id.map(|id| id.0)),
                id(event.host_id.map(|id| id.0)),
                data,
                taken.map(|taken| taken.by.to_string()).unwrap_or_default(),
                taken.map(|taken| taken.at.to_string()).unwrap_or_default(),
            ];
            cells.map(|text| cell(&text)).join(",") + "\r\n"
        }
    }
}

/// A cell in quotes (RFC 4180). What a spreadsheet would take for a formula begins with an apostrophe, which makes it text there (OWASP, CSV
/// injection): names and reasons are what somebody else wrote.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let apostrophe = if formula { "'" } else { "" };
    format!("\"{apostrophe}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn no_cell_is_a_formula_and_no_quote_ends_one() {
        assert_eq!(cell("Worker a is ready"), "\"Worker a is ready\"");
        assert_eq!(cell("a \"b\",\nc"), "\"a \"\"b\"\",\nc\"");
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert_eq!(cell(formula), format!("\"'{formula}\""));
        }
    }
}
