//! Drawings of nets, made off the request threads and kept: a definition never changes.

use super::{api::error::internal, storage::definitions};
use crate::{
    app::error::ApiError,
    model::DefinitionHash,
    petri::{
        graph::NetGraph,
        pnml::{self, Limits},
    },
};
use bytes::Bytes;
use sqlx::SqlitePool;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OnceCell;

/// Drawings kept; the one used longest ago goes first.
const KEPT: usize = 32;

type Drawing = Arc<OnceCell<Bytes>>;

#[derive(Default)]
pub struct Graphs {
    kept: Mutex<VecDeque<(DefinitionHash, Drawing)>>,
}

impl Graphs {
    /// The drawing as JSON. Several who ask at once wait for one making.
    pub async fn get(&self, pool: &SqlitePool, definition: DefinitionHash) -> Result<Bytes, ApiError> {
        let drawing = self.entry(definition);
        let bytes = drawing.get_or_try_init(|| draw(pool, definition)).await?;
        Ok(bytes.clone())
    }

    fn entry(&self, definition: DefinitionHash) -> Drawing {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = match kept.iter().position(|(hash, _)| *hash == definition) {
            Some(at) => kept.remove(at).map(|(_, drawing)| drawing).unwrap_or_default(),
            None => Drawing::default(),
        };
        kept.push_back((definition, entry.clone()));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        entry
    }
}

async fn draw(pool: &SqlitePool, definition: DefinitionHash) -> Result<Bytes, ApiError> {
    let stored = definitions::get(pool, definition).await.map_err(|error| internal(&error))?;
    let stored = stored.ok_or_else(|| internal(&format!("definition {definition} is missing")))?;
    let drawn = tokio::task::spawn_blocking(move || {
        // A file that was kept although it cannot be read has no drawing.
        let net = pnml::read(&stored, &Limits::default()).map_err(|error| ApiError::BadPnml {
            line: error.line,
            column: error.column,
            reason: error.kind.to_string(),
        })?;
        serde_json::to_vec(&NetGraph::of(&net)).map_err(|error| internal(&error))
    });
    drawn.await.map_err(|error| internal(&error))?.map(Bytes::from)
}
