//! The format: JSON, version 1. Rows are sorted by id, so the same fleet is the same bytes.

use crate::{
    model::{
        Actor, BuildError, Category, ClusterId, DefinitionHash, EventRules, Fleet, Mute, Name, NetId,
        NetSize, PriorityRule, ProjectId, Provider, Quotas, Timestamp, VersionRow, WorkerId,
        action::{CPUS, MAX_PNML_BYTES, MEMORY_MB, whole_number_wanted},
        lab::SYNC_MINUTES,
        rules::MOST_RULES,
    },
    netcheck,
    petri::pnml::{self, Limits},
    server::api::plain::plain,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lab_sync_minutes: Option<u32>,
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
    /// Of its newest version.
    pub definition: DefinitionHash,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<WorkerId>,
    /// All of them, from the first to the newest. Absent in files of older consoles: one version, made by the import.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<VersionRecord>,
}

/// A version of a net; its number is its place in the list. It is built anew where it arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionRecord {
    pub definition: DefinitionHash,
    pub at: Timestamp,
    pub actor: Actor,
    /// The file was kept although it cannot be read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub broken: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl From<&VersionRow> for VersionRecord {
    fn from(row: &VersionRow) -> VersionRecord {
        VersionRecord {
            definition: row.version.definition,
            at: row.at,
            actor: row.actor.clone(),
            // A net without places and transitions is not taken.
            broken: row.version.size == NetSize::default(),
        }
    }
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

/// How large each net is, or why its file cannot be read.
pub type Files = BTreeMap<DefinitionHash, Result<NetSize, BuildError>>;

impl NetRecord {
    /// The definitions of all its versions.
    fn definitions(&self) -> impl Iterator<Item = DefinitionHash> {
        self.versions.iter().map(|version| version.definition).chain([self.definition])
    }
}

fn wrong(place: impl Into<String>, reason: impl Into<String>) -> NotAFleet {
    NotAFleet { place: place.into(), reason: reason.into() }
}

impl FleetFile {
    /// The rows of `fleet`. `definitions` are those of its nets, in all their `versions`.
    pub fn of(
        fleet: &Fleet,
        versions: &BTreeMap<NetId, Vec<VersionRow>>,
        definitions: BTreeMap<DefinitionHash, String>,
    ) -> FleetFile {
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
                    lab_sync_minutes: row.lab_sync_minutes,
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
                    definition: row.newest().definition,
                    worker_id: row.worker_id,
                    versions: (versions.get(&row.id).into_iter().flatten())
                        .filter(|version| version.version.number <= row.newest().number)
                        .map(VersionRecord::from)
                        .collect(),
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
            let said = plain(&error);
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

    /// Everything that must hold of the file as a whole; what its PNML files hold.
    pub fn check(&self) -> Result<Files, NotAFleet> {
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
            if let Some(minutes) = row.lab_sync_minutes.map(u64::from)
                && !SYNC_MINUTES.contains(&minutes)
            {
                let wanted = whole_number_wanted("lab_sync_minutes", &SYNC_MINUTES, &minutes.to_string());
                return Err(wrong(place(), wanted));
            }
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
            for definition in row.definitions() {
                if !self.definitions.contains_key(&definition.to_string()) {
                    return fail(format!("its definition {definition} is not in the file."));
                }
            }
            if row.versions.last().is_some_and(|newest| newest.definition != row.definition) {
                return fail("its definition is not that of its last version.".to_owned());
            }
            if row.versions.windows(2).any(|pair| pair[0].definition == pair[1].definition) {
                return fail("two of its versions, one after the other, are the same.".to_owned());
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

    fn check_definitions(&self) -> Result<Files, NotAFleet> {
        let used: BTreeSet<DefinitionHash> = self.nets.iter().flat_map(NetRecord::definitions).collect();
        let broken: BTreeSet<DefinitionHash> = (self.nets.iter().flat_map(|net| &net.versions))
            .filter(|version| version.broken)
            .map(|version| version.definition)
            .collect();
        let mut files = BTreeMap::new();
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
            let read = match pnml::read(pnml.as_bytes(), &Limits::default()) {
                Ok(net) => Ok(net.size()),
                Err(error) if broken.contains(&hash) => Err(netcheck::build::broken(&error)),
                Err(error) => {
                    let at = format!("its line {}, column {}", error.line, error.column);
                    return Err(wrong(place(), format!("{at}: {}.", error.kind)));
                }
            };
            if read.is_ok() && broken.contains(&hash) {
                return Err(wrong(place(), "a version says that it cannot be read, and it can."));
            }
            files.insert(hash, read);
        }
        Ok(files)
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
