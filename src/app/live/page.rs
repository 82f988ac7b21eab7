//! What the page as a whole is told: its theme, the picture of its tab; and what it hands to the browser.

use crate::app::snapshot::Theme;

/// How all is, for the tab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    #[default]
    Well,
    /// So many things need somebody.
    Trouble(usize),
    /// What is shown is not kept up to date.
    Stale,
}

#[cfg(feature = "hydrate")]
pub use browser::sent_for_another_address;
#[cfg(feature = "browser")]
pub use browser::{copy, origin, reveal, show_mark, show_theme, tell_of_panics};

#[cfg(not(feature = "browser"))]
pub use elsewhere::{copy, origin, reveal, show_mark, show_theme};

#[cfg(not(feature = "browser"))]
mod elsewhere {
    use super::{Mark, Theme};

    pub fn show_theme(_theme: Theme) {}
    pub fn show_mark(_mark: Mark) {}
    pub fn reveal(_id: &str) {}
    pub fn origin() -> String {
        String::new()
    }
    pub async fn copy(_text: &str) -> bool {
        false
    }
}

#[cfg(feature = "browser")]
mod browser {
    use super::{Mark, Theme};
    use crate::app::live::browser::window;
    use wasm_bindgen::JsCast;

    /// Where the console is: `https://muster.example`.
    pub fn origin() -> String {
        window().location().origin().unwrap_or_default()
    }

    /// Shows the page in `theme` and keeps the choice.
    pub fn show_theme(theme: Theme) {
        let Some(document) = window().document() else { return };
        if let Some(root) = document.document_element() {
            _ = match theme {
                Theme::System => root.remove_attribute("data-theme"),
                Theme::Light | Theme::Dark => root.set_attribute("data-theme", theme.as_str()),
            };
        }
        if let Ok(document) = document.dyn_into::<web_sys::HtmlDocument>() {
            _ = document.set_cookie(&theme.cookie());
        }
    }

    /// The picture of the tab: our own; with a red dot where something needs somebody; grey where nothing is known any more. All of them in
    /// the page: one that is linked is asked for again by Chromium whenever the address changes, as it does while a filter is typed.
    pub fn show_mark(mark: Mark) {
        let Some(document) = window().document() else { return };
        let Ok(Some(link)) = document.query_selector("link[rel=icon]") else { return };
        let href = match mark {
            Mark::Well => picture("%230f766e", ""),
            Mark::Trouble(_) => picture(
                "%230f766e",
                "<circle cx='25' cy='7' r='7' fill='%23e5342b' stroke='%23fff' stroke-width='2'/>",
            ),
            Mark::Stale => picture(
                "%23837d74",
                "<circle cx='25' cy='7' r='6' fill='%23fff' stroke='%23e5342b' stroke-width='3'/>",
            ),
        };
        if link.get_attribute("href").as_deref() != Some(&href) {
            _ = link.set_attribute("href", &href);
        }
    }

    /// `public/favicon.svg` in another colour and with a sign on it, as a data address.
    fn picture(colour: &str, sign: &str) -> String {
        format!(
            "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='7' fill='{colour}'/>\
             <g fill='none' stroke='%23fff' stroke-width='2.4'><circle cx='9.5' cy='16' r='4.6'/><path d='M14.1 16h5.4'/></g>\
             <rect x='19.5' y='9' width='4.6' height='14' rx='1.2' fill='%23fff'/><circle cx='9.5' cy='16' r='1.7' fill='%23fff'/>{sign}</svg>"
        )
    }

    /// From now on a fault of ours that stops the page is told on it: what it shows does not move any more, whatever its badge says.
    pub fn tell_of_panics() {
        const ID: &str = "page-failed";
        std::panic::set_hook(Box::new(|fault| {
            console_error_panic_hook::hook(fault);
            let Some(document) = window().document() else { return };
            let (Some(body), Ok(notice)) = (document.body(), document.create_element("div")) else { return };
            if document.get_element_by_id(ID).is_none() {
                notice.set_id(ID);
                notice.set_class_name("page-failed");
                _ = notice.set_attribute("role", "alert");
                notice.set_inner_html(
                    "This page has failed and shows nothing new. <a href=\"\">Reload it</a>; if it fails again, the browser's console says where.",
                );
                _ = body.append_child(&notice);
            }
        }));
    }

    /// Whether the address is another than the one this document was asked for: the operator went back within it before the frontend was
    /// there. What the server rendered is another page then, and must not be taken over.
    #[cfg(feature = "hydrate")]
    pub fn sent_for_another_address() -> bool {
        let plain = |address: &str| address.split('#').next().unwrap_or_default().to_owned();
        let asked = window().performance().and_then(|performance| {
            let entry = performance.get_entries_by_type("navigation").get(0);
            entry.dyn_into::<web_sys::PerformanceEntry>().ok().map(|entry| plain(&entry.name()))
        });
        let here = window().location().href().map(|href| plain(&href)).unwrap_or_default();
        asked.is_some_and(|asked| asked != here)
    }

    /// Scrolls what carries `id` into view, no further than it has to.
    pub fn reveal(id: &str) {
        let element = window().document().and_then(|document| document.get_element_by_id(id));
        if let Some(element) = element {
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            element.scroll_into_view_with_scroll_into_view_options(&options);
        }
    }

    /// Puts `text` on the clipboard; `false` where the browser does not let us.
    pub async fn copy(text: &str) -> bool {
        // Only a secure context has a clipboard, whatever its type says.
        if !window().is_secure_context() {
            return false;
        }
        let written = window().navigator().clipboard().write_text(text);
        wasm_bindgen_futures::JsFuture::from(written).await.is_ok()
    }
}
