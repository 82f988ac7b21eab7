//! What lists share: `?ids=`, pages, and 304 for who has the same already.
//!
//! A page ends with the id of its last row, and the next one begins after it: rows that come or go meanwhile are not shown twice, and hide
//! no other. A parameter that a list does not know is refused: passed over, a mistyped filter would be an answer of everything.

use super::extract::{POSITION, id};
use crate::app::error::ApiError;
use axum::{
    Json,
    extract::{FromRequestParts, Query},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, ops::RangeInclusive, str::FromStr};
use uuid::Uuid;

/// Rows that a page may be asked to have.
const LIMITS: RangeInclusive<usize> = 1..=1_000;
/// Where the next page begins: its `cursor`.
const NEXT: HeaderName = HeaderName::from_static("x-muster-next-cursor");

#[derive(Deserialize)]
struct Fields {
    ids: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// The order of a list. Ids are given in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    OldestFirst,
    NewestFirst,
}

/// What a request for a list asks for.
#[derive(Debug)]
pub struct ListRequest {
    ids: Option<String>,
    /// Absent: all of them.
    limit: Option<usize>,
    cursor: Option<Uuid>,
    /// Names of parameters that only this list has.
    also: &'static [&'static str],
    uri: Uri,
    headers: HeaderMap,
}

impl<S: Send + Sync> FromRequestParts<S> for ListRequest {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<ListRequest, ApiError> {
        let Query(fields) = Query::<Fields>::try_from_uri(&parts.uri)
            .map_err(|error| ApiError::BadRequest { detail: error.body_text() })?;
        let limit = fields.limit.as_deref().map(limit).transpose()?;
        let cursor = fields.cursor.as_deref().map(|cursor| id(cursor, "row")).transpose()?;
        let limit = limit.or(cursor.map(|_| *LIMITS.end()));
        let (uri, headers) = (parts.uri.clone(), parts.headers.clone());
        Ok(ListRequest { ids: fields.ids, limit, cursor, also: &[], uri, headers })
    }
}

fn limit(text: &str) -> Result<usize, ApiError> {
    // `parse` would take a sign.
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    number.filter(|number| LIMITS.contains(number)).ok_or_else(|| {
        let given: String = text.chars().take(40).collect();
        ApiError::BadRequest {
            detail: format!(
                "limit must be a whole number from {} to {}; it is {given:?}.",
                LIMITS.start(),
                LIMITS.end()
            ),
        }
    })
}

/// What every list takes.
const SHARED: [&str; 3] = ["ids", "limit", "cursor"];

