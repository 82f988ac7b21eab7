//! Takes the place of the browser's `fetch` for the addresses of the console, so that nothing above it knows that there is no server.

use super::{
    doors::{self, Answer, Body, Call},
    fleet::Demo,
};
use futures::StreamExt;
use js_sys::{Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{FormData, Headers, Request, Response, ResponseInit, Url};

/// From now on `fetch` asks `demo` for what the console would ask its server; anything else goes out as before.
pub fn install(demo: Demo) {
    let window = leptos::prelude::window();
    let real: Function = match Reflect::get(&window, &"fetch".into()).map(JsCast::dyn_into) {
        Ok(Ok(fetch)) => fetch,
        _ => return,
    };
    let fetch = Closure::<dyn Fn(JsValue, JsValue) -> Promise>::new({
        let window = window.clone();
        move |input: JsValue, init: JsValue| match ours(&input) {
            Some((request, url)) => {
                let demo = demo.clone();
                future_to_promise(async move {
                    let call = read(&request, &url).await?;
                    let answer = doors::answer(&demo, call).await;
                    respond(answer, &request).map(JsValue::from)
                })
            }
            None => real
                .call2(&window, &input, &init)
                .and_then(JsCast::dyn_into)
                .unwrap_or_else(|error| Promise::reject(&error)),
        }
    });
    _ = Reflect::set(&window, &"fetch".into(), fetch.as_ref());
    // It serves for as long as the page lives.
    fetch.forget();
}

/// The request, if it is for the console. All of the interface asks with a `Request` (it uses gloo-net).
fn ours(input: &JsValue) -> Option<(Request, Url)> {
    // Rust's clone: the browser's own would copy the body too.
    let request = Clone::clone(input.dyn_ref::<Request>()?);
    let url = Url::new(&request.url()).ok()?;
    let path = url.pathname();
    (path.starts_with("/api/") || path.starts_with("/do/")).then_some((request, url))
}

async fn read(request: &Request, url: &Url) -> Result<Call, JsValue> {
    let kind = request.headers().get("content-type")?.unwrap_or_default();
    let body = if request.method() == "GET" {
        Body::Text(String::new())
    } else if kind.starts_with("multipart/form-data") {
        let form: FormData = JsFuture::from(request.form_data()?).await?.dyn_into()?;
        Body::Form(fields(&form).await?)
    } else {
        Body::Text(JsFuture::from(request.text()?).await?.as_string().unwrap_or_default())
    };
    let query = url.search_params();
    let query = ["since", "net", "ids"]
        .into_iter()
        .filter_map(|name| query.get(name).map(|value| (name, value)))
        .collect();
    Ok(Call { method: request.method(), path: url.pathname(), query, body })
}

/// The fields of a form, files as their bytes.
async fn fields(form: &FormData) -> Result<Vec<(String, Vec<u8>)>, JsValue> {
    let mut fields = Vec::new();
    for name in ["id", "state_revision", "name", "project_id", "text", "file"] {
        let value = form.get(name);
        if let Some(text) = value.as_string() {
            fields.push((name.to_owned(), text.into_bytes()));
        } else if let Some(file) = value.dyn_ref::<web_sys::File>() {
            let bytes = JsFuture::from(file.array_buffer()).await?;
            fields.push((name.to_owned(), Uint8Array::new(&bytes).to_vec()));
        }
    }
    Ok(fields)
}

fn respond(answer: Answer, request: &Request) -> Result<Response, JsValue> {
    let headers = Headers::new()?;
    let init = ResponseInit::new();
    match answer {
        Answer::Json { status, body, location } => {
            headers.set("content-type", "application/json")?;
            if let Some(location) = location {
                headers.set("location", location.as_str())?;
                headers.set(server_fn::redirect::REDIRECT_HEADER, "")?;
            }
            init.set_status(status);
            init.set_headers(&headers);
            // These may have no body.
            let body = (status != 204 && status != 304).then_some(body.as_str());
            Response::new_with_opt_str_and_init(body, &init)
        }
        Answer::Stream { frames, sender } => {
            headers.set("content-type", "text/event-stream")?;
            init.set_headers(&headers);
            // Given up by the page: whoever writes to it finds it closed.
            let close = Closure::once_into_js(move || sender.close_channel());
            request.signal().set_onabort(Some(close.unchecked_ref()));
            let chunks = frames.map(|frame| Ok(JsValue::from(Uint8Array::from(frame.as_bytes()))));
            let body = wasm_streams::ReadableStream::from_stream(chunks).into_raw();
            Response::new_with_opt_readable_stream_and_init(Some(body.unchecked_ref()), &init)
        }
    }
}
