//! The files the server serves: named by their content, compressed ahead, listed in `manifest.json`.
//!
//! `src/server/assets.rs` is the other side of this: it reads the manifest and serves exactly what it lists.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::profile::Profile;
use crate::wasm::Frontend;
use crate::{css, project};

/// `target/site/manifest.json`: logical name → file.
#[derive(Serialize, Deserialize, Default, PartialEq)]
struct Manifest {
    /// How hard the files are compressed: a file made for another quality is made again.
    brotli_quality: u32,
    files: BTreeMap<String, Asset>,
}

/// Sizes are in bytes; `null` where compressing gains nothing.
#[derive(Serialize, Deserialize, Clone, PartialEq)]
struct Asset {
    path: String,
    size: usize,
    brotli: Option<usize>,
    gzip: Option<usize>,
}

/// What the page downloads, for the developer's eye.
pub struct Summary {
    pub wasm: String,
}

/// Puts frontend, styles and `public/` into `target/site`. Files that are there already are not touched.
pub fn collect(frontend: &Frontend, profile: Profile) -> Result<Summary> {
    let sources = sources(frontend, project::root())?;
    let manifest = write_site(&project::site(), sources, profile)?;
    let size = |name: &str| {
        manifest.files.get(name).map_or("none".to_owned(), |asset| {
            format!("{} kB, {} kB compressed", asset.size / 1000, asset.brotli.unwrap_or(asset.size) / 1000)
        })
    };
    Ok(Summary { wasm: size("muster_bg.wasm") })
}

/// Puts the demo into `folder`, names by content, and returns its files by logical name.
pub fn collect_demo(
    frontend: &Frontend,
    folder: &Path,
    profile: Profile,
) -> Result<BTreeMap<String, String>> {
    let manifest = write_site(folder, sources(frontend, project::root())?, profile)?;
    Ok(manifest.files.into_iter().map(|(name, asset)| (name, asset.path)).collect())
}

/// Content by logical name. The order of building matters: a file that names others comes after them.
fn sources(frontend: &Frontend, root: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut sources = BTreeMap::new();
    read_tree(&root.join("public"), "", &mut sources)?;
    read_tree(&frontend.folder, "", &mut sources)?;
    sources.insert("muster.css".to_owned(), css::bundle(&root.join("style"))?.into_bytes());
    Ok(sources)
}

fn read_tree(folder: &Path, prefix: &str, into: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read_tree(&entry.path(), &format!("{name}/"), into)?;
        } else {
            let content = std::fs::read(entry.path())
                .with_context(|| format!("cannot read {}", entry.path().display()))?;
            into.insert(name, content);
        }
    }
    Ok(())
}

fn write_site(site: &Path, mut sources: BTreeMap<String, Vec<u8>>, profile: Profile) -> Result<Manifest> {
    std::fs::create_dir_all(site)?;
    let before =
        read_manifest(site).filter(|it| it.brotli_quality == profile.brotli_quality()).unwrap_or_default();
    let names = hashed_names(&mut sources);
    let mut manifest = Manifest { brotli_quality: profile.brotli_quality(), files: BTreeMap::new() };
    for (logical, content) in &sources {
        let path = names[logical].clone();
        let asset = match before.files.get(logical) {
            Some(same) if same.path == path && is_whole(site, same) => same.clone(),
            _ => write_asset(site, path, content, profile)?,
        };
        manifest.files.insert(logical.clone(), asset);
    }
    // Last, so that whoever reads it finds every file it lists.
    write_if_changed(&site.join("manifest.json"), &serde_json::to_vec_pretty(&manifest)?)?;
    remove_others(site, &manifest)?;
    Ok(manifest)
}

