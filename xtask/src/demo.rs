//! `cargo xtask demo`: the whole interface on a fleet simulated in the browser; what `trunk serve` does, without Trunk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use tiny_http::{Header, Method, Request, Response, Server};

use crate::profile::Profile;
use crate::step::Steps;
use crate::{assets, project, wasm};

#[derive(clap::Args)]
pub struct Args {
    /// As small and fast as it gets: slower to build
    #[arg(long)]
    release: bool,
    /// Only write the static site, for example to put it on a web server that answers unknown paths with its 404.html
    #[arg(long)]
    no_serve: bool,
    /// Where the static site is written
    #[arg(long, default_value = "target/demo")]
    out: PathBuf,
    /// Port on this machine's loopback address
    #[arg(long, default_value_t = 8081)]
    port: u16,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let profile = Profile::from_release_flag(args.release);
    let folder = project::root().join(&args.out);
    let mut steps = Steps::new(if args.no_serve { 2 } else { 3 });
    let frontend = steps.step("Building the demo", || wasm::build_demo(profile))?;
    steps.step("Writing the static site", || write(&frontend, &folder, profile))?;
    if args.no_serve {
        println!("      the demo is in {}", folder.display());
        return Ok(ExitCode::SUCCESS);
    }
    // Announced with its address, so that nobody opens it before it listens.
    let server = Server::http(("127.0.0.1", args.port)).map_err(|error| {
        anyhow!("cannot listen on port {}: {error}; choose another with --port", args.port)
    })?;
    steps.announce(&format!("The demo is at http://{}/ ; Ctrl-C stops it", server.server_addr()));
    for request in server.incoming_requests() {
        // A browser that went away in the middle of an answer is no news.
        _ = answer(request, &folder);
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the demo into `target/demo` and returns that folder.
pub fn build(profile: Profile) -> Result<PathBuf> {
    let folder = project::root().join("target/demo");
    write(&wasm::build_demo(profile)?, &folder, profile)?;
    Ok(folder)
}

fn write(frontend: &wasm::Frontend, folder: &Path, profile: Profile) -> Result<()> {
    let files = assets::collect_demo(frontend, folder, profile)?;
    let template = project::root().join("index.html");
    let template =
        fs::read_to_string(&template).with_context(|| format!("cannot read {}", template.display()))?;
    let page = page(&template, &files)?;
    fs::write(folder.join("index.html"), &page)?;
    // Web servers for static sites show this for every path that is not a file: the console finds its page by the path.
    fs::write(folder.join("404.html"), &page)?;
    Ok(())
}

/// Trunk's page with our files in the place of what Trunk would put there.
fn page(template: &str, files: &BTreeMap<String, String>) -> Result<String> {
    let file = |name: &str| files.get(name).with_context(|| format!("the demo has no {name}"));
    let (css, icon) = (file("muster.css")?, file("favicon.svg")?);
    let (js, wasm) = (file("muster.js")?, file("muster_bg.wasm")?);
    let ours = format!(
        "    <base href=\"/\">\n    <link rel=\"icon\" type=\"image/svg+xml\" href=\"{icon}\">\n    \
         <link rel=\"stylesheet\" href=\"{css}\">\n    \
         <script type=\"module\">import start from \"./{js}\"; start({{ module_or_path: \"{wasm}\" }});</script>\n"
    );
    let kept = template.lines().filter(|line| !line.contains("data-trunk"));
    let page: String = kept.flat_map(|line| [line, "\n"]).collect();
    anyhow::ensure!(page.contains("  </head>\n"), "index.html has no line with </head>");
    Ok(page.replacen("  </head>\n", &format!("{ours}  </head>\n"), 1))
}

fn answer(request: Request, folder: &Path) -> Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Ok(request.respond(Response::from_string("").with_status_code(405))?);
    }
    let file = file_for(request.url(), folder);
    let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let kind = match file.extension().and_then(|it| it.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript",
        "css" => "text/css",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    };
    let header = |name: &str, value: &str| {
        Header::from_bytes(name, value).map_err(|()| anyhow!("{name}: {value} is no header"))
    };
    let response = Response::from_data(content)
        .with_header(header("Content-Type", kind)?)
        .with_header(header("Cache-Control", "no-cache")?);
    Ok(request.respond(response)?)
}

/// The file at a path of the site; the page itself for every path that is none, because paths are the console's pages.
fn file_for(url: &str, folder: &Path) -> PathBuf {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    let file = folder.join(path);
    if plain && !path.is_empty() && file.is_file() { file } else { folder.join("index.html") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::css;

    #[test]
    fn the_page_names_our_files_and_nothing_of_trunks() -> Result<()> {
        let template = fs::read_to_string(project::root().join("index.html"))?;
        let names = ["muster.css", "favicon.svg", "muster.js", "muster_bg.wasm"];
        let files = names.map(|name| (name.to_owned(), format!("hashed-{name}"))).into();
        let page = page(&template, &files)?;
        for name in names {
            assert!(page.contains(&format!("hashed-{name}\"")), "{name}\n{page}");
        }
        assert!(!page.contains("data-trunk"));
        Ok(())
    }

    #[test]
    fn trunk_is_told_of_every_stylesheet_in_their_order() -> Result<()> {
        let template = fs::read_to_string(project::root().join("index.html"))?;
        let told: Vec<&str> = template
            .lines()
            .filter(|line| line.contains("rel=\"css\""))
            .filter_map(|line| line.split("href=\"style/").nth(1)?.split('"').next())
            .collect();
        let there: Vec<String> = css::files(&project::root().join("style"))?
            .iter()
            .filter_map(|file| Some(file.file_name()?.to_string_lossy().into_owned()))
            .collect();
        assert_eq!(told, there, "index.html lists style/ for Trunk");
        Ok(())
    }

    #[test]
    fn a_path_that_is_no_file_is_a_page_of_the_console() -> Result<()> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("a.js"), "")?;
        let index = folder.path().join("index.html");
        assert_eq!(file_for("/a.js?x", folder.path()), folder.path().join("a.js"));
        for path in ["/", "/nets/1", "/../a.js", "//etc/passwd", "/a.js/../a.js"] {
            assert_eq!(file_for(path, folder.path()), index, "{path}");
        }
        Ok(())
    }
}
