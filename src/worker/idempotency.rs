//! The answers to recent commands, so that one sent twice takes effect once.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Commands remembered. A console sends one again within seconds, and a worker gets a few a second at most.
const REMEMBERED: usize = 4_096;
/// Characters of a key.
pub const LONGEST_KEY: usize = 200;

#[derive(Debug)]
struct Recent<T> {
    answers: HashMap<String, Arc<OnceCell<T>>>,
    order: VecDeque<String>,
}

/// Recent commands by key. Bounded: the oldest is forgotten.
#[derive(Debug)]
pub struct Idempotency<T> {
    recent: Mutex<Recent<T>>,
}

impl<T: Clone + Send + Sync + 'static> Idempotency<T> {
    pub fn new() -> Self {
        Self { recent: Mutex::new(Recent { answers: HashMap::new(), order: VecDeque::new() }) }
    }

    /// The answer to the first command under this key. A second that comes while the first is at work waits for it.
    /// The work goes on even if the caller hangs up, so that it is never done by halves and then again.
    pub async fn once<F>(&self, key: String, work: impl FnOnce() -> F + Send + 'static) -> Option<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let answer = self.answer(key);
        tokio::spawn(async move { answer.get_or_init(work).await.clone() }).await.ok()
    }

    fn answer(&self, key: String) -> Arc<OnceCell<T>> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = recent.answers.get(&key) {
            return known.clone();
        }
        if recent.order.len() >= REMEMBERED
            && let Some(oldest) = recent.order.pop_front()
        {
            recent.answers.remove(&oldest);
        }
        let new = Arc::new(OnceCell::new());
        recent.order.push_back(key.clone());
        recent.answers.insert(key, new.clone());
        new
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_command_sent_twice_takes_effect_once() {
        let recent = Idempotency::new();
        let effects = Arc::new(AtomicU32::new(0));
        let send = |key: &str| {
            let effects = effects.clone();
            recent.once(key.to_string(), move || async move { effects.fetch_add(1, Ordering::SeqCst) })
        };
        let (first, second) = tokio::join!(send("a"), send("a"));
        assert_eq!((first, second, send("a").await), (Some(0), Some(0), Some(0)));
        assert_eq!(send("b").await, Some(1));
    }

    #[tokio::test]
    async fn the_memory_is_bounded() {
        let recent = Idempotency::new();
        for n in 0..REMEMBERED + 10 {
            recent.once(n.to_string(), || async {}).await;
        }
        let inner = recent.recent.lock().unwrap();
        assert_eq!((inner.answers.len(), inner.order.len()), (REMEMBERED, REMEMBERED));
    }
}
