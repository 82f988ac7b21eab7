//! What the tabs of one browser tell each other.

use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

/// Closed when dropped. A tab does not hear itself.
pub struct Channel {
    channel: web_sys::BroadcastChannel,
    _listener: Closure<dyn FnMut(web_sys::MessageEvent)>,
}

impl Channel {
    /// Hands over each note, with the texts that came with it. What cannot be read is from another build, and none of ours.
    pub fn open<N: DeserializeOwned>(name: &str, on: impl Fn(N, Vec<String>) + 'static) -> Option<Channel> {
        let channel = web_sys::BroadcastChannel::new(name).ok()?;
        let listener = Closure::new(move |event: web_sys::MessageEvent| {
            let parts = js_sys::Array::from(&event.data());
            let mut parts = parts.iter().filter_map(|part| part.as_string());
            if let Some(note) = parts.next().and_then(|note| serde_json::from_str(&note).ok()) {
                on(note, parts.collect());
            }
        });
        channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        Some(Channel { channel, _listener: listener })
    }

    pub fn post(&self, note: &impl Serialize, texts: &[&str]) {
        let Ok(note) = serde_json::to_string(note) else { return };
        let parts = js_sys::Array::of1(&JsValue::from_str(&note));
        texts.iter().for_each(|text| _ = parts.push(&JsValue::from_str(text)));
        _ = self.channel.post_message(&parts);
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
    }
}
