//! The guard for clusters and projects, and for moving a net between projects: look again, compare with what was shown, only then send.

use super::{Desk, Outcome, fresh_key, until_heard, with_known};
use crate::{
    app::{
        admin_actions::{
            DeleteCluster, DeleteProject, EditProject, MoveNet, RenameCluster, delete_cluster,
            delete_project, edit_project, move_net, rename_cluster,
        },
        components::Question,
        error::ApiError,
        live::http,
    },
    model::{Cluster, ClusterId, Net, Project, ProjectId},
};
use leptos::prelude::*;

impl Desk {
    /// Does it, and says how it ended. Whether it was done.
    pub async fn rename_cluster(self, ask: RenameCluster) -> bool {
        let RenameCluster { id, name, revision, .. } = ask;
        let look = async || fetch_cluster(id).await.map(|row| (row.revision, row.name.to_string()));
        if let Err(outcome) = same("cluster", "rename", look, revision).await {
            return self.ended(outcome);
        }
        let key = fresh_key();
        let answer = until_heard(|| rename_cluster(id, name.clone(), revision, Some(key.clone()))).await;
        self.ended(answered(answer))
    }

    pub async fn edit_project(self, ask: EditProject) -> bool {
        let EditProject { id, name, nets, workers, revision, .. } = ask;
        let look = async || fetch_project(id).await.map(|row| (row.revision, row.name.to_string()));
        if let Err(outcome) = same("project", "change", look, revision).await {
            return self.ended(outcome);
        }
        let key = fresh_key();
        let send =
            || edit_project(id, name.clone(), nets.clone(), workers.clone(), revision, Some(key.clone()));
        let answer = until_heard(send).await;
        self.ended(answered(answer))
    }

    pub async fn delete_cluster(self, ask: DeleteCluster) -> bool {
        let (id, store) = (ask.id, self.store);
        let words = move || {
            let row = store.clusters.with(|rows| rows.iter().find(|row| row.id == id).cloned());
            let row = row.ok_or("The cluster no longer exists.")?;
            let workers = store.groups.with(|groups| groups.cluster(id).workers);
            empty("cluster", row.name.as_str(), workers, "worker", "workers", "Delete them first.")
        };
        if !self.confirm.ask_live(words).await {
            return false;
        }
        if let Err(error) = fetch_cluster(id).await {
            return self.ended(Outcome::Failed(format!("Could not delete the cluster. {error}")));
        }
        let key = fresh_key();
        let answer = until_heard(|| delete_cluster(id, Some(key.clone()))).await;
        self.gone(answer)
    }

    pub async fn delete_project(self, ask: DeleteProject) -> bool {
        let (id, store) = (ask.id, self.store);
        let words = move || {
            let row = store.projects.with(|rows| rows.iter().find(|row| row.id == id).cloned());
            let row = row.ok_or("The project no longer exists.")?;
            let nets = store.groups.with(|groups| groups.project(id).nets);
            let what_to_do = "Delete them or move them to another project first.";
            empty("project", row.name.as_str(), nets, "net", "nets", what_to_do)
        };
        if !self.confirm.ask_live(words).await {
            return false;
        }
        if let Err(error) = fetch_project(id).await {
            return self.ended(Outcome::Failed(format!("Could not delete the project. {error}")));
        }
        let key = fresh_key();
        let answer = until_heard(|| delete_project(id, Some(key.clone()))).await;
        self.gone(answer)
    }

    pub async fn move_net(self, ask: MoveNet) -> bool {
        let MoveNet { id, project_id, .. } = ask;
        let shown = self.store.net_row(id).map(|row| row.get_untracked().project_id);
        match http::get_json::<Net>(&format!("/api/nets/{id}")).await {
            Err(error) => return self.ended(Outcome::Failed(format!("Could not move the net. {error}"))),
            Ok(net) if shown.is_some_and(|shown| shown != net.project_id) => {
                let project = self.store.project_name_now(net.project_id);
                return self.ended(Outcome::Changed(format!(
                    "Net state has changed — {} is now in project {project}. Please review before retrying.",
                    net.name
                )));
            }
            Ok(_) => {}
        }
        let key = fresh_key();
        let answer = until_heard(|| move_net(id, project_id, Some(key.clone()))).await;
        self.ended(answered(answer))
    }

    fn ended(self, outcome: Outcome) -> bool {
        let done = matches!(outcome, Outcome::Done(_));
        self.tell(outcome, true);
        done
    }

    fn gone(self, answer: Result<crate::model::Done, ApiError>) -> bool {
        self.ended(answered(answer))
    }
}

fn answered(answer: Result<crate::model::Done, ApiError>) -> Outcome {
    match answer {
        Ok(done) => Outcome::Done(done),
        Err(error) => Outcome::Failed(with_known(&error, String::new())),
    }
}

/// Asks before what is empty is deleted; of what is not, says what is in it.
fn empty(
    what: &'static str,
    name: &str,
    members: usize,
    one: &str,
    many: &str,
    what_to_do: &str,
) -> Result<Question, String> {
    if members > 0 {
        let members = crate::app::components::format::counted(members, one, many);
        return Err(format!("Cannot delete {what} {name}: it has {members}. {what_to_do}"));
    }
    Ok(Question {
        title: format!("Delete {name}?"),
        losses: vec![format!("The {what} is empty. Its record will be gone, and it cannot be undone.")],
        verb: if what == "cluster" { "Delete cluster" } else { "Delete project" },
    })
}

/// Refuses where the row is not the one that was shown any more.
async fn same(
    what: &str,
    verb: &str,
    look: impl AsyncFn() -> Result<(u64, String), ApiError>,
    shown: Option<u64>,
) -> Result<(), Outcome> {
    match look().await {
        Err(error) => Err(Outcome::Failed(format!("Could not {verb} the {what}. {error}"))),
        Ok((revision, name)) if shown.is_some_and(|shown| shown != revision) => {
            Err(Outcome::Changed(format!(
                "The {what} has changed since you opened this form; its name is now {name}. Please review before retrying."
            )))
        }
        Ok(_) => Ok(()),
    }
}

async fn fetch_cluster(id: ClusterId) -> Result<Cluster, ApiError> {
    http::get_json(&format!("/api/clusters/{id}")).await
}

async fn fetch_project(id: ProjectId) -> Result<Project, ApiError> {
    http::get_json(&format!("/api/projects/{id}")).await
}
