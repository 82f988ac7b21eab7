//! `GET /health`: the whole picture.

use std::sync::Arc;

use axum::{Extension, Json};

use super::Shared;
use crate::model::WorkerMetrics;
use crate::worker::protocol::Health;
use crate::worker::refusal::Refusal;

pub async fn show(Extension(shared): Extension<Arc<Shared>>) -> Result<Json<Health>, Refusal> {
    shared.health().await.map(Json)
}

impl Shared {
    pub(super) async fn health(&self) -> Result<Health, Refusal> {
        let (nets, labs) = (self.nets.clone(), self.labs.clone());
        let describe = move || (nets.describe(), labs.describe());
        let (nets, labs) = tokio::task::spawn_blocking(describe).await.map_err(|_| Refusal::Internal)?;
        // The figures are up to a second old; how many nets there are is known better.
        let metrics = WorkerMetrics { nets: nets.len() as u32, ..*self.metrics.borrow() };
        Ok(Health {
            worker_id: self.worker_id,
            incarnation: self.incarnation,
            version: env!("CARGO_PKG_VERSION").to_string(),
            nets,
            labs,
            metrics,
        })
    }
}
