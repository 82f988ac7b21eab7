//! New versions of nets, and building them anew.

use super::{
    net::theirs,
    outcome::{fresh_net, once, stays},
};
use crate::{
    app::error::{ApiError, Current},
    model::{
        BuildError, BuildSummary, ChangedNet, DefinitionHash, Done, Draft, Net, NetBuild, NetId, NetSize,
        NetVersion, VersionRow, action::MAX_PNML_BYTES,
    },
    petri::pnml::{self, Limits, PnmlError},
    server::{
        App,
        api::error::internal,
        auth::Who,
        builds::queue::{self, Known},
        clock::now,
        storage::{SideWrite, builds, idempotency::Key, reports, versions},
    },
};
use std::sync::Arc;

/// A PNML file that was looked at: what it holds, or why that cannot be read.
pub(super) struct Content {
    pub pnml: Arc<[u8]>,
    pub hash: DefinitionHash,
    /// Zeros where it cannot be read.
    pub size: NetSize,
    /// What the file calls the net.
    pub title: Option<String>,
    pub broken: Option<BuildError>,
    /// What an earlier build found in the same file.
    pub found: Option<BuildSummary>,
}

impl Content {
    /// Reads the file, off the request threads. One that cannot be read is refused, unless it is to be kept as it is.
    pub async fn look(app: &App, pnml: Vec<u8>, keep_broken: bool) -> Result<Content, ApiError> {
        if pnml.len() > MAX_PNML_BYTES {
            return Err(ApiError::pnml_too_large());
        }
        let pnml: Arc<[u8]> = pnml.into();
        let read = {
            let pnml = pnml.clone();
            tokio::task::spawn_blocking(move || {
                let read = pnml::read(&pnml, &Limits::default()).map(|net| (net.size(), net.name, net.id));
                // What is no text cannot be shown to be mended, nor be part of an export.
                (read, std::str::from_utf8(&pnml).is_ok())
            })
        };
        let (read, is_text) = read.await.map_err(|error| internal(&error))?;
        let hash = DefinitionHash::of(&pnml);
        let (size, name, id) = match read {
            Ok(read) => read,
            Err(error) if keep_broken && is_text => {
                let broken = Some(crate::netcheck::build::broken(&error));
                let size = NetSize::default();
                return Ok(Content { pnml, hash, size, title: None, broken, found: None });
            }
            Err(error) => return Err(bad_pnml(&error)),
        };
        if size.places == 0 && size.transitions == 0 {
            return Err(ApiError::BadRequest { detail: crate::netcheck::EMPTY.to_owned() });
        }
        let title = Some(name).filter(|name| !name.trim().is_empty()).unwrap_or(id);
        let kept = reports::get(app.store().pool(), hash).await.map_err(|error| internal(&error))?;
        let found = kept.filter(|(_, kept)| kept.is_whole()).map(|(_, kept)| kept.summary());
        Ok(Content { pnml, hash, size, title: Some(title), broken: None, found })
    }

    pub fn version(&self, number: u32) -> NetVersion {
        NetVersion { number, definition: self.hash, size: self.size }
    }

    /// Writes the version down and has it built, where the net is in the draft already.
    pub fn record(self, draft: &mut Draft, net: NetId, number: u32) -> Result<Vec<SideWrite>, ApiError> {
        let version = self.version(number);
        let known = match (self.broken, self.found) {
            (Some(error), _) => Known::Broken(error),
            (None, Some(summary)) => Known::Found(summary),
            (None, None) => Known::Nothing,
        };
        queue::put(draft, net, number, self.hash, known)?;
        let row = VersionRow { version, at: draft.now(), actor: draft.actor().clone(), build: None };
        Ok(vec![SideWrite::Definition { hash: self.hash, pnml: self.pnml }, SideWrite::Version { net, row }])
    }

    /// For who kept a file that cannot be read.
    pub fn warning(&self) -> Option<String> {
        let error = self.broken.as_ref()?;
        let at = error.at.map(|(line, column)| format!("line {line}, column {column}: ")).unwrap_or_default();
        Some(format!("The file was kept as it is, and cannot be loaded: {at}{}.", error.text))
    }
}

fn bad_pnml(error: &PnmlError) -> ApiError {
    ApiError::BadPnml { line: error.line, column: error.column, reason: error.kind.to_string() }
}