/// Gives every file its name and puts those names into the files that refer to others: the JavaScript's `snippets/` and the stylesheet's
/// `url(/…)`.
fn hashed_names(sources: &mut BTreeMap<String, Vec<u8>>) -> BTreeMap<String, String> {
    let snippets: Vec<u8> = sources
        .range("snippets/".to_owned()..)
        .take_while(|(name, _)| name.starts_with("snippets/"))
        .flat_map(|(name, content)| [name.as_bytes(), content].concat())
        .collect();
    // Snippets import each other by relative path, so their folder is renamed as one.
    let snippets = format!("snippets-{}/", hash(&snippets));
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for (name, content) in sources.iter() {
        let path = match name.strip_prefix("snippets/") {
            Some(rest) => format!("{snippets}{rest}"),
            None => with_hash(name, content),
        };
        names.insert(name.clone(), path);
    }
    if let Some(script) = sources.get_mut("muster.js") {
        *script =
            String::from_utf8_lossy(script).replace("./snippets/", &format!("./{snippets}")).into_bytes();
        names.insert("muster.js".to_owned(), with_hash("muster.js", script));
    }
    if let Some(style) = sources.get_mut("muster.css") {
        let mut text = String::from_utf8_lossy(style).into_owned();
        for (name, path) in &names {
            for quote in ["", "\"", "'"] {
                text = text
                    .replace(&format!("url({quote}/{name}{quote})"), &format!("url({quote}{path}{quote})"));
            }
        }
        *style = text.into_bytes();
        names.insert("muster.css".to_owned(), with_hash("muster.css", style));
    }
    names
}

fn hash(content: &[u8]) -> String {
    format!("{:016x}", xxh3_64(content))
}

/// `icons/a.svg` → `icons/a.0123456789abcdef.svg`.
fn with_hash(name: &str, content: &[u8]) -> String {
    let path = Path::new(name);
    let extension = path.extension().map_or(String::new(), |it| format!(".{}", it.to_string_lossy()));
    format!("{}.{}{extension}", &name[..name.len() - extension.len()], hash(content))
}

fn write_asset(site: &Path, path: String, content: &[u8], profile: Profile) -> Result<Asset> {
    let file = site.join(&path);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    write_if_changed(&file, content)?;
    let smaller = |suffix: &str, compressed: Vec<u8>| -> Result<Option<usize>> {
        if compressed.len() + compressed.len() / 20 >= content.len() {
            return Ok(None);
        }
        write_if_changed(&beside(&file, suffix), &compressed)?;
        Ok(Some(compressed.len()))
    };
    let (brotli, gzip) = if is_compressible(&path) {
        (smaller("br", brotli(content, profile)?)?, smaller("gz", gzip(content, profile)?)?)
    } else {
        (None, None)
    };
    Ok(Asset { path, size: content.len(), brotli, gzip })
}

fn is_compressible(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|it| it.to_str()).unwrap_or_default();
    !matches!(
        extension,
        "png" | "jpg" | "jpeg" | "webp" | "avif" | "gif" | "woff" | "woff2" | "zip" | "gz" | "br"
    )
}

fn brotli(content: &[u8], profile: Profile) -> Result<Vec<u8>> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 1 << 16, profile.brotli_quality(), 22);
    writer.write_all(content)?;
    Ok(writer.into_inner())
}

fn gzip(content: &[u8], profile: Profile) -> Result<Vec<u8>> {
    let mut writer =
        flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(profile.gzip_level()));
    writer.write_all(content)?;
    Ok(writer.finish()?)
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// The file and its compressed forms, if any.
fn paths(asset: &Asset) -> impl Iterator<Item = String> {
    let also = [(asset.brotli, ".br"), (asset.gzip, ".gz")];
    let also = also
        .into_iter()
        .filter(|(size, _)| size.is_some())
        .map(|(_, suffix)| format!("{}{suffix}", asset.path));
    std::iter::once(asset.path.clone()).chain(also)
}

fn is_whole(site: &Path, asset: &Asset) -> bool {
    paths(asset).all(|path| site.join(path).is_file())
}

fn read_manifest(site: &Path) -> Option<Manifest> {
    serde_json::from_slice(&std::fs::read(site.join("manifest.json")).ok()?).ok()
}

