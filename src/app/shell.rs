//! The HTML document around the application. Rendered on the server only.

use super::{App, actions::theme_of, snapshot::Theme};
use crate::server::assets;
use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;

/// Symbols for `components::Icon` and the state glyphs, put into the page once.
const SPRITE: &str = include_str!("../../public/icons.svg");

/// The theme is an attribute of the document from its first byte, so that no page flashes in the other one. `options` is what axum hands
/// to every renderer; the names of our files come from [`assets`], where they carry their hash.
pub fn shell(_options: LeptosOptions) -> impl IntoView {
    let theme = use_context::<axum::http::request::Parts>().map(|parts| theme_of(&parts)).unwrap_or_default();
    let theme = (theme != Theme::System).then(|| theme.as_str());
    let (js, wasm) = (assets::url("muster.js"), assets::url("muster_bg.wasm"));
    // Without a built frontend the pages still read, and their forms work.
    let script = js.zip(wasm).map(|(js, wasm)| {
        format!("import({js:?}).then(m => m.default({{module_or_path: {wasm:?}}}).then(() => m.hydrate()))")
    });
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="referrer" content="same-origin"/>
                {assets::url("muster.css").map(|css| view! { <link rel="stylesheet" href=css/> })}
                {assets::url("favicon.svg").map(|icon| view! { <link rel="icon" type="image/svg+xml" href=icon/> })}
                {js.map(|js| view! { <link rel="modulepreload" href=js crossorigin="anonymous" nonce=use_nonce()/> })}
                {wasm
                    .map(|wasm| {
                        view! { <link rel="preload" href=wasm r#as="fetch" type="application/wasm" crossorigin="anonymous"/> }
                    })}
                {script.map(|script| view! { <script type="module" nonce=use_nonce() inner_html=script></script> })}
                <MetaTags/>
            </head>
            <body>
                <App/>
                <div hidden inner_html=SPRITE></div>
            </body>
        </html>
    }
}
