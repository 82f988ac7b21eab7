//! Static files: named by their content, compressed when they were built, cached by browsers for good.
//!
//! `cargo xtask` writes them to `target/site` with a manifest. A build without debug assertions carries them inside; others read them from
//! the checkout they were built in. Only what the manifest lists is served.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use rust_embed::RustEmbed;
use serde::Deserialize;

#[derive(RustEmbed)]
#[folder = "target/site"]
#[allow_missing = true]
struct Files;

/// A hashed name never gets other content (RFC 8246).
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For the few names that browsers and crawlers ask for on their own.
const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// `/assets/…`, `/favicon.ico` and `/robots.txt`; needs no session.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    site_routes(&SITE)
}

/// Where a page finds a file: `url("muster.js")` is `/assets/muster.<hash>.js`. `None` when no such file was built.
pub fn url(logical: &str) -> Option<&'static str> {
    SITE.urls.get(logical).map(String::as_str)
}

/// True when this program was built without a frontend: pages then work without JavaScript and without style only.
pub fn missing() -> bool {
    url("muster.js").is_none()
}

static SITE: LazyLock<Site> = LazyLock::new(|| Site::new(|path| Files::get(path).map(|file| file.data)));

/// As `cargo xtask` writes it: logical name → file.
#[derive(Deserialize, Default)]
struct Manifest {
    files: BTreeMap<String, Asset>,
}

/// A file and the sizes in bytes of its forms; the compressed ones lie beside it as `path.br` and `path.gz`.
#[derive(Deserialize, Clone)]
struct Asset {
    path: String,
    brotli: Option<usize>,
    gzip: Option<usize>,
}

struct Site {
    /// By the path under `/assets/`.
    assets: HashMap<String, Asset>,
    /// By logical name.
    urls: HashMap<String, String>,
    read: fn(&str) -> Option<Cow<'static, [u8]>>,
}

impl Site {
    /// No manifest, or one that cannot be read, is a site without files.
    fn new(read: fn(&str) -> Option<Cow<'static, [u8]>>) -> Self {
        let manifest: Manifest =
            read("manifest.json").and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
        let urls =
            manifest.files.iter().map(|(name, asset)| (name.clone(), format!("/assets/{}", asset.path)));
        Self {
            urls: urls.collect(),
            assets: manifest.files.values().map(|asset| (asset.path.clone(), asset.clone())).collect(),
            read,
        }
    }

    fn respond(&self, path: &str, request: &HeaderMap, cache: HeaderValue) -> Response {
        let Some(asset) = self.assets.get(path) else { return not_found() };
        let coding = Coding::negotiate(request, asset);
        let Some(body) = (self.read)(&format!("{path}{}", coding.suffix())) else { return not_found() };
        let body = match body {
            Cow::Borrowed(embedded) => Bytes::from_static(embedded),
            Cow::Owned(from_disk) => Bytes::from(from_disk),
        };
        let mut response = body.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, content_type(path));
        headers.insert(header::CACHE_CONTROL, cache);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(name) = coding.name() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        response
    }

    /// `/favicon.ico` is whatever icon there is: browsers go by the content type, not by the name.
    fn favicon(&self, request: &HeaderMap) -> Response {
        let icon = ["favicon.ico", "favicon.svg"].into_iter().find_map(|name| self.urls.get(name));
        match icon.and_then(|url| url.strip_prefix("/assets/")) {
            Some(path) => self.respond(path, request, AN_HOUR),
            None => not_found(),
        }
    }
}

fn site_routes<S: Clone + Send + Sync + 'static>(site: &'static Site) -> Router<S> {
    let asset = move |Path(path): Path<String>, headers: HeaderMap| async move {
        site.respond(&path, &headers, FOREVER)
    };
    Router::new()
        .route("/assets/{*path}", get(asset))
        .route("/favicon.ico", get(move |headers: HeaderMap| async move { site.favicon(&headers) }))
        .route("/robots.txt", get(robots))
}

/// A console is nobody's search result.
async fn robots() -> Response {
    ([(header::CACHE_CONTROL, AN_HOUR)], "User-agent: *\nDisallow: /\n").into_response()
}

/// Not cached: the file may be there after the next deployment.
fn not_found() -> Response {
    (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")], "There is no such file.\n").into_response()
}

fn content_type(path: &str) -> HeaderValue {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    HeaderValue::from_static(match extension {
        "wasm" => "application/wasm",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "ico" => "image/x-icon",
        "png" => "image/png",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        "pnml" | "xml" => "application/xml",
        _ => "application/octet-stream",
    })
}

/// A content coding, the best first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Coding {
    Brotli,
    Gzip,
    Identity,
}