pub async fn change(
    app: &App,
    who: &Who,
    id: NetId,
    changed: ChangedNet,
    if_match: Option<u64>,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    // Whoever may not is not told what is wrong with the file. Asked again below, in the transaction.
    theirs(&Draft::new(&app.store().fleet(), who.actor(), now()), who, id)?;
    let content = Content::look(app, changed.pnml, changed.keep_broken).await?;
    let by = who.clone();
    once(app, who, key, move |draft| {
        let net = theirs(draft, &by, id)?;
        fresh_net(draft, &net, if_match)?;
        stays(draft, &net, "change")?;
        let newest = net.newest();
        if newest.definition == content.hash {
            let message =
                format!("{} is the same in version {} already: it is as it was.", net.name, newest.number);
            return Ok((Done { message, net: Some(net), ..Done::default() }, Vec::new()));
        }
        let number = newest.number + 1;
        draft.add_version(id, content.version(number))?;
        let warning = content.warning();
        let side = content.record(draft, id, number)?;
        let net = draft.net(id)?.clone();
        let mut message = match net.newer {
            None => format!("{} has version {number} now.", net.name),
            Some(_) => format!(
                "{} has version {number} now. Version {} stays on its worker until it is unloaded or loaded anew.",
                net.name, net.version
            ),
        };
        if let Some(warning) = warning {
            message = format!("{message} {warning}");
        }
        Ok((Done { message, net: Some(net), ..Done::default() }, side))
    })
    .await
}

pub async fn build(app: &App, who: &Who, id: NetId, key: Option<Key>) -> Result<Done, ApiError> {
    let by = who.clone();
    once(app, who, key, move |draft| {
        let net = theirs(draft, &by, id)?;
        stays(draft, &net, "build")?;
        let newest = net.newest();
        let mut builds = draft.before().builds();
        if builds.any(|row| row.net_id == id && row.version == newest.number && !row.status.is_over()) {
            return Err(ApiError::Refused {
                detail: format!(
                    "Version {} of {} is being built already. Wait for it to end.",
                    newest.number, net.name
                ),
                code: "build_under_way".to_owned(),
                current: Some(Current::Net(net)),
            });
        }
        let before = net.build.as_ref().filter(|build| build.version == newest.number);
        let known = before.and_then(|build| build.summary).map_or(Known::Nothing, Known::Again);
        queue::put(draft, id, newest.number, newest.definition, known)?;
        let message = format!("Version {} of {} is built anew.", newest.number, net.name);
        Ok((Done { message, net: Some(draft.net(id)?.clone()), ..Done::default() }, Vec::new()))
    })
    .await
}

/// A version that was asked for by its number.
pub(super) struct Chosen {
    number: u32,
    row: Option<VersionRow>,
    /// Why its last build failed, if it did.
    failed: Option<BuildError>,
}

/// Looks up what the snapshot may not hold.
pub(super) async fn choose(app: &App, net: NetId, number: u32) -> Result<Chosen, ApiError> {
    let pool = app.store().pool();
    let row = versions::one(pool, net, number).await.map_err(|error| internal(&error))?;
    let build = builds::last(pool, net, number).await.map_err(|error| internal(&error))?;
    let failed = build.filter(|build| NetBuild::from(build).is_broken()).map(|build| {
        build.error.unwrap_or_else(|| BuildError { text: "it is not known why".to_owned(), at: None })
    });
    Ok(Chosen { number, row, failed })
}

impl Chosen {
    /// The version, if the net has it and it can be loaded. What is wrong with the newest one is the lifecycle's to say.
    pub fn of(self, net: &Arc<Net>) -> Result<NetVersion, ApiError> {
        let newest = net.newest();
        if self.number == newest.number {
            return Ok(newest);
        }
        let refused = |detail: String, code: &str| {
            Err(ApiError::Refused { detail, code: code.to_owned(), current: Some(Current::Net(net.clone())) })
        };
        let (number, name) = (self.number, &net.name);
        let Some(row) = self.row else {
            let detail =
                format!("Cannot load version {number} of {name}: it has versions 1 to {}.", newest.number);
            return refused(detail, "no_such_version");
        };
        match self.failed {
            None => Ok(row.version),
            Some(error) => {
                let at = error.at.map(|(line, column)| format!("line {line}, column {column}: "));
                let why = format!("{}{}", at.unwrap_or_default(), error.text.trim_end_matches('.'));
                let detail = format!(
                    "Cannot load version {number} of {name}: its build failed ({why}). Load another version."
                );
                refused(detail, "build_failed")
            }
        }
    }
}
