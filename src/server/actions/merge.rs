//! Merging a pull request, and deploying what was merged.
//!
//! The intent is written before GitHub is asked, and removed in the transaction that writes what became of it. Where that stays open (no
//! answer came, or the console died) GitHub is asked whether it was merged until it says, also by a console that starts again; a deployment
//! follows if that is soon enough for the operator to still expect it.

use super::{
    key,
    outcome::{self, gone},
    pipeline,
};
use crate::{
    app::error::ApiError,
    model::{Done, Draft, EntityRef, Gone, OperationId, Plan, Severity},
    server::{
        App,
        auth::Who,
        clock::now,
        github::{self, Failure, GitHub, Merging, client::GitHubClient},
        repository::git::is_commit,
        storage::{
            SideWrite,
            idempotency::Key,
            merges::{self, Merge},
        },
    },
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// A merge that turns out to have been done later than this after it was asked for is not deployed: nobody is watching any more.
const DEPLOY_WITHIN: Duration = Duration::from_secs(15 * 60);
/// A request that was not answered may be carried out so much later.
const MAY_STILL_HAPPEN: Duration = Duration::from_secs(60);
/// Whether it was merged is asked this often, and given up after so long.
const ASK_EVERY: Duration = Duration::from_secs(5);
const ASK_FOR: Duration = Duration::from_secs(24 * 3600);

pub async fn merge(
    app: &App,
    who: &Who,
    number: u64,
    head_sha: String,
    deploy: Option<Plan>,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    super::hosts::need_hosts(who)?;
    let github = app.github().cloned().ok_or_else(|| ApiError::Refused {
        detail: "This console was told of no repository at GitHub. Start it with --github-repo.".to_owned(),
        code: "github_not_configured".to_owned(),
        current: None,
    })?;
    if !is_commit(&head_sha) {
        let detail = "head_sha must be the whole name of a commit: 40 hexadecimal digits.".to_owned();
        return Err(ApiError::BadRequest { detail });
    }
    let actor = who.actor();
    let lock = github.clone();
    let begun = outcome::begin_with(app, who, key.clone(), move |draft| {
        let row = draft.before().pull_request(number).cloned();
        let row = row.ok_or_else(|| gone(draft.before(), EntityRef::PullRequest(number), draft.now()))?;
        if row.head_sha != head_sha {
            let now = short(&row.head_sha);
            let detail = format!(
                "Cannot merge #{number}: somebody pushed to it; its head is {now} now, not {}. Review it and try again.",
                short(&head_sha)
            );
            return Err(refused("head_moved", detail));
        }
        if row.mergeable == Some(false) {
            let detail = format!(
                "Cannot merge #{number}: GitHub says that it cannot be merged as it is. Mend it there."
            );
            return Err(refused("not_mergeable", detail));
        }
        if let Some(plan) = &deploy {
            pipeline::check(draft, plan)?;
        }
        let Some(held) = lock.begin_merge(number) else {
            return Err(refused(
                "merge_under_way",
                format!("Cannot merge #{number}: it is being merged already."),
            ));
        };
        let then = deploy.as_ref().map(|_| " and deploys it").unwrap_or_default();
        let text = format!("{} merges pull request #{number} {}{then}", draft.actor(), row.title);
        github::log(draft, Severity::Info, text);
        let id = OperationId(Uuid::now_v7());
        let merge = Merge { id, number, title: row.title.clone(), head_sha, actor, deploy, at: draft.now() };
        Ok(((merge.clone(), held), vec![SideWrite::MergeBegins(merge)]))
    });
    let (merge, held) = match begun.await? {
        Ok(begun) => begun,
        Err(first_answer) => return Ok(first_answer),
    };
    let doing = format!("Merging pull request #{number}");
    let within = app.clone();
    outcome::run(app, doing, async move { carry_out(&within, &github, merge, held, key).await }).await
}

/// Asks GitHub to merge, and writes what became of it.
async fn carry_out(
    app: &App,
    github: &GitHub,
    merge: Merge,
    held: Merging,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    let number = merge.number;
    let refusal = match github.client.merge(number, &merge.head_sha).await {
        Ok(result) if result.merged => return finish(app, github, merge, Ok(result.sha), key).await,
        Ok(result) => {
            refused("not_mergeable", format!("GitHub did not merge #{number}: {}.", result.message))
        }
        Err(failure) if may_have_been_done(&failure) => {
            // Most often the answer is there a moment later.
            match was_merged(&github.client, &merge).await {
                Ok(Some(commit)) => return finish(app, github, merge, Ok(commit), key).await,
                _ => return leave_open(app, github, merge, held, &failure, key).await,
            }
        }
        Err(failure) => refusal(&github.client, number, &failure),
    };
    finish(app, github, merge, Err(refusal), key).await
}

/// It is not known whether it was merged: the caller is told so, and somebody goes on asking.
async fn leave_open(
    app: &App,
    github: &GitHub,
    merge: Merge,
    held: Merging,
    failure: &Failure,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    let number = merge.number;
    let then = merge.deploy.as_ref().map(|_| " If it was, the deployment follows.").unwrap_or_default();
    let detail = format!(
        "It is not known whether #{number} was merged: {failure}. The console goes on asking GitHub, and the event log will tell.{then}"
    );
    let answer = outcome::end(app, merge.actor.clone(), key, move |draft| {
        let text = format!("It is not known yet whether pull request #{number} was merged");
        github::log(draft, Severity::Warning, text);
        Err(ApiError::Unknown { detail, current: None })
    })
    .await;
    app.tasks().spawn(find_out(app.clone(), github.clone(), merge, Some(held)));
    answer
}

/// The second transaction: what became of the merge, the deployment if there is to be one, and the end of the intent.
async fn finish(
    app: &App,
    github: &GitHub,
    merge: Merge,
    outcome: Result<String, ApiError>,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    let (id, number, head) = (merge.id, merge.number, merge.head_sha.clone());
    let merged = outcome.is_ok();
    let ended = app.store().transact_with(merge.actor.clone(), None, move |draft, _| {
        let answer = match outcome {
            Ok(commit) => merged_as(draft, &merge, &commit)?,
            Err(error) => {
                github::log(
                    draft,
                    Severity::Warning,
                    format!("Pull request #{number} was not merged: {error}"),
                );
                Err(error)
            }
        };
        let mut side = vec![SideWrite::MergeEnds(id)];
        side.extend(key.map(|key| SideWrite::Answer { key, answer: key::answer(&answer) }));
        Ok::<_, ApiError>((answer, side))
    });
    let ended = ended.await;
    if merged {
        github.was_merged(number, &head);
        app.remotes().repository.now();
    }
    ended?
}

/// Writes that it was merged, and starts the deployment. The inner error is an answer that is written like any other.
fn merged_as(draft: &mut Draft, merge: &Merge, commit: &str) -> Result<Result<Done, ApiError>, Gone> {
    let Merge { number, title, actor, deploy, at, .. } = merge;
    let commit = short(commit);
    draft.pull_request_gone(*number);
    github::log(
        draft,
        Severity::Success,
        format!("Pull request #{number} {title} was merged by {actor} as {commit}"),
    );
    let Some(plan) = deploy else {
        let message = format!("Pull request #{number} was merged as {commit}.");
        return Ok(Ok(Done { message, ..Done::default() }));
    };
    let started = match draft.now().since(*at) > DEPLOY_WITHIN {
        true => Err("it only became known long after it was asked for.".to_owned()),
        false => pipeline::check(draft, plan).map_err(|error| error.to_string()),
    };
    if let Err(why) = started {
        let text = format!("Pull request #{number} was merged, and not deployed: {why}");
        github::log(draft, Severity::Error, text);
        let detail = format!(
            "#{number} was merged as {commit}, but it was not deployed: {why} Start a pipeline when that is mended."
        );
        return Ok(Err(refused("merged_not_deployed", detail)));
    }
    let title: String = format!("Deploy #{number} {title}").chars().take(pipeline::LONGEST_TITLE).collect();
    let pipeline = match pipeline::begin(draft, title.clone(), plan.clone(), actor.clone()) {
        Ok(pipeline) => Arc::new(pipeline),
        // Checked in this very draft.
        Err(error) => return Ok(Err(error)),
    };
    let message =
        format!("Pull request #{number} was merged as {commit}, and the pipeline {title} was started.");
    Ok(Ok(Done { message, pipeline: Some(pipeline), ..Done::default() }))
}

/// At start-up, before anybody can ask for another: the merges that the last console left open.
pub async fn settle(app: &App) {
    let open = match merges::open(app.store().pool()).await {
        Ok(open) => open,
        Err(error) => return tracing::error!(%error, "merges of the last console could not be read"),
    };
    for merge in open {
        match app.github().cloned() {
            Some(github) => {
                let held = github.begin_merge(merge.number);
                app.tasks().spawn(find_out(app.clone(), github, merge, held));
            }
            None => {
                let error = refused(
                    "github_not_configured",
                    "this console was started without --github-repo.".to_owned(),
                );
                give_up(app, merge, &error).await;
            }
        }
    }
}

/// Asks until it is known whether it was merged. What is not known by the shutdown is asked by the next console.
async fn find_out(app: App, github: GitHub, merge: Merge, _held: Option<Merging>) {
    loop {
        let asked = now().since(merge.at);
        let ended = match was_merged(&github.client, &merge).await {
            Ok(Some(commit)) => Some(Ok(commit)),
            Ok(None) if asked >= MAY_STILL_HAPPEN => {
                Some(Err(refused("not_merged", "GitHub never got the request, or dropped it.".to_owned())))
            }
            Err(Failure::Refused { status: 404, said }) => {
                Some(Err(refused("not_merged", format!("GitHub says: {said}."))))
            }
            Ok(None) => None,
            Err(failure) if asked >= ASK_FOR => {
                return give_up(&app, merge, &refused("unknown", format!("{failure}."))).await;
            }
            Err(failure) => {
                tracing::warn!(%failure, number = merge.number, "whether it was merged is not known yet");
                None
            }
        };
        if let Some(outcome) = ended {
            // The answer is in the event log; the caller has gone.
            _ = finish(&app, &github, merge, outcome, None).await;
            return;
        }
        tokio::select! {
            () = app.shutdown().cancelled() => return,
            () = tokio::time::sleep(ASK_EVERY) => {}
        }
    }
}

/// Nobody will find out: that is said, and what was to follow does not.
async fn give_up(app: &App, merge: Merge, why: &ApiError) {
    let then = merge.deploy.as_ref().map(|_| ", and it is not deployed").unwrap_or_default();
    let text = format!("It is not known whether pull request #{} was merged{then}: {why}", merge.number);
    let written = app.store().transact_with(merge.actor.clone(), None, move |draft, _| {
        github::log(draft, Severity::Error, text);
        Ok::<_, ApiError>(((), vec![SideWrite::MergeEnds(merge.id)]))
    });
    if let Err(error) = written.await {
        tracing::error!(%error, "the end of a merge was not written; the next start does it");
    }
}

/// The commit that it was merged as, if it was, with the head that was asked for.
async fn was_merged(client: &GitHubClient, merge: &Merge) -> Result<Option<String>, Failure> {
    let pull = client.pull(merge.number, true).await?;
    let merged = pull.merged && pull.head.sha == merge.head_sha;
    Ok(merged.then(|| pull.merge_commit_sha.unwrap_or(pull.head.sha)))
}

/// Whether a failed request may have been carried out.
fn may_have_been_done(failure: &Failure) -> bool {
    match failure {
        Failure::Unreachable { sent, .. } => *sent,
        Failure::Nonsense(_) => true,
        Failure::Refused { status, .. } => *status >= 500,
        Failure::Token { .. } | Failure::Limited { .. } => false,
    }
}

/// What GitHub's refusal means to the operator.
fn refusal(client: &GitHubClient, number: u64, failure: &Failure) -> ApiError {
    let Failure::Refused { status, said } = failure else {
        return ApiError::GitHubUnavailable {
            detail: format!("#{number} was not merged: {failure}. Try again later."),
        };
    };
    let (code, what_to_do) = match status {
        405 => ("not_mergeable", "Mend it at GitHub."),
        409 => ("head_moved", "Review it and try again."),
        401 => ("github_refuses_token", "Give the console a valid token (--github-token-file)."),
        403 => (
            "github_forbids",
            "The console's token must be allowed to merge: contents and pull requests, read and write.",
        ),
        404 => ("not_at_github", "It was deleted, or the console's token may not see the repository."),
        _ => ("github_refuses", "Look at it there."),
    };
    let repo = client.repo();
    refused(
        code,
        format!(
            "Cannot merge #{number} of {repo}: GitHub says: {}. {what_to_do}",
            said.trim_end_matches('.')
        ),
    )
}

fn refused(code: &str, detail: String) -> ApiError {
    ApiError::Refused { detail, code: code.to_owned(), current: None }
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
