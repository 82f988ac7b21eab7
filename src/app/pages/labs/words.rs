//! Labs in words and states.

use crate::{
    app::components::{Glyph, State, Tone, format},
    model::{Lab, LabCounts, LabGoal, LabPlan, LabProgress, LabState},
};

/// Shape, colour and word.
pub fn lab_state(state: LabState) -> State {
    let (glyph, tone) = match state {
        LabState::Idle => (Glyph::Ring, Tone::Quiet),
        LabState::Queued => (Glyph::Target, Tone::Busy),
        LabState::Running => (Glyph::Half, Tone::Busy),
        LabState::Done => (Glyph::Check, Tone::Good),
        LabState::Failed => (Glyph::Cross, Tone::Bad),
        LabState::Lost => (Glyph::Triangle, Tone::Warn),
    };
    State::new(glyph, tone, state.word())
}

/// `1 000 runs of at most 10 000 firings, until nothing is enabled`.
pub fn plan_words(plan: &LabPlan) -> String {
    match plan {
        LabPlan::MonteCarlo { runs, firings, goal, time, .. } => {
            let mut words = format!(
                "{} of at most {}",
                counted(*runs, "run", "runs"),
                counted(*firings, "firing", "firings")
            );
            if let Some(time) = time {
                words.push_str(&format!(" or {} of time", time.get()));
            }
            if let Some(goal) = goal {
                words.push_str(&format!(", until {}", goal_words(goal)));
            }
            words
        }
        LabPlan::Explore { seconds, memory_mb } => {
            format!(
                "exploration of all markings, at most {seconds} s and {} MB",
                format::count((*memory_mb).into())
            )
        }
    }
}

/// `place p1 holds at least 3 tokens`.
pub fn goal_words(goal: &LabGoal) -> String {
    match goal {
        LabGoal::Deadlock {} => "nothing is enabled".to_owned(),
        LabGoal::Tokens { place, at_least } => {
            format!("{place} holds at least {}", counted(*at_least, "token", "tokens"))
        }
    }
}

/// `340 of 1 000 runs`, `12 400 markings`.
pub fn progress_words(plan: &LabPlan, progress: LabProgress) -> String {
    match plan {
        LabPlan::MonteCarlo { runs, .. } => {
            format!("{} of {}", format::count(progress.runs), counted(*runs, "run", "runs"))
        }
        LabPlan::Explore { .. } => counted(progress.states, "marking", "markings"),
    }
}

/// How much of it is done, from 0 to 1, where that can be said.
pub fn done_share(plan: &LabPlan, progress: LabProgress) -> Option<f64> {
    match plan {
        LabPlan::MonteCarlo { runs, .. } => Some((progress.runs as f64 / (*runs).max(1) as f64).min(1.0)),
        LabPlan::Explore { .. } => None,
    }
}

/// What to do about one that came to a bad end; what happened its own sentence says.
pub fn remedy(lab: &Lab, on_ready_worker: bool) -> Option<&'static str> {
    match lab.state {
        LabState::Failed => {
            Some("Wipe it to be able to start it again, or make a new one with another plan.")
        }
        LabState::Lost if lab.worker_id.is_none() => {
            Some("What was synced before stays here; make a new lab on another worker.")
        }
        LabState::Lost if on_ready_worker => Some(
            "What was synced before stays here. Start it to make it anew on its worker, from the beginning.",
        ),
        LabState::Lost => Some(
            "What was synced before stays here. When its worker is ready again, start it: it is made anew there, from the beginning.",
        ),
        _ => None,
    }
}

/// `2 of 5 running`; what a worker's row has room for.
pub fn count_words(counts: Option<LabCounts>) -> String {
    match counts {
        None => "—".to_owned(),
        Some(LabCounts { total: 0, .. }) => "none".to_owned(),
        Some(LabCounts { total, active, .. }) => {
            format!("{} of {}", format::count(active.into()), format::count(total.into()))
        }
    }
}

/// The same in full.
pub fn counts_title(counts: Option<LabCounts>) -> String {
    match counts {
        None => "It was not asked for its labs yet".to_owned(),
        Some(LabCounts { total: 0, .. }) => "No lab is on it".to_owned(),
        Some(LabCounts { total, active, .. }) => {
            let verb = if active == 1 { "works or waits" } else { "work or wait" };
            format!(
                "{} of {} {verb} for their turn",
                format::count(active.into()),
                counted(total.into(), "lab", "labs")
            )
        }
    }
}

pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", format::count(n), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Positive, Timestamp};
    use std::collections::BTreeMap;

    fn plan(goal: Option<LabGoal>, time: Option<f64>) -> LabPlan {
        LabPlan::MonteCarlo {
            runs: 1_000,
            firings: 10_000,
            seed: 1,
            goal,
            warm_up: 0,
            rates: BTreeMap::new(),
            time: time.and_then(|time| Positive::try_from(time).ok()),
        }
    }

    #[test]
    fn a_plan_reads_as_what_it_does() {
        let plain = |text: String| text.replace('\u{202f}', " ");
        assert_eq!(plain(plan_words(&plan(None, None))), "1 000 runs of at most 10 000 firings");
        assert_eq!(
            plain(plan_words(&plan(Some(LabGoal::Deadlock {}), Some(2.5)))),
            "1 000 runs of at most 10 000 firings or 2.5 of time, until nothing is enabled"
        );
        assert_eq!(
            goal_words(&LabGoal::Tokens { place: "p1".into(), at_least: 1 }),
            "p1 holds at least 1 token"
        );
        assert_eq!(
            plan_words(&LabPlan::Explore { seconds: 60, memory_mb: 128 }),
            "exploration of all markings, at most 60 s and 128 MB"
        );
    }

    #[test]
    fn progress_is_a_share_only_where_the_whole_is_known() {
        let progress = LabProgress { runs: 250, firings: 0, states: 12 };
        assert_eq!(done_share(&plan(None, None), progress), Some(0.25));
        let explore = LabPlan::Explore { seconds: 1, memory_mb: 1 };
        assert_eq!(
            (done_share(&explore, progress), progress_words(&explore, progress)),
            (None, "12 markings".to_owned())
        );
    }

    #[test]
    fn a_worker_that_was_not_asked_has_no_false_zero() {
        assert_eq!(count_words(None), "—");
        let counts = |total, active| Some(LabCounts { total, active, synced_at: Timestamp(0) });
        assert_eq!(count_words(counts(0, 0)), "none");
        assert_eq!(count_words(counts(5, 2)), "2 of 5");
        assert_eq!(counts_title(counts(5, 2)), "2 of 5 labs work or wait for their turn");
    }
}
