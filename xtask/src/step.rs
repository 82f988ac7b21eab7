//! Numbered steps on the terminal: which one is running, out of how many, and how long each took.

use std::time::{Duration, Instant};

use anyhow::Result;

/// A fixed number of steps, announced as `[3/8] Building the server`.
pub struct Steps {
    total: usize,
    current: usize,
    started: Instant,
}

impl Steps {
    pub fn new(total: usize) -> Self {
        Self { total, current: 0, started: Instant::now() }
    }

    /// Announces the next step, runs it and says how long it took; the error, if any, is handed on unprinted.
    pub fn step<T>(&mut self, title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.announce(title);
        let began = Instant::now();
        let result = work();
        let outcome = if result.is_ok() { "done" } else { "failed" };
        let total = human(self.started.elapsed());
        println!(
            "[{}/{}] {title}: {outcome} in {} ({total} in all)",
            self.current,
            self.total,
            human(began.elapsed())
        );
        result
    }

    /// Announces a step that does not come back, such as becoming the server.
    pub fn announce(&mut self, title: &str) {
        self.current += 1;
        println!("[{}/{}] {title} …", self.current, self.total);
    }

    /// Counts a step that cannot run because one that it needs has failed.
    pub fn skip(&mut self, title: &str, why: &str) {
        self.current += 1;
        println!("[{}/{}] {title}: skipped, {why}", self.current, self.total);
    }

    /// True when every announced step has come.
    pub fn finished(&self) -> bool {
        self.current == self.total
    }
}

/// `0.4 s`, `12.3 s`, `4 min 05 s`.
fn human(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    if seconds < 60 {
        format!("{:.1} s", elapsed.as_secs_f32())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_for_people() {
        assert_eq!(human(Duration::from_millis(412)), "0.4 s");
        assert_eq!(human(Duration::from_secs(245)), "4 min 05 s");
    }

    #[test]
    fn a_skipped_step_is_counted_too() {
        let mut steps = Steps::new(2);
        assert!(steps.step("one", || Ok(())).is_ok());
        steps.skip("two", "one failed");
        assert!(steps.finished());
    }
}