/// Keeps the modification time of what is the same, so that nothing is built again for it.
fn write_if_changed(file: &Path, content: &[u8]) -> Result<()> {
    if std::fs::read(file).is_ok_and(|there| there == content) {
        return Ok(());
    }
    std::fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

/// Removes what earlier builds left: it would be embedded too.
fn remove_others(site: &Path, manifest: &Manifest) -> Result<()> {
    let mut keep: BTreeSet<String> = manifest.files.values().flat_map(paths).collect();
    keep.insert("manifest.json".to_owned());
    // The demo's page names the files here, and is written after them.
    keep.extend(["index.html".to_owned(), "404.html".to_owned()]);
    let mut there = BTreeMap::new();
    read_tree(site, "", &mut there)?;
    for path in there.into_keys().filter(|path| !keep.contains(path)) {
        std::fs::remove_file(site.join(&path)).with_context(|| format!("cannot remove {path}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> BTreeMap<String, Vec<u8>> {
        [
            ("muster.js", "import { a } from './snippets/x-1/inline0.js';\n".repeat(20)),
            ("muster_bg.wasm", "\0asm".to_owned()),
            ("snippets/x-1/inline0.js", "export const a = 1;".to_owned()),
            ("muster.css", "a { background: url(\"/img/dot.svg\") }".to_owned()),
            ("img/dot.svg", "<svg/>".to_owned()),
        ]
        .into_iter()
        .map(|(name, content)| (name.to_owned(), content.into_bytes()))
        .collect()
    }

    #[test]
    fn a_name_changes_with_the_content_and_only_with_it() -> Result<()> {
        let site = tempfile::tempdir()?;
        let first = write_site(site.path(), example(), Profile::Quick)?;
        let mut other = example();
        other.insert("img/dot.svg".to_owned(), b"<svg></svg>".to_vec());
        let second = write_site(site.path(), other, Profile::Quick)?;
        let path = |manifest: &Manifest, name: &str| manifest.files[name].path.clone();
        assert_ne!(path(&first, "img/dot.svg"), path(&second, "img/dot.svg"));
        assert_ne!(path(&first, "muster.css"), path(&second, "muster.css"), "the stylesheet names the image");
        assert_eq!(path(&first, "muster.js"), path(&second, "muster.js"));
        assert!(
            !site.path().join(path(&first, "img/dot.svg")).exists(),
            "what nobody names any more is removed"
        );
        Ok(())
    }

    #[test]
    fn what_a_file_names_is_there() -> Result<()> {
        let site = tempfile::tempdir()?;
        let manifest = write_site(site.path(), example(), Profile::Quick)?;
        let script = std::fs::read_to_string(site.path().join(&manifest.files["muster.js"].path))?;
        let snippet = script.split('\'').nth(1).context("an import")?;
        assert!(site.path().join(snippet).is_file(), "{snippet}");
        let style = std::fs::read_to_string(site.path().join(&manifest.files["muster.css"].path))?;
        let image = style.split('"').nth(1).context("a url")?;
        assert!(site.path().join(image).is_file(), "{image}");
        Ok(())
    }

    #[test]
    fn a_second_run_writes_nothing() -> Result<()> {
        let site = tempfile::tempdir()?;
        write_site(site.path(), example(), Profile::Quick)?;
        let modified = || std::fs::metadata(site.path().join("manifest.json"))?.modified();
        let before = modified()?;
        write_site(site.path(), example(), Profile::Quick)?;
        assert_eq!(modified()?, before);
        Ok(())
    }

    #[test]
    fn compressed_forms_are_kept_where_they_gain_something() -> Result<()> {
        let site = tempfile::tempdir()?;
        let manifest = write_site(site.path(), example(), Profile::Release)?;
        let script = &manifest.files["muster.js"];
        assert!(script.brotli.is_some_and(|size| size < script.size) && script.gzip.is_some());
        assert!(is_whole(site.path(), script));
        assert!(manifest.files["muster_bg.wasm"].brotli.is_none(), "four bytes do not shrink");
        Ok(())
    }
}