impl ListRequest {
    /// This list has parameters of its own.
    pub fn also(self, also: &'static [&'static str]) -> ListRequest {
        ListRequest { also, ..self }
    }

    fn refuse_unknown(&self) -> Result<(), ApiError> {
        let names = || SHARED.iter().chain(self.also);
        let Query(given) = Query::<Vec<(String, String)>>::try_from_uri(&self.uri)
            .map_err(|error| ApiError::BadRequest { detail: error.body_text() })?;
        let Some((unknown, _)) = given.iter().find(|(name, _)| !names().any(|known| known == name)) else {
            return Ok(());
        };
        let (unknown, names): (String, Vec<&str>) =
            (unknown.chars().take(40).collect(), names().copied().collect());
        let detail = format!("This list has no parameter {unknown:?}. It takes {}.", names.join(", "));
        Err(ApiError::BadRequest { detail })
    }

    /// `?ids=a,b`: only those rows; absent ones are left out.
    pub fn wanted<T: FromStr + Ord>(&self, what: &str) -> Result<Option<BTreeSet<T>>, ApiError> {
        let read = |ids: &str| ids.split(',').filter(|id| !id.is_empty()).map(|one| id(one, what)).collect();
        self.ids.as_deref().map(read).transpose()
    }

    /// The rows, the page of them that is asked for, or 304 to a caller that has the same. `rows` are in their `order`, `key` is the id and
    /// the revision of one.
    pub fn answer<T: Serialize>(
        &self,
        mut rows: Vec<T>,
        order: Order,
        key: impl Fn(&T) -> (Uuid, u64),
        position: HeaderValue,
    ) -> Result<Response, ApiError> {
        self.refuse_unknown()?;
        if let Some(cursor) = self.cursor {
            rows.retain(|row| match order {
                Order::OldestFirst => key(row).0 > cursor,
                Order::NewestFirst => key(row).0 < cursor,
            });
        }
        let more = self.limit.is_some_and(|limit| rows.len() > limit);
        rows.truncate(self.limit.unwrap_or(usize::MAX));
        let next = rows.last().filter(|_| more).map(|last| key(last).0);

        let known = rows.iter().map(&key).chain(next.map(|next| (next, 0)));
        let bytes: Vec<u8> = known
            .flat_map(|(id, revision)| id.into_bytes().into_iter().chain(revision.to_be_bytes()))
            .collect();
        let tag = format!("\"{:016x}\"", xxhash_rust::xxh3::xxh3_64(&bytes));
        let same = self.headers.get(header::IF_NONE_MATCH);
        let mut response = match same.is_some_and(|wanted| wanted.as_bytes() == tag.as_bytes()) {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => Json(rows).into_response(),
        };
        let headers = response.headers_mut();
        for (name, text) in [(header::ETAG, Some(tag)), (header::LINK, next.map(|next| self.link(next)))] {
            if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
                headers.insert(name, value);
            }
        }
        if let Some(value) = next.and_then(|next| HeaderValue::from_str(&next.to_string()).ok()) {
            headers.insert(NEXT, value);
        }
        headers.insert(POSITION, position);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        Ok(response)
    }

    /// RFC 8288: the same question, for the next page.
    fn link(&self, next: Uuid) -> String {
        let kept = self.uri.query().unwrap_or_default().split('&');
        let kept = kept.filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
        let query: String = kept.map(|pair| format!("{pair}&")).collect();
        format!("<{}?{query}cursor={next}>; rel=\"next\"", self.uri.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::to_bytes, http::Request};

    async fn ask(query: &str) -> Result<ListRequest, ApiError> {
        let (mut parts, ()) = Request::get(format!("/api/rows{query}")).body(()).unwrap().into_parts();
        ListRequest::from_request_parts(&mut parts, &()).await
    }

    fn row(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    /// The numbers of the rows in an answer, and the address of the next page.
    async fn page(query: &str, rows: &[u128], order: Order) -> (Vec<u128>, Option<String>) {
        let rows: Vec<Uuid> = rows.iter().copied().map(row).collect();
        let asked = ask(query).await.unwrap().also(&["status"]);
        let response = asked.answer(rows, order, |row| (*row, 1), HeaderValue::from_static("here")).unwrap();
        let link = response.headers().get(header::LINK).map(|link| link.to_str().unwrap().to_owned());
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let rows: Vec<Uuid> = serde_json::from_slice(&body).unwrap();
        let next = link.map(|link| {
            let address = link.strip_prefix("</api/rows").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
            address.to_owned()
        });
        (rows.into_iter().map(|row| row.as_u128()).collect(), next)
    }

    #[tokio::test]
    async fn without_a_limit_a_list_is_whole() {
        assert_eq!(page("", &[1, 2, 3], Order::OldestFirst).await, (vec![1, 2, 3], None));
    }

    #[tokio::test]
    async fn pages_follow_one_another_though_rows_come_and_go() {
        let (first, next) = page("?status=queued&limit=2", &[1, 2, 3, 4, 5], Order::OldestFirst).await;
        assert_eq!(first, [1, 2]);
        let next = next.unwrap();
        assert!(next.starts_with("?status=queued&limit=2&cursor="), "{next}");
        // Row 2 went, and so did row 1.
        let (second, next) = page(&next, &[3, 4, 5], Order::OldestFirst).await;
        assert_eq!(second, [3, 4]);
        assert_eq!(page(&next.unwrap(), &[3, 4, 5, 6], Order::OldestFirst).await, (vec![5, 6], None));
    }

    #[tokio::test]
    async fn newest_first_goes_back_in_time() {
        let (first, next) = page("?limit=2", &[5, 4, 3, 1], Order::NewestFirst).await;
        assert_eq!(first, [5, 4]);
        assert_eq!(page(&next.unwrap(), &[6, 5, 4, 3, 1], Order::NewestFirst).await, (vec![3, 1], None));
    }

    #[tokio::test]
    async fn a_limit_out_of_bounds_is_said_with_its_bounds() {
        for given in ["0", "1001", "-1", "+1", "x", "", "99999999999999999999"] {
            let error = ask(&format!("?limit={given}")).await.unwrap_err();
            assert!(error.to_string().starts_with("limit must be a whole number from 1 to 1000"), "{error}");
        }
        assert!(ask("?cursor=x").await.is_err());
        assert!(ask("?limit=1&limit=2").await.is_err());
    }

    #[tokio::test]
    async fn a_parameter_that_a_list_does_not_have_is_refused_with_those_it_has() {
        let answer = |asked: ListRequest| {
            asked.answer(vec![row(1)], Order::OldestFirst, |row| (*row, 1), HeaderValue::from_static("here"))
        };
        let error = answer(ask("?cluster=a").await.unwrap()).unwrap_err().to_string();
        assert_eq!(error, "This list has no parameter \"cluster\". It takes ids, limit, cursor.");
        assert!(answer(ask("?cluster=a&limit=1").await.unwrap().also(&["cluster"])).is_ok());
    }

    #[tokio::test]
    async fn a_page_that_is_the_same_is_not_sent_again() {
        let rows = || vec![row(1), row(2)];
        let position = || HeaderValue::from_static("here");
        let first = ask("?limit=2").await.unwrap();
        let first = first.answer(rows(), Order::OldestFirst, |row| (*row, 1), position()).unwrap();
        let mut again = ask("?limit=2").await.unwrap();
        again.headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        let same = again.answer(rows(), Order::OldestFirst, |row| (*row, 1), position()).unwrap();
        assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
        // The rows are the same; that more follow is not.
        let more = vec![row(1), row(2), row(3)];
        let other = again.answer(more, Order::OldestFirst, |row| (*row, 1), position()).unwrap();
        assert_eq!(other.status(), StatusCode::OK);
    }
}
