//! What a file holds survives the way through a console, and what is wrong with one is said with its place.

use super::file::{
    ClusterRecord, FleetFile, NetRecord, ProjectRecord, RulesRecord, VersionRecord, WorkerRecord,
};
use crate::model::{
    Actor, Category, ClusterId, DefinitionHash, Matcher, Mute, Name, NetId, ProjectId, Provider, Quotas,
    Timestamp, WorkerId,
};
use std::collections::BTreeMap;
use uuid::Uuid;

const PNML: &str = r#"<pnml xmlns="http://www.pnml.org/version-2009/grammar/pnml"><net id="n" type="http://www.pnml.org/version-2009/grammar/ptnet"><page id="g"><place id="p"/></page></net></pnml>"#;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn file() -> FleetFile {
    let id = Uuid::from_u128;
    let hash = DefinitionHash::of(PNML.as_bytes());
    FleetFile {
        format: "muster-fleet".to_owned(),
        version: 1,
        clusters: vec![
            ClusterRecord {
                id: ClusterId(id(1)),
                name: name("local"),
                provider: Provider::Local,
                region: None,
                lab_sync_minutes: Some(5),
            },
            ClusterRecord {
                id: ClusterId(id(2)),
                name: name("eu"),
                provider: Provider::External,
                region: Some("fra".to_owned()),
                lab_sync_minutes: None,
            },
        ],
        projects: vec![ProjectRecord {
            id: ProjectId(id(3)),
            name: name("web"),
            quotas: Quotas { nets: Some(7), workers: None },
        }],
        workers: vec![WorkerRecord {
            id: WorkerId(id(4)),
            cluster_id: ClusterId(id(2)),
            name: name("eu-17"),
            category: Category::Persistent,
            cpus: 2,
            memory_mb: 512,
            region: Some("fra".to_owned()),
            endpoint: Some("http://192.0.2.7:7070".to_owned()),
        }],
        nets: vec![NetRecord {
            id: NetId(id(5)),
            project_id: ProjectId(id(3)),
            name: name("ring"),
            definition: hash,
            worker_id: Some(WorkerId(id(4))),
            versions: vec![VersionRecord {
                definition: hash,
                at: Timestamp(1_700_000_000_000),
                actor: Actor::System,
                broken: false,
            }],
        }],
        definitions: BTreeMap::from([(hash.to_string(), PNML.to_owned())]),
        rules: Some(RulesRecord {
            mutes: vec![Mute {
                matcher: Matcher { kind: "worker.*".to_owned(), ..Matcher::default() },
                until: None,
                note: "maintenance".to_owned(),
            }],
            priorities: Vec::new(),
        }),
    }
}

/// What is said of the file after `edit`.
fn said(edit: impl FnOnce(&mut FleetFile)) -> String {
    let mut file = file();
    edit(&mut file);
    file.check().unwrap_err().to_string()
}

#[test]
fn a_file_that_is_right_is_read_as_it_was_written() {
    let text = file().to_text();
    let read = FleetFile::read(text.as_bytes()).unwrap();
    assert_eq!(read, file());
    assert_eq!(read.to_text(), text);
    assert_eq!(read.check().unwrap().len(), 1);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (message, place) in [
        (
            said(|file| file.workers[0].cluster_id = ClusterId(Uuid::nil())),
            "workers[0] (eu-17): there is no cluster",
        ),
        (
            said(|file| file.workers[0].cpus = 0),
            "workers[0] (eu-17): cpus must be a whole number from 1 to 256",
        ),
        (said(|file| file.workers[0].endpoint = None), "workers[0] (eu-17): a worker of an external cluster"),
        (
            said(|file| file.workers[0].endpoint = Some("http://169.254.169.254".to_owned())),
            "workers[0] (eu-17): The worker's address cannot be",
        ),
        (
            said(|file| file.nets[0].worker_id = Some(WorkerId(Uuid::nil()))),
            "nets[0] (ring): there is no worker",
        ),
        (
            said(|file| file.nets[0].project_id = ProjectId(Uuid::nil())),
            "nets[0] (ring): there is no project",
        ),
        (said(|file| file.definitions.clear()), "nets[0] (ring): its definition"),
        (said(|file| file.nets.clear()), "no net has it"),
        (
            said(|file| file.definitions.values_mut().for_each(|pnml| pnml.push(' '))),
            "the SHA-256 of its text is",
        ),
        (
            said(|file| file.clusters[1].name = name("LOCAL")),
            "clusters[1] (LOCAL): another cluster has this name",
        ),
        (said(|file| file.clusters[1].id = file.clusters[0].id), "clusters[1] (eu): its id is another one's"),
        (said(|file| file.clusters[0].provider = Provider::Fly), "clusters[0] (local): its provider"),
        (
            said(|file| file.clusters[0].lab_sync_minutes = Some(0)),
            "clusters[0] (local): lab_sync_minutes must be a whole number from 1 to 1440",
        ),
    ] {
        assert!(message.starts_with("The file was not accepted, and nothing was imported: "), "{message}");
        assert!(message.contains(place), "{place:?} in {message}");
    }
    let broken = file().to_text().replace("\"cpus\": 2", "\"cpus\": -2");
    let error = FleetFile::read(broken.as_bytes()).unwrap_err();
    assert!(error.place.starts_with("line "), "{error}");
    let unknown = file().to_text().replace("\"cpus\"", "\"gpus\"");
    let error = FleetFile::read(unknown.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("unknown field `gpus`"), "{error}");
    let newer = file().to_text().replace("\"version\": 1", "\"version\": 2");
    assert!(FleetFile::read(newer.as_bytes()).unwrap_err().to_string().contains("version 2"));
    assert!(FleetFile::read(b"[]").is_err());
}
