//! Files that the operator chose, dropped or pasted.

use leptos::{ev, web_sys};

/// A file on its way to the server.
#[derive(Clone, Debug)]
pub struct Upload {
    pub name: String,
    /// Bytes.
    pub size: f64,
    #[cfg(feature = "browser")]
    file: send_wrapper::SendWrapper<web_sys::File>,
}

/// A larger file is not read only to show a line of it, bytes.
const READ: f64 = 8e6;

impl Upload {
    /// What is in it; `None` where it is large or cannot be read.
    pub async fn text(&self) -> Option<String> {
        if self.size > READ {
            return None;
        }
        #[cfg(feature = "browser")]
        {
            let text = wasm_bindgen_futures::JsFuture::from(self.file.text()).await;
            text.ok().and_then(|text| text.as_string())
        }
        #[cfg(not(feature = "browser"))]
        None
    }

    /// A form with the file as `file`, beside `fields`.
    #[cfg_attr(not(feature = "browser"), expect(unused_variables))]
    pub fn form(&self, fields: &[(&str, &str)]) -> Option<web_sys::FormData> {
        let form = web_sys::FormData::new().ok()?;
        #[cfg(feature = "browser")]
        {
            form.append_with_blob_and_filename("file", &self.file, &self.name).ok()?;
            for (name, value) in fields {
                form.append_with_str(name, value).ok()?;
            }
        }
        Some(form)
    }
}

/// What is dragged over the page, or dropped on it.
#[derive(Clone, Debug)]
pub enum Dragged {
    /// No files: none of our business.
    Nothing,
    Files,
}

#[cfg(feature = "browser")]
mod browser {
    use super::{Dragged, Upload, ev, web_sys};

    fn uploads(files: Option<web_sys::FileList>) -> Vec<Upload> {
        let Some(files) = files else { return Vec::new() };
        let files = (0..files.length()).filter_map(|i| files.get(i));
        files
            .map(|file| Upload {
                name: file.name(),
                size: file.size(),
                file: send_wrapper::SendWrapper::new(file),
            })
            .collect()
    }

    pub fn chosen(input: &web_sys::HtmlInputElement) -> Vec<Upload> {
        uploads(input.files())
    }

    pub fn dragged(event: &ev::DragEvent) -> Dragged {
        let kinds = event.data_transfer().map(|data| data.types());
        match kinds.is_some_and(|kinds| kinds.includes(&"Files".into(), 0)) {
            true => Dragged::Files,
            false => Dragged::Nothing,
        }
    }

    pub fn dropped(event: &ev::DragEvent) -> Vec<Upload> {
        uploads(event.data_transfer().and_then(|data| data.files()))
    }

    pub fn pasted(event: &ev::ClipboardEvent) -> (Vec<Upload>, String) {
        let Some(data) = event.clipboard_data() else { return (Vec::new(), String::new()) };
        (uploads(data.files()), data.get_data("text").unwrap_or_default())
    }
}
#[cfg(feature = "browser")]
pub use browser::{chosen, dragged, dropped, pasted};

#[cfg(not(feature = "browser"))]
mod elsewhere {
    use super::{Dragged, Upload, ev, web_sys};

    pub fn chosen(_: &web_sys::HtmlInputElement) -> Vec<Upload> {
        Vec::new()
    }
    pub fn dragged(_: &ev::DragEvent) -> Dragged {
        Dragged::Nothing
    }
    pub fn dropped(_: &ev::DragEvent) -> Vec<Upload> {
        Vec::new()
    }
    pub fn pasted(_: &ev::ClipboardEvent) -> (Vec<Upload>, String) {
        (Vec::new(), String::new())
    }
}
#[cfg(not(feature = "browser"))]
pub use elsewhere::{chosen, dragged, dropped, pasted};
