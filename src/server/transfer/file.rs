//! The format: JSON, version 1. Rows are sorted by id, so the same fleet is the same bytes.

use crate::{
    model::{
        Category, ClusterId, DefinitionHash, EventRules, Fleet, Mute, Name, NetId, NetSize, PriorityRule,
        ProjectId, Provider, Quotas, WorkerId,
        action::{CPUS, MAX_PNML_BYTES, MEMORY_MB, whole_number_wanted},
        rules::MOST_RULES,
    },
    petri::pnml::{self, Limits},
    server::{api::fields::strictly, providers::external},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What the field `format` says.
pub const FORMAT: &str = "muster-fleet";
/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;
/// A file may have this many bytes.
pub const MAX_BYTES: usize = 256 << 20;

/// A fleet as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FleetFile {
    /// `muster-fleet`.
    pub format: String,
    /// 1.
    pub version: u32,
    pub clusters: Vec<ClusterRecord>,
    pub projects: Vec<ProjectRecord>,
    pub workers: Vec<WorkerRecord>,
    pub nets: Vec<NetRecord>,
    /// The PNML files of the nets, by their SHA-256.
    pub definitions: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<RulesRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterRecord {
    pub id: ClusterId,
    pub name: Name,
    pub provider: Provider,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectRecord {
    pub id: ProjectId,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Quotas::is_none")]
    pub quotas: Quotas,
}

/// A worker's record. Its machine is not in the file: it arrives as `pending`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkerRecord {
    pub id: WorkerId,
    pub cluster_id: ClusterId,
    pub name: Name,
    pub category: Category,
    pub cpus: u16,
    /// Mebibytes.
    pub memory_mb: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

/// A net. It arrives unloaded, assigned to the same worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetRecord {
    pub id: NetId,
    pub project_id: ProjectId,
    pub name: Name,
    pub definition: DefinitionHash,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<WorkerId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesRecord {
    #[serde(deserialize_with = "strictly")]
    pub mutes: Vec<Mute>,
    #[serde(deserialize_with = "strictly")]
    pub priorities: Vec<PriorityRule>,
}

/// Why a file is refused: a sentence that names the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The file was not accepted, and nothing was imported: {place}: {reason}")]
pub struct NotAFleet {
    /// `line 3 column 7`, `workers[2] (eu-17)`.
    pub place: String,
    pub reason: String,
}

fn wrong(place: impl Into<String>, reason: impl Into<String>) -> NotAFleet {
    NotAFleet { place: place.into(), reason: reason.into() }
}

impl FleetFile {
    /// The rows of `fleet`. `definitions` are those of its nets.
    pub fn of(fleet: &Fleet, definitions: BTreeMap<DefinitionHash, String>) -> FleetFile {
        let rules = fleet
            .rules()
            .map(|rules| RulesRecord { mutes: rules.mutes.clone(), priorities: rules.priorities.clone() });
        FleetFile {
            format: FORMAT.to_owned(),
            version: VERSION,
            clusters: (fleet.clusters())
                .map(|row| ClusterRecord {
                    id: row.id,
                    name: row.name.clone(),
                    provider: row.provider,
                    region: row.region.clone(),
                })
                .collect(),
            projects: (fleet.projects())
                .map(|row| ProjectRecord { id: row.id, name: row.name.clone(), quotas: row.quotas })
                .collect(),
            workers: (fleet.workers())
                .map(|row| WorkerRecord {
                    id: row.id,
                    cluster_id: row.cluster_id,
                    name: row.name.clone(),
                    category: row.category,
                    cpus: row.cpus,
                    memory_mb: row.memory_mb,
                    region: row.region.clone(),
                    endpoint: row.endpoint.clone(),
                })
                .collect(),
            nets: (fleet.nets())
                .map(|row| NetRecord {
                    id: row.id,
                    project_id: row.project_id,
                    name: row.name.clone(),
                    definition: row.definition,
                    worker_id: row.worker_id,
                })
                .collect(),
            definitions: definitions.into_iter().map(|(hash, pnml)| (hash.to_string(), pnml)).collect(),
            rules,
        }
    }

    /// As it is written: indented, and with a line's end, so that people and `diff` can read it.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("records are plain data: text keys, and no serialiser that fails");
        text.push('\n');
        text
    }

    pub fn read(bytes: &[u8]) -> Result<FleetFile, NotAFleet> {
        // Of another format or version, the fields say nothing: this comes first.
        #[derive(Deserialize)]
        struct Head {
            #[serde(default)]
            format: String,
            #[serde(default)]
            version: u32,
        }
        let unreadable = |error: serde_json::Error| {
            let (line, column) = (error.line(), error.column());
            let said = error.to_string();
            let reason = said.split(" at line ").next().unwrap_or(&said).to_owned();
            wrong(format!("line {line} column {column}"), format!("{reason}."))
        };
        let head: Head = serde_json::from_slice(bytes).map_err(unreadable)?;
        if head.format != FORMAT {
            return Err(wrong("format", format!("it must be {FORMAT:?}; this is no export of a fleet.")));
        }
        if head.version != VERSION {
            let reason = format!(
                "this console reads version {VERSION}; the file is of version {}. Export it anew with a console of this one's age.",
                head.version
            );
            return Err(wrong("version", reason));
        }
        serde_json::from_slice(bytes).map_err(unreadable)
    }

    /// Everything that must hold of the file as a whole; how large each net is.
    pub fn check(&self) -> Result<BTreeMap<DefinitionHash, NetSize>, NotAFleet> {
        let clusters = self.check_clusters()?;
        let projects = self.check_projects()?;
        let workers = self.check_workers(&clusters)?;
        self.check_nets(&projects, &workers)?;
        self.check_rules()?;
        self.check_definitions()
    }

    fn check_clusters(&self) -> Result<BTreeMap<ClusterId, Provider>, NotAFleet> {
        let (mut seen, mut names) = (BTreeMap::new(), Names::default());
        for (n, row) in self.clusters.iter().enumerate() {
            let place = || format!("clusters[{n}] ({})", row.name);
            if seen.insert(row.id, row.provider).is_some() {
                return Err(wrong(place(), "its id is another one's, too."));
            }
            if !names.is_new((), &row.name) {
                return Err(wrong(place(), "another cluster has this name; capitals make no difference."));
            }
            if !matches!(row.provider, Provider::Local | Provider::External) {
                return Err(wrong(place(), "its provider must be local or external."));
            }
            region(row.region.as_deref()).map_err(|reason| wrong(place(), reason))?;
        }
        Ok(seen)
    }

    fn check_projects(&self) -> Result<BTreeSet<ProjectId>, NotAFleet> {
        let (mut seen, mut names) = (BTreeSet::new(), Names::default());
        for (n, row) in self.projects.iter().enumerate() {
            let place = || format!("projects[{n}] ({})", row.name);
            if !seen.insert(row.id) {
                return Err(wrong(place(), "its id is another one's, too."));
            }
            if !names.is_new((), &row.name) {
                return Err(wrong(place(), "another project has this name; capitals make no difference."));
            }
        }
        Ok(seen)
    }

    fn check_workers(
        &self,
        clusters: &BTreeMap<ClusterId, Provider>,
    ) -> Result<BTreeSet<WorkerId>, NotAFleet> {
        let (mut seen, mut names) = (BTreeSet::new(), Names::default());
        for (n, row) in self.workers.iter().enumerate() {
            let fail = |reason: String| Err(wrong(format!("workers[{n}] ({})", row.name), reason));
            if !seen.insert(row.id) {
                return fail("its id is another one's, too.".to_owned());
            }
            let Some(provider) = clusters.get(&row.cluster_id) else {
                return fail(format!("there is no cluster {} in the file.", row.cluster_id));
            };
            if !names.is_new(row.cluster_id, &row.name) {
                return fail("another worker of its cluster has this name.".to_owned());
            }
            for (field, bounds, given) in
                [("cpus", &CPUS, u64::from(row.cpus)), ("memory_mb", &MEMORY_MB, u64::from(row.memory_mb))]
            {
                if !bounds.contains(&given) {
                    return fail(whole_number_wanted(field, bounds, &given.to_string()));
                }
            }
            if let Err(reason) = region(row.region.as_deref()) {
                return fail(reason);
            }
            match (*provider == Provider::External, &row.endpoint) {
                (true, Some(endpoint)) => match external::endpoint(endpoint) {
                    Ok(read) if read == *endpoint => {}
                    Ok(read) => return fail(format!("its endpoint must be written {read}.")),
                    Err(error) => return fail(error.to_string()),
                },
                (true, None) => return fail("a worker of an external cluster has an endpoint.".to_owned()),
                (false, Some(_)) => {
                    return fail("only a worker of an external cluster has an endpoint.".to_owned());
                }
                (false, None) => {}
            }
        }
        Ok(seen)
    }

    fn check_nets(
        &self,
        projects: &BTreeSet<ProjectId>,
        workers: &BTreeSet<WorkerId>,
    ) -> Result<(), NotAFleet> {
        let (mut seen, mut names) = (BTreeSet::new(), Names::default());
        for (n, row) in self.nets.iter().enumerate() {
            let fail = |reason: String| Err(wrong(format!("nets[{n}] ({})", row.name), reason));
            if !seen.insert(row.id) {
                return fail("its id is another one's, too.".to_owned());
            }
            if !projects.contains(&row.project_id) {
                return fail(format!("there is no project {} in the file.", row.project_id));
            }
            if !names.is_new(row.project_id, &row.name) {
                return fail("another net of its project has this name.".to_owned());
            }
            if let Some(worker) = row.worker_id.filter(|worker| !workers.contains(worker)) {
                return fail(format!("there is no worker {worker} in the file."));
            }
            if !self.definitions.contains_key(&row.definition.to_string()) {
                return fail(format!("its definition {} is not in the file.", row.definition));
            }
        }
        Ok(())
    }

    fn check_rules(&self) -> Result<(), NotAFleet> {
        let Some(rules) = &self.rules else { return Ok(()) };
        if rules.mutes.len() > MOST_RULES || rules.priorities.len() > MOST_RULES {
            return Err(wrong("rules", format!("there can be {MOST_RULES} of each kind at most.")));
        }
        for (n, mute) in rules.mutes.iter().enumerate().filter(|(_, mute)| !mute.note.is_empty()) {
            Name::new(&mute.note)
                .map_err(|error| wrong(format!("rules.mutes[{n}].note"), error.to_string()))?;
        }
        Ok(())
    }

    fn check_definitions(&self) -> Result<BTreeMap<DefinitionHash, NetSize>, NotAFleet> {
        let used: BTreeSet<DefinitionHash> = self.nets.iter().map(|net| net.definition).collect();
        let mut sizes = BTreeMap::new();
        for (key, pnml) in &self.definitions {
            let place = || format!("definitions.{key}");
            let hash = DefinitionHash::of(pnml.as_bytes());
            if hash.to_string() != *key {
                return Err(wrong(place(), format!("the SHA-256 of its text is {hash}.")));
            }
            if !used.contains(&hash) {
                return Err(wrong(place(), "no net has it."));
            }
            if pnml.len() > MAX_PNML_BYTES {
                return Err(wrong(place(), format!("it is larger than {} MiB.", MAX_PNML_BYTES >> 20)));
            }
            let net = pnml::read(pnml.as_bytes(), &Limits::default()).map_err(|error| {
                let at = format!("its line {}, column {}", error.line, error.column);
                wrong(place(), format!("{at}: {}.", error.kind))
            })?;
            sizes.insert(hash, net.size());
        }
        Ok(sizes)
    }

    /// The rules as a row; the draft that puts them counts their revision.
    pub fn rules(&self) -> Option<EventRules> {
        let rules = self.rules.clone()?;
        Some(EventRules { mutes: rules.mutes, priorities: rules.priorities, ..EventRules::default() })
    }
}

fn region(region: Option<&str>) -> Result<(), String> {
    let Some(text) = region else { return Ok(()) };
    match Name::new(text) {
        Ok(name) if name.as_str() == text => Ok(()),
        Ok(name) => Err(format!("its region must be written {:?}.", name.as_str())),
        Err(error) => Err(format!("its region: {error}")),
    }
}

/// Names that were seen, each within something.
struct Names<W>(BTreeSet<(W, String)>);

impl<W> Default for Names<W> {
    fn default() -> Names<W> {
        Names(BTreeSet::new())
    }
}

impl<W: Ord> Names<W> {
    fn is_new(&mut self, within: W, name: &Name) -> bool {
        // As `Name::reads_as` compares.
        self.0.insert((within, name.as_str().chars().flat_map(char::to_lowercase).collect()))
    }
}
