//! Whether a project may take more of the fleet. Asked by the server within its transactions, and by the interface before it asks the server.

use super::{Name, Net, Project, ProjectId, WorkerId};
use std::collections::BTreeSet;

/// A project has as much as it may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuotaReached {
    #[error(
        "Project {project} may have {most} {} and has {now}. Delete one of them or move one to another project, or ask an administrator for a larger quota.",
        if *.most == 1 { "net" } else { "nets" }
    )]
    Nets { project: Name, most: u32, now: usize },
    #[error(
        "The nets of project {project} may use {most} {} and use {now}. Take a worker that they use already, free one of those, or ask an administrator for a larger quota.",
        if *.most == 1 { "worker" } else { "workers" }
    )]
    Workers { project: Name, most: u32, now: usize },
}

impl QuotaReached {
    /// A stable word for programs.
    pub const CODE: &str = "quota_reached";
}

/// What a project has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub nets: usize,
    /// Workers that its nets are assigned to.
    pub workers: BTreeSet<WorkerId>,
}

impl Usage {
    /// Of a project, among these nets.
    pub fn of<'n>(project: ProjectId, nets: impl IntoIterator<Item = &'n Net>) -> Usage {
        let mut usage = Usage::default();
        for net in nets.into_iter().filter(|net| net.project_id == project) {
            usage.nets += 1;
            usage.workers.extend(net.worker_id);
        }
        usage
    }
}

/// Whether one more net may be in `project`: a new one, or one that comes from another project with the worker it is assigned to. `nets` are
/// all nets, or at least those of the project.
pub fn joins<'n>(
    project: &Project,
    nets: impl IntoIterator<Item = &'n Net>,
    worker: Option<WorkerId>,
) -> Result<(), QuotaReached> {
    let usage = Usage::of(project.id, nets);
    if let Some(most) = project.quotas.nets
        && usage.nets >= most as usize
    {
        return Err(QuotaReached::Nets { project: project.name.clone(), most, now: usage.nets });
    }
    worker.map_or(Ok(()), |worker| takes(project, &usage, worker))
}

/// Whether `net`, which is in `project`, may be assigned to `worker`. The worker that it leaves counts only if another net stays there.
pub fn assigns<'n>(
    project: &Project,
    nets: impl IntoIterator<Item = &'n Net>,
    net: &Net,
    worker: WorkerId,
) -> Result<(), QuotaReached> {
    let others = nets.into_iter().filter(|other| other.id != net.id);
    takes(project, &Usage::of(project.id, others), worker)
}

fn takes(project: &Project, usage: &Usage, worker: WorkerId) -> Result<(), QuotaReached> {
    match project.quotas.workers {
        Some(most) if usage.workers.len() >= most as usize && !usage.workers.contains(&worker) => {
            let (project, now) = (project.name.clone(), usage.workers.len());
            Err(QuotaReached::Workers { project, most, now })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DefinitionHash, NetId, NetSize, Quotas, Timestamp};
    use uuid::Uuid;

    fn project(nets: Option<u32>, workers: Option<u32>) -> Project {
        Project {
            id: ProjectId(Uuid::from_u128(1)),
            name: Name::new("alpha").unwrap(),
            quotas: Quotas { nets, workers },
            revision: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn worker(n: u128) -> WorkerId {
        WorkerId(Uuid::from_u128(100 + n))
    }

    /// A net for each entry: its project and its worker.
    fn nets(of: &[(u128, Option<u128>)]) -> Vec<Net> {
        let net = |(n, (project, at)): (usize, &(u128, Option<u128>))| {
            let id = NetId(Uuid::from_u128(n as u128));
            let name = Name::new(&format!("net-{n}")).unwrap();
            let project = ProjectId(Uuid::from_u128(*project));
            let row = Net::unassigned(id, name, project, DefinitionHash::of(b""), NetSize::default());
            Net { worker_id: at.map(worker), ..row }
        };
        of.iter().enumerate().map(net).collect()
    }

    #[test]
    fn only_the_nets_of_the_project_count() {
        let rows = nets(&[(1, None), (2, None), (2, None)]);
        assert_eq!(joins(&project(Some(2), None), &rows, None), Ok(()));
        let refused = joins(&project(Some(1), None), &rows, None).unwrap_err();
        assert!(
            refused.to_string().starts_with("Project alpha may have 1 net and has 1. Delete one"),
            "{refused}"
        );
        assert_eq!(joins(&project(None, None), &rows, None), Ok(()));
    }

    #[test]
    fn a_bound_that_was_lowered_refuses_more_and_takes_nothing_away() {
        let rows = nets(&[(1, Some(1)), (1, Some(2)), (1, Some(3))]);
        let lowered = project(Some(2), Some(2));
        assert!(matches!(joins(&lowered, &rows, None), Err(QuotaReached::Nets { most: 2, now: 3, .. })));
        assert_eq!(assigns(&lowered, &rows, &rows[0], worker(2)), Ok(()), "a worker that is in use");
        assert!(assigns(&lowered, &rows, &rows[0], worker(4)).is_err());
    }

    #[test]
    fn workers_are_counted_once_and_the_one_that_is_left_does_not_count() {
        let rows = nets(&[(1, Some(1)), (1, Some(1)), (1, Some(2)), (2, Some(3))]);
        let bound = project(None, Some(2));
        assert_eq!(assigns(&bound, &rows, &rows[0], worker(2)), Ok(()));
        assert!(
            assigns(&bound, &rows, &rows[0], worker(3)).is_err(),
            "another project's worker is a third one"
        );
        assert_eq!(assigns(&bound, &rows, &rows[2], worker(3)), Ok(()), "worker 2 is free then");
        assert_eq!(joins(&bound, &rows, Some(worker(1))), Ok(()));
        let refused = joins(&bound, &rows, Some(worker(3))).unwrap_err();
        assert!(refused.to_string().contains("may use 2 workers and use 2"), "{refused}");
    }
}