impl Coding {
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }

    /// The smallest form that the client takes (RFC 9110, 12.5.3). One that refuses even the plain form gets it all the same.
    fn negotiate(request: &HeaderMap, asset: &Asset) -> Self {
        let accepted = |name: &str| {
            let mut any = false;
            for header in request.get_all(header::ACCEPT_ENCODING) {
                for (coding, taken) in header.to_str().unwrap_or_default().split(',').map(parse_coding) {
                    if coding.eq_ignore_ascii_case(name) {
                        return taken;
                    }
                    any |= coding == "*" && taken;
                }
            }
            any
        };
        if asset.brotli.is_some() && accepted("br") {
            Self::Brotli
        } else if asset.gzip.is_some() && accepted("gzip") {
            Self::Gzip
        } else {
            Self::Identity
        }
    }
}

/// `br;q=0.5` → (`br`, taken): a weight of zero is a refusal.
fn parse_coding(item: &str) -> (&str, bool) {
    let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
    let weight = parameters.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
    (coding.trim(), weight.is_ok_and(|weight| weight > 0.0))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    static EXAMPLE: LazyLock<Site> = LazyLock::new(|| Site::new(example));

    fn example(path: &str) -> Option<Cow<'static, [u8]>> {
        let content: &'static str = match path {
            "manifest.json" => {
                r#"{"brotli_quality": 5, "files": {
                    "muster_bg.wasm": {"path": "muster_bg.aa.wasm", "size": 9, "brotli": 2, "gzip": 3},
                    "img/dot.png": {"path": "img/dot.bb.png", "size": 3, "brotli": null, "gzip": null},
                    "favicon.svg": {"path": "favicon.cc.svg", "size": 6, "brotli": null, "gzip": null}}}"#
            }
            "muster_bg.aa.wasm" => "the plain",
            "muster_bg.aa.wasm.br" => "br",
            "muster_bg.aa.wasm.gz" => "gz!",
            "img/dot.bb.png" => "dot",
            "favicon.cc.svg" => "<svg/>",
            _ => return None,
        };
        Some(content.as_bytes().into())
    }

    async fn request(method: &str, path: &str, accept: Option<&str>) -> (StatusCode, HeaderMap, String) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(accept) = accept {
            request = request.header(header::ACCEPT_ENCODING, accept);
        }
        let router: Router = site_routes(&EXAMPLE);
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_best_accepted_form_is_served() {
        for (accept, coding, body) in [
            (Some("gzip, deflate, br, zstd"), Some("br"), "br"),
            (Some("gzip"), Some("gzip"), "gz!"),
            (Some("br;q=0, gzip;q=0.5"), Some("gzip"), "gz!"),
            (Some("*"), Some("br"), "br"),
            (Some("*;q=0"), None, "the plain"),
            (Some("identity"), None, "the plain"),
            (Some("br;q=nonsense"), None, "the plain"),
            (None, None, "the plain"),
        ] {
            let (status, headers, got) = request("GET", "/assets/muster_bg.aa.wasm", accept).await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(
                headers.get(header::CONTENT_ENCODING).map(|it| it.to_str().unwrap()),
                coding,
                "{accept:?}"
            );
            assert_eq!(got, body, "{accept:?}");
            assert_eq!(headers[header::CONTENT_TYPE], "application/wasm");
            assert_eq!(headers[header::VARY], "accept-encoding");
            assert_eq!(headers[header::CACHE_CONTROL], FOREVER);
        }
    }

    #[tokio::test]
    async fn a_file_without_compressed_forms_is_served_plain() {
        let (status, headers, body) = request("GET", "/assets/img/dot.bb.png", Some("br, gzip")).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "dot"));
        assert!(!headers.contains_key(header::CONTENT_ENCODING));
    }

    #[tokio::test]
    async fn only_what_the_manifest_lists_is_served() {
        for path in [
            "manifest.json",
            "muster_bg.wasm",
            "muster_bg.aa.wasm.br",
            "../Cargo.toml",
            "%2e%2e/Cargo.toml",
            "img",
        ] {
            let (status, headers, _) = request("GET", &format!("/assets/{path}"), None).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        }
    }

    #[tokio::test]
    async fn head_tells_the_length_and_sends_nothing() {
        let (status, headers, body) = request("HEAD", "/assets/muster_bg.aa.wasm", Some("br")).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, ""));
        assert_eq!(headers[header::CONTENT_LENGTH], "2");
    }

    #[tokio::test]
    async fn an_svg_does_as_favicon_and_crawlers_are_sent_away() {
        let (status, headers, body) = request("GET", "/favicon.ico", None).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "<svg/>"));
        assert_eq!(headers[header::CONTENT_TYPE], "image/svg+xml");
        let (status, _, body) = request("GET", "/robots.txt", None).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "User-agent: *\nDisallow: /\n"));
    }

    #[test]
    fn a_site_without_a_manifest_is_empty() {
        let site = Site::new(|_| None);
        assert!(site.assets.is_empty() && site.urls.is_empty());
    }
}
