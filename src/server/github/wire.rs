//! What is read of GitHub's answers, with the names of its REST description (version 2022-11-28), and what the console makes of it.

use crate::model::host::Checks;
use serde::Deserialize;

/// An entry of `GET /repos/{owner}/{repo}/pulls`; the details are asked for one by one.
#[derive(Clone, Debug, Deserialize)]
pub struct Listed {
    pub number: u64,
}

/// `GET /repos/{owner}/{repo}/pulls/{pull_number}`.
#[derive(Clone, Debug, Deserialize)]
pub struct Pull {
    pub number: u64,
    /// `open` or `closed`.
    pub state: String,
    pub title: String,
    pub html_url: String,
    pub head: Head,
    /// `null` while GitHub is finding out.
    pub mergeable: Option<bool>,
    #[serde(default)]
    pub draft: bool,
    pub merged: bool,
    pub merge_commit_sha: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Head {
    pub sha: String,
}

/// `GET /repos/{owner}/{repo}/commits/{ref}/status`.
#[derive(Clone, Debug, Deserialize)]
pub struct CombinedStatus {
    /// `failure`, `pending` or `success`; `pending`, too, where there is nothing to combine.
    pub state: String,
    pub total_count: u64,
}

/// A page of `GET /repos/{owner}/{repo}/commits/{ref}/check-runs`.
#[derive(Clone, Debug, Deserialize)]
pub struct CheckRuns {
    pub total_count: u64,
    pub check_runs: Vec<CheckRun>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CheckRun {
    /// `completed`, or one of several words for not yet.
    pub status: String,
    pub conclusion: Option<String>,
}

/// `PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge`, done.
#[derive(Clone, Debug, Deserialize)]
pub struct MergeResult {
    /// The commit that it made.
    pub sha: String,
    pub merged: bool,
    pub message: String,
}

/// Any refusal.
#[derive(Clone, Debug, Deserialize)]
pub struct Refusal {
    pub message: String,
}

/// All checks of a commit together. What GitHub does not call good is failing; what is not over is pending.
pub fn combine(status: &CombinedStatus, runs: &[CheckRun]) -> Checks {
    let of_run = |run: &CheckRun| match (run.status.as_str(), run.conclusion.as_deref()) {
        ("completed", Some("success" | "neutral" | "skipped")) => Checks::Passing,
        ("completed", _) => Checks::Failing,
        _ => Checks::Pending,
    };
    let of_status = match status.state.as_str() {
        _ if status.total_count == 0 => None,
        "success" => Some(Checks::Passing),
        "pending" => Some(Checks::Pending),
        _ => Some(Checks::Failing),
    };
    let all: Vec<Checks> = runs.iter().map(of_run).chain(of_status).collect();
    let any = |which| all.contains(&which);
    match () {
        () if any(Checks::Failing) => Checks::Failing,
        () if any(Checks::Pending) => Checks::Pending,
        () if all.is_empty() => Checks::None,
        () => Checks::Passing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failing_check_fails_them_all_and_no_check_is_no_success() {
        let status = |state: &str, total_count| CombinedStatus { state: state.to_owned(), total_count };
        let run = |status: &str, conclusion: Option<&str>| CheckRun {
            status: status.to_owned(),
            conclusion: conclusion.map(str::to_owned),
        };
        let none = status("pending", 0);
        assert_eq!(combine(&none, &[]), Checks::None);
        assert_eq!(combine(&status("success", 2), &[]), Checks::Passing);
        assert_eq!(combine(&status("failure", 2), &[]), Checks::Failing);
        let good = run("completed", Some("success"));
        assert_eq!(combine(&none, std::slice::from_ref(&good)), Checks::Passing);
        assert_eq!(combine(&status("pending", 1), std::slice::from_ref(&good)), Checks::Pending);
        for word in ["queued", "in_progress", "waiting", "requested", "pending"] {
            assert_eq!(combine(&none, &[good.clone(), run(word, None)]), Checks::Pending, "{word}");
        }
        for word in ["failure", "timed_out", "cancelled", "action_required", "stale", "startup_failure"] {
            let runs = [good.clone(), run("queued", None), run("completed", Some(word))];
            assert_eq!(combine(&none, &runs), Checks::Failing, "{word}");
        }
    }
}
