//! Which part of the fleet an operator looks at: one cluster, one project, or all. It stands in the address and in a cookie.
//!
//! Pure. It narrows what is shown, never what is sent: the stream carries what the user may see, so that changing one's mind asks nobody.

use crate::model::{ClusterId, Event, Net, ProjectId, Worker};
use serde::{Deserialize, Serialize};

/// The keys in an address. The value is an id, or [`ALL`]; where a key is missing, what was remembered holds.
pub const CLUSTER: &str = "in_cluster";
pub const PROJECT: &str = "in_project";
pub const ALL: &str = "all";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Within {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
}

impl Within {
    pub const COOKIE: &str = "muster_within";

    pub fn is_all(self) -> bool {
        self == Within::default()
    }

    /// What an address with the query `search` (without its `?`) shows. What cannot be read is not chosen.
    pub fn read(search: &str, remembered: Within) -> Within {
        let value = |wanted: &str| {
            let mut pairs = search.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == wanted).map(|(_, value)| value)
        };
        Within {
            cluster: value(CLUSTER).map_or(remembered.cluster, |id| id.parse().ok()),
            project: value(PROJECT).map_or(remembered.project, |id| id.parse().ok()),
        }
    }

    /// Whether the query says anything of it.
    pub fn is_said(search: &str) -> bool {
        search.trim_start_matches('?').split('&').any(is_own)
    }

    /// The query `search` with this in it: all goes without saying.
    pub fn write(self, search: &str) -> String {
        self.pairs(search, false)
    }

    /// The same, and all is said, too: for a link that chooses it.
    pub fn write_out(self, search: &str) -> String {
        self.pairs(search, true)
    }

    /// A path of the console, with this in its query; what it says itself stays.
    pub fn carry(self, path: &str) -> String {
        let (path, hash) = match path.split_once('#') {
            Some((path, hash)) => (path, format!("#{hash}")),
            None => (path, String::new()),
        };
        let (path, search) = path.split_once('?').unwrap_or((path, ""));
        let query = Within::read(search, self).write(search);
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{path}{mark}{query}{hash}")
    }

    fn pairs(self, search: &str, out: bool) -> String {
        let others =
            search.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty() && !is_own(pair));
        let mut pairs: Vec<String> = others.map(str::to_owned).collect();
        let mut say = |key: &str, id: Option<String>| {
            let value = id.or_else(|| out.then(|| ALL.to_owned()));
            pairs.extend(value.map(|value| format!("{key}={value}")));
        };
        say(CLUSTER, self.cluster.map(|id| id.to_string()));
        say(PROJECT, self.project.map(|id| id.to_string()));
        pairs.join("&")
    }

    pub fn has_worker(self, worker: &Worker) -> bool {
        self.cluster.is_none_or(|id| worker.cluster_id == id)
    }

    pub fn has_net(self, net: &Net) -> bool {
        self.project.is_none_or(|id| net.project_id == id)
    }

    /// An event of no cluster or project belongs to all of them.
    pub fn has_event(self, event: &Event) -> bool {
        fn has<T: PartialEq>(wanted: Option<T>, has: Option<T>) -> bool {
            wanted.is_none() || has.is_none() || wanted == has
        }
        has(self.cluster, event.cluster_id) && has(self.project, event.project_id)
    }

    /// What was chosen last, in a `Cookie` header.
    pub fn in_cookies(header: &str) -> Within {
        let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
        let said = pairs.into_iter().find(|(name, _)| *name == Within::COOKIE).map_or("", |(_, said)| said);
        let (cluster, project) = said.split_once('.').unwrap_or_default();
        Within { cluster: cluster.parse().ok(), project: project.parse().ok() }
    }

    /// A `Set-Cookie` value, also good for `document.cookie`, that keeps the choice for a year.
    pub fn cookie(self) -> String {
        let id = |id: Option<String>| id.unwrap_or_default();
        let (cluster, project) =
            (id(self.cluster.map(|id| id.to_string())), id(self.project.map(|id| id.to_string())));
        let age = if self.is_all() { 0 } else { 31_536_000 };
        format!("{}={cluster}.{project}; Path=/; Max-Age={age}; SameSite=Lax", Within::COOKIE)
    }
}

fn is_own(pair: &str) -> bool {
    [CLUSTER, PROJECT].contains(&pair.split('=').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ONE: Within = Within { cluster: Some(ClusterId(Uuid::from_u128(1))), project: None };

    #[test]
    fn the_address_has_the_last_word_and_keeps_the_rest() {
        let search = ONE.write("q=a%26b&in_project=nonsense&new");
        assert_eq!(search, format!("q=a%26b&new&in_cluster={}", Uuid::from_u128(1)));
        assert_eq!(Within::read(&search, Within::default()), ONE);
        assert_eq!(Within::read("q=x", ONE), ONE, "what was remembered holds");
        assert_eq!(Within::read("in_cluster=all", ONE), Within::default());
        assert_eq!(Within::read("in_cluster=%3Cscript", ONE), Within::default());
        assert_eq!(Within::default().write(&search), "q=a%26b&new");
        assert_eq!(Within::default().write_out("new"), "new&in_cluster=all&in_project=all");
        let id = Uuid::from_u128(1);
        assert_eq!(ONE.carry("/nets?new#end"), format!("/nets?new&in_cluster={id}#end"));
        assert_eq!(ONE.carry("/nets?in_cluster=all"), "/nets", "a link that chooses has the last word");
        assert_eq!(Within::default().carry("/nets"), "/nets");
        assert!(Within::is_said("?a&in_cluster=all") && !Within::is_said("cluster=a"));
    }

    #[test]
    fn a_cookie_keeps_it() {
        let both = Within { project: Some(ProjectId(Uuid::from_u128(2))), ..ONE };
        for within in [both, ONE, Within::default()] {
            let set = within.cookie();
            let (pair, _) = set.split_once(';').unwrap();
            assert_eq!(Within::in_cookies(&format!("a=b; {pair}; c=d")), within);
        }
        assert_eq!(Within::in_cookies("muster_within=x.y"), Within::default());
    }
}
